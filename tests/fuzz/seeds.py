"""Writes the seeds of every target, in the builder's terms: what a corpus starts from.

`make fuzz GROW=1` merges them, and what the run found, into the checked-in corpora.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from builders import (
    BIG,
    DEFLATED,
    ENCAPSULATED,
    EXPLICIT,
    IMPLICIT,
    PIXEL_DATA,
    RLE,
    SEQUENCE_END,
    UNDEFINED,
    Element,
    Syntax,
    ct_elements,
    ct_slice,
    default_pixels,
    encode,
    icon,
    item,
    sequence,
)
from builders_bad import BAD, NO_DECIMALS, NO_INTEGERS, SEQUENCE, nested
from builders_forms import (
    float_file,
    modality_lut,
    native_file,
    palette,
    real_world,
    real_world_item,
    segmented_palette,
    shared,
    voi_lut,
    voi_luts,
)
from builders_frames import (
    encapsulated,
    extended_table,
    rle_frame,
)
from builders_pet import ge_scan, pet_slice, philips_factor, scale_slope
from fuzz import seeds_decoders, seeds_slices
from fuzz.mutation import Recipe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from builders import Cells

# A seed is not to teach a fuzzer about sizes.
MAX_SEED = 2048

END = item(b"", tag=SEQUENCE_END)
FEW: dict[str, Any] = dict.fromkeys(("SeriesDescription", "ImageType", "SOPClassUID"))
FRAMES = np.arange(24, dtype=np.int16).reshape(2, 3, 4)


def recipes() -> Iterator[Recipe]:
    """Small files that load, still in parts: one for each way that a file is written."""
    nest = sequence(SEQUENCE, [Element(0x00280010, "US", 9), nested(2)], undefined=True)
    private = Element(0x00091010, "UN", item(encode([nest], IMPLICIT)) + END, claimed=UNDEFINED)
    whole = sequence(SEQUENCE, [Element(0x00280010, "US", 9), nested(2)])

    def recipe(cells: Cells, syntax: Syntax = EXPLICIT, **options: Any) -> Recipe:
        return Recipe(tuple(ct_elements(cells, syntax=syntax, **FEW, **options)), syntax)

    one = default_pixels()
    yield recipe(one, extra=[nest, icon()])
    yield recipe(one, extra=[whole, icon(undefined=False)])
    yield recipe(one, extra=[private], BitsStored=12, HighBit=11)
    yield recipe(one, IMPLICIT, extra=[nest])
    yield recipe(one, BIG, extra=[nest])
    yield recipe(one, DEFLATED, extra=[nest])
    yield recipe(one.astype(np.uint8), BIG, RescaleSlope=None, RescaleIntercept=None)
    yield recipe(FRAMES)
    for syntax in (EXPLICIT, IMPLICIT, BIG):
        yield replace(recipe(one, syntax), front=(False, False, False))
    two = [[rle_frame(frame)] for frame in FRAMES]
    halves = [[rle_frame(frame)[:70], rle_frame(frame)[70:]] for frame in FRAMES]
    yield recipe(one, RLE, pixel_element=encapsulated([[rle_frame(one)]], table=None))
    yield recipe(FRAMES, RLE, pixel_element=encapsulated(two))
    yield recipe(FRAMES, RLE, pixel_element=encapsulated(halves, table=None))
    yield recipe(FRAMES, RLE, pixel_element=encapsulated(two), extra=extended_table(two))
    yield recipe(one, ENCAPSULATED, pixel_element=encapsulated([[one.tobytes()]], table=None))


def element_reader() -> Iterator[bytes]:
    for flag, syntax in ((0, EXPLICIT), (1, BIG), (2, IMPLICIT)):
        for extra in (nested(3), icon(syntax), icon(syntax, undefined=False)):
            data_set = encode(ct_elements(syntax=syntax, extra=[extra], **FEW), syntax)
            yield bytes([flag]) + data_set
            yield bytes([flag | 4]) + data_set
            yield bytes([flag | 8]) + data_set
    yield b"\0" + encode([nested(34)])
    unknown = item(encode([nested(2)], IMPLICIT)) + END
    yield b"\0" + encode([Element(0x00091010, "UN", unknown, claimed=UNDEFINED)])
    for bad in BAD:
        built = bad.build()
        if built[128:132] == b"DICM":
            yield b"\0" + built[132:]
            yield b"\10" + built[132:]


def byte_window() -> Iterator[bytes]:
    def reads(size: int, later: int, *places: tuple[int, int, int]) -> bytes:
        form = {0: "<BHH", 1: "<BHB"}
        steps = b"".join(struct.pack(form[peek], peek, at, count) for peek, at, count in places)
        return struct.pack("<HH", size, later) + steps

    yield reads(40_000, 0, (0, 0, 8), (1, 20_000, 8), (0, 20_000, 9_000), (1, 16_380, 8))
    yield reads(40_000, 0, (0, 0, 8), (1, 16_380, 8), (0, 15_000, 20_000), (0, 100, 10))
    yield reads(40_000, 20_000, (0, 0, 8), (1, 0, 0), (0, 30_000, 8))
    yield reads(40_000, 20_000, (0, 0, 8), (1, 0, 0), (1, 30_000, 8))
    yield reads(100, 0, (0, 0, 100), (0, 90, 11))
    yield reads(100, 0, (0, 96, 8))
    yield reads(0, 0, (0, 0, 0), (0, 0, 1))


def with_tables() -> Iterator[bytes]:
    """Palettes, lookup tables and real-world maps, sound and damaged, and pixels of every form."""

    def indexed(tables: list[Element]) -> bytes:
        more = {"PhotometricInterpretation": "PALETTE COLOR", **FEW}
        return native_file(bytes(12), (3, 4), allocated=8, extra=tables, **more)

    four = [[1, 2, 3, 4]] * 3
    yield indexed(palette(four))
    yield indexed(palette(four, bits=8, word_each=False))
    yield indexed(palette([[1, 2, 3, 400]] * 3, bits=8))
    yield indexed(palette(four)[:4])
    for words in ([0, 3, 4, 5, 6, 1, 4, 10, 2, 1, 0, 0], [1, 4, 9], [0, 1, 1, 2, 1, 6, 0], [3, 1]):
        for entries in (3, 10, 12):
            yield indexed(segmented_palette([words] * 3, entries))
    yield indexed(segmented_palette([[0, 2, 5, 6, 2, 1, 0, 0, 0, 0, 1, 2, 9]] * 3, 6, bits=8))
    line = real_world_item(first=-3, last=9, slope=0.5, intercept=1, form="SS")
    table = real_world_item(first=0, last=2, values=(1, 2.5, -3))
    wide = real_world_item(first=-0.5, last=2.5, slope=2, intercept=0, form="FD")
    for extra in (
        [modality_lut([7, 8, 900], first=-1, signed=True)],
        [modality_lut([7, 8])],
        [real_world(line, table)],
        [real_world(wide)],
        [shared(real_world(line))],
        [sequence(0x00283000, undefined=True), sequence(0x00409096)],
        [sequence(0x00409096, line, table[:3], undefined=True)],
    ):
        yield native_file(bytes(24), (3, 4), allocated=16, signed=True, extra=extra, **FEW)
        damaged = native_file(bytes(24), (3, 4), allocated=16, extra=extra, **FEW)
        yield damaged.replace(b"SQ\0\0", b"UN\0\0", 1)
    first = voi_lut([0, 5, 900], first=-1, vr="SS", bits=12)
    for extra in (
        [voi_luts(first, voi_lut([3, 4]))],
        [voi_luts(voi_lut([1, 2, 3, 4], bits=8, word_each=False))],
        [voi_luts(first[:1])],
        [voi_luts(), Element(0x00281056, "CS", "SIGMOID")],
        [sequence(0x00283010, first, undefined=True)],
        [modality_lut([7, 8]), voi_luts(voi_lut([3, 4]))],
    ):
        window: dict[str, Any] = {"WindowCenter": (40, 1e3), "WindowWidth": (400.5, -1)}
        yield native_file(bytes(24), (3, 4), allocated=16, extra=extra, **FEW, **window)
    for text in ("", "1e", "\\7"):
        yield native_file(bytes(24), (3, 4), allocated=16, **FEW, WindowCenter=text)
    yield float_file(np.zeros((3, 4), np.float32), extra=[shared(real_world(wide))], **FEW)
    yield float_file(np.zeros((3, 4), np.float64), **FEW)
    for allocated, size in ((1, 2), (12, 18), (32, 48)):
        yield native_file(bytes(size), (3, 4), allocated=allocated, **FEW)
    for colour, samples in (("RGB", 3), ("YBR_FULL", 3), ("YBR_FULL_422", 2)):
        more = {"PhotometricInterpretation": colour, "SamplesPerPixel": 3, **FEW}
        more["PlanarConfiguration"] = int(colour == "RGB")
        yield native_file(bytes(12 * samples), (3, 4), allocated=8, **more)


def refused_forms() -> Iterator[bytes]:
    """Pixels that no decoder is given, one for each reason."""
    colour = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}
    shared_chroma = {**colour, "PhotometricInterpretation": "YBR_FULL_422"}
    forms: list[tuple[int, dict[str, Any]]] = [
        (1, colour),
        (12, colour),
        (2, {}),
        (8, {"SamplesPerPixel": 2}),
        (8, {"SamplesPerPixel": 3, "PhotometricInterpretation": "XYB"}),
        (8, {**colour, "PlanarConfiguration": 2}),
        (8, {**shared_chroma, "PlanarConfiguration": 1}),
        (8, {**shared_chroma, "Columns": 5}),
        (8, {**shared_chroma, "signed": True}),
        (8, {"PixelRepresentation": 2}),
    ]
    for allocated, form in forms:
        yield native_file(bytes(96), (3, 4), allocated=allocated, **FEW, **form)
    for syntax, vr in ((BIG, "OW"), (BIG, "OB")):
        for allocated in (1, 8, 12, 16):
            pixels = Element(PIXEL_DATA, vr, bytes(18))
            form = {"BitsAllocated": allocated, "BitsStored": 1, "HighBit": 0, "Columns": 3}
            yield ct_slice(syntax=syntax, pixel_element=pixels, **FEW, **form)
    single = np.zeros((3, 4), np.float32)
    yield float_file(single, BitsAllocated=16, **FEW)
    yield float_file(single, BitsAllocated=None, **FEW)
    yield float_file(single, PhotometricInterpretation="PALETTE COLOR", **FEW)
    fragments = encapsulated([[bytes(48)]])
    xyb: dict[str, Any] = {**colour, "PhotometricInterpretation": "XYB"}
    floats = Element(0x7FE00008, "OF", fragments.value, claimed=UNDEFINED)
    for syntax in (RLE, ENCAPSULATED):
        yield ct_slice(syntax=syntax, pixel_element=floats, BitsAllocated=32, **FEW)
        packed: dict[str, Any] = {"BitsAllocated": 12, "BitsStored": 12, "HighBit": 11}
        yield ct_slice(syntax=syntax, pixel_element=fragments, **packed, **FEW)
    yield ct_slice(
        syntax=Syntax("1.2.840.10008.1.2.4.110", encapsulated=True),
        pixel_element=fragments,
        **FEW,
        **xyb,
    )


def pet() -> Iterator[bytes]:
    """What SUV are made of, whole and with one attribute that is missing or of no use."""
    late = {"SeriesTime": "190000"}
    odd: list[dict[str, Any]] = [
        {},
        {"SeriesTime": "12:00:00.25", "SeriesDate": "2024.03.10"},
        {"DecayCorrection": "ADMIN"},
        {"Units": "GML"},
        {"Units": "GML", "SUVType": "BSA"},
        {"Units": "CNTS", "extra": philips_factor("0.5")},
        {"Units": "CNTS", "extra": philips_factor("0")},
        {"Units": "BQ"},
        {**late, "extra": ge_scan("20240310120000+0100"), "TimezoneOffsetFromUTC": "+0100"},
        {**late, "extra": ge_scan("20240310120000+0100")},
        {**late, "extra": ge_scan("2024", 0x11)},
        {"RadiopharmaceuticalStartDateTime": "20240310084000"},
        {"RadiopharmaceuticalStartDateTime": "2024031112"},
        {"RadiopharmaceuticalStartTime": "130000"},
        {"RadiopharmaceuticalStartTime": None},
        {"PatientWeight": "heavy"},
        {"RadionuclideHalfLife": "1e-300"},
        {"RadionuclideTotalDose": "370"},
        {"doses": []},
        {
            "doses": [],
            "extra": [Element(0x00540016, "SQ", encode([Element(0x00080005, "CS", "")]))],
        },
        *({"extra": scale_slope(one, vr)} for one, vr in ((1.0, "FL"), (1.0, "FD"), ("x", "DS"))),
        {"extra": scale_slope(b"\0\0")},
    ]
    odd += [
        {"SeriesTime": one}
        for one in ("10:", "10:0000", "1060", "100000.", "100000.1234567", "x", "10001", "10.5")
    ]
    odd += [{"SeriesDate": one} for one in ("20240230", "00000101", "2024", "2024x310")]
    odd += [
        {name: None}
        for name in ("CorrectedImage", "DecayCorrection", "PatientWeight", "AcquisitionTime")
    ]
    pixels = np.zeros((1, 2), np.int16)
    yield from (pet_slice(pixels, **{**FEW, **one}) for one in odd)


def header() -> Iterator[bytes]:
    yield from (recipe.build() for recipe in recipes())
    yield from with_tables()
    yield from refused_forms()
    yield from pet()
    yield from seeds_slices.slices()
    yield from (bad.build() for bad in BAD)


def offset_table() -> Iterator[bytes]:
    def steer(flags: int, frames: int, entries: tuple[int, ...] = (), length: int = 0) -> bytes:
        numbers = struct.pack(f"<{len(entries)}H", *entries)
        return (
            bytes([flags, 3, 4, 16, 1, frames, len(entries) // 2])
            + numbers
            + bytes(struct.pack("<H", length))
        )

    frames = [[b"ab", b"cd"], [b"efgh"]]
    single = [[b"abcd"], [b"efgh"]]
    for table in ((), (0, 20), (0, 0), (4, 20), (20, 0), b"abc"):
        yield steer(1, 2) + encapsulated(frames, table=table).value
    yield steer(1, 2) + encapsulated(single).value
    yield steer(1, 1) + encapsulated(frames, delimiter=False).value
    ended = [[b"ab", b"c\xff\xd9\0"], [b"ef", b"gh", b"\xff\xd9"]]
    yield steer(33, 2) + encapsulated(ended).value
    yield steer(33, 3) + encapsulated(ended).value
    yield steer(33, 2) + encapsulated(ended[::-1], delimiter=False).value
    yield steer(9, 2, (0, 12, 4, 3)) + encapsulated(single).value
    yield steer(9, 2, (0, 12, 4, 9)) + encapsulated(single).value
    yield steer(0, 2, length=48) + bytes(48)
    yield steer(4, 1, length=48) + bytes(40)


def values() -> Iterator[bytes]:
    texts = ["1", "-1.5e2", " +.5 ", "1\\2\\3", "5.\\-0\\1E-3", "-2147483648", "2147483648", ""]
    for text in [*texts, *NO_DECIMALS, *NO_INTEGERS]:
        yield text.encode()


def inflate() -> Iterator[bytes]:
    for data in (b"", b"abc", bytes(5000), encode(ct_elements(**FEW))):
        for level, limit in ((0, 0xFFFF), (9, 0xFFFF), (9, 100)):
            packer = zlib.compressobj(level, wbits=-zlib.MAX_WBITS)
            yield struct.pack("<H", limit) + packer.compress(data) + packer.flush()


def _repeated() -> Iterator[tuple[int, list[bytes]]]:
    """Series of several times: the attribute that every second slice has, and the slices."""
    twice = [bytes([0, z, 10 * z + t, 0]) for z in (0, 3, 4) for t in range(2)]
    for times in range(8):  # each attribute that may tell two times
        yield times, twice
    yield 1, twice[:5]
    yield 1, [bytes([0, z, 9, 0]) for z in (0, 0, 3, 3)]
    for one in (*range(15, 21), 10):  # times and frames that each slice has of its own
        for more in (0, 1):
            changes = [bytes([128, one, t, more, t]) for t in (1, 2, 3, 255)]
            yield 0, [bytes([0, z, t]) + changes[t] for z in (0, 3) for t in range(2)]
            yield 0, [bytes([0, z, 9]) + changes[z % 3 + 1] for z in (0, 3, 4, 5)]
            yield 0, [bytes([0, 0, 9]) + changes[t] for t in range(4)]
    part = bytes([9, 128, 17, 1, 3])  # of a concatenation that misses some
    yield 0, [bytes([0, z]) + part for z in (0, 3)]


def series() -> Iterator[bytes]:
    """Each file: whether x is moved, z, InstanceNumber, flags, and what they ask for."""

    def files(*parts: bytes, times: int = 0) -> bytes:
        return bytes([len(parts), 1 | times << 1]) + b"".join(parts)

    def even(count: int) -> list[bytes]:
        return [bytes([0, z, z, 0]) for z in (0, 3, 4, 5, 11)[:count]]

    yield files(*even(5))
    yield files(*even(1))
    yield files()
    yield from (files(*parts, times=times) for times, parts in _repeated())
    for one in range(21):  # each change, and each place
        yield files(*even(3), bytes([0, one, 9, 0]))
        for value in range(3):
            yield files(*even(2), bytes([0, 4, 9, 128, one, value]), bytes([0, 4, 8, 128, one, 1]))
            yield files(*[bytes([0, z, 9, 128, one, value]) for z in (0, 3, 4)])
    for spacing in range(4):  # an image with a spacing at its detector
        yield files(bytes([0, 0, 9, 132, 4, 2, spacing, 1]))
    yield files(*[bytes([0, 0, 9, 132, 4, 0, 1])] * 2)  # images without a name
    for bit in range(6):  # each attribute that is chosen from a list
        for value in range(8):
            yield files(*even(2), bytes([0, 4, 9, 1 << bit, value]))
            yield files(*[bytes([0, z, 9, 1 << bit, value]) for z in (0, 3, 4)])
    yield files(*[bytes([1, z, z, 200 - z, 64]) for z in (0, 3, 4, 4)])
    yield files(*[bytes([0, 1, z, 64]) for z in (0, 3, 4, 4)])


TARGETS = {
    "byte_window": byte_window,
    "element_reader": element_reader,
    "header": header,
    "inflate": inflate,
    "offset_table": offset_table,
    "series": series,
    "values": values,
    **seeds_decoders.TARGETS,
}


def write(target: str, folder: Path) -> None:
    """Write the seeds of a target, those that are small enough, as files of a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(TARGETS[target]()):
        if len(seed) <= MAX_SEED:
            (folder / f"seed-{number:03}").write_bytes(seed)
