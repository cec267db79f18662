"""Writes the seeds of every target, in the builder's terms: what a corpus starts from.

`make fuzz GROW=1` merges them, and what the run found, into the checked-in corpora.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
from PIL import Image

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
)
from builders_frames import (
    encapsulated,
    extended_table,
    j2k_frame,
    jpeg_frame,
    rle_frame,
    segment,
)
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


def header() -> Iterator[bytes]:
    yield from (recipe.build() for recipe in recipes())
    yield from with_tables()
    yield from refused_forms()
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


def _steered(
    frame: bytes | bytearray,
    kind: int,
    size: tuple[int, int],
    bits: tuple[int, int],
    *,
    signed: bool = False,
) -> bytes:
    """Behind the options that codestream.cpp and jpeg_lossless.cpp read."""
    (rows, columns), (allocated, stored) = size, bits
    cell = {8: 0, 16: 1, 32: 2}[allocated]
    steer = (kind, rows - 1, columns - 1, cell, stored - 1, 0, int(signed))
    return struct.pack("<BHHBBBB", *steer) + bytes(frame)


def codestream() -> Iterator[bytes]:
    cells = (np.arange(64, dtype=np.uint16) * 997).reshape(8, 8)
    low = (cells >> 8).astype(np.uint8)
    lossy = imagecodecs.jpeg8_encode(low)
    yield _steered(lossy, 0, (8, 8), (8, 8))
    yield _steered(imagecodecs.ljpeg_encode(cells, bitspersample=16), 1, (8, 8), (16, 16))
    yield _steered(imagecodecs.jpegls_encode(cells), 2, (8, 8), (16, 16))
    for box in ("j2k", "jp2"):
        coded = imagecodecs.jpeg2k_encode(cells, codecformat=box, level=0, reversible=True)
        yield _steered(coded, 3, (8, 8), (16, 16))
        yield _steered(coded, 3, (8, 8), (32, 12))
    for bits in (16, 32):
        coded = imagecodecs.jpegls_encode(cells)
        yield _steered(coded, 2, (8, 8), (bits, 12))
        yield _steered(coded, 2, (8, 8), (bits, 12), signed=True)
    yield _steered(lossy, 0, (8, 8), (8, 6))
    for sof in (*range(0xC0, 0xD0), 0xF7):
        precision = 8 if sof in {0xC0, 0xC1, 0xC2} else 16
        kind = {0xC3: 1, 0xF7: 2}.get(sof, 0)
        yield _steered(jpeg_frame(3, 4, sof=sof, precision=precision), kind, (3, 4), (16, 16))
    for marker in (0xFFCC, 0xFFDE, 0xFFDF, 0xFFE0):
        yield _steered(b"\xff\xd8" + segment(marker, b"JFIF\0\1"), 0, (3, 4), (8, 8))
    yield _steered(jpeg_frame(3, 4, components=3), 1, (3, 4), (16, 16))
    yield _steered(j2k_frame(3, 4, components=2), 3, (3, 4), (16, 16))
    two_depths = j2k_frame(3, 4, components=2).replace(b"\x0f\1\1\x0f", b"\x0f\1\1\x0e")
    yield _steered(two_depths, 3, (3, 4), (16, 16))
    yield _steered(j2k_frame(3, 4), 3, (3, 4), (16, 16))
    yield _steered(rle_frame(default_pixels()), 4, (3, 4), (16, 16))
    yield _steered(imagecodecs.htj2k_encode(cells, reversible=True), 5, (8, 8), (16, 16))
    yield _steered(imagecodecs.jpegxl_encode(low, lossless=True), 6, (8, 8), (8, 8))
    yield _steered(imagecodecs.jpegxl_encode(cells, lossless=True), 6, (8, 8), (16, 16))
    for frame in _without_place():
        yield _steered(frame, 6, (8, 8), (16, 16))


def _without_place() -> Iterator[bytes]:
    """JPEG XL of alpha, of floating point, and of several frames."""
    yield bytes(imagecodecs.jpegxl_encode(np.zeros((8, 8, 2), np.uint8), lossless=True))
    yield bytes(imagecodecs.jpegxl_encode(np.zeros((8, 8), np.float32), lossless=True))
    yield bytes(imagecodecs.jpegxl_encode(np.zeros((2, 8, 8, 1), np.uint8), lossless=True))


def _images() -> Iterator[Cells]:
    """Gray of 8 and 16 bits, signed and not, and colours: with some detail, but not much."""
    rows, columns = np.mgrid[:20, :24]
    gray = rows * 300 + columns * 70 + rows * columns % 5
    yield (gray // 32).astype(np.uint8)
    yield gray.astype(np.uint16)
    yield (gray - 3000).astype(np.int16)
    yield np.stack([gray // 32, gray // 64, 255 - gray // 32], -1).astype(np.uint8)


def openjpeg() -> Iterator[bytes]:
    """Flags, halvings and a corner, then a frame."""
    for number, cells in enumerate(_images()):
        frames = [
            imagecodecs.jpeg2k_encode(cells, codecformat="j2k", level=0, reversible=True),
            imagecodecs.jpeg2k_encode(cells, codecformat="jp2", level=40, reversible=False),
            imagecodecs.htj2k_encode(cells, reversible=True, resolutions=3),
            imagecodecs.htj2k_encode(cells, level=0.01, reversible=False, resolutions=2),
        ]
        for flags, frame in enumerate(frames):
            yield bytes([flags, number, 3, 8]) + bytes(frame)
            yield bytes([flags ^ 7, 0, 9, 0]) + bytes(frame)
    wide = (np.arange(64, dtype=np.uint32) * 9973).reshape(8, 8)
    yield bytes(4) + imagecodecs.jpeg2k_encode(wide, bitspersample=20, level=0, reversible=True)
    yield bytes(4) + j2k_frame(3, 4, components=2)
    for bits in (1, 12):
        cells = (np.arange(64, dtype=np.uint16) % (1 << bits)).reshape(8, 8)
        coded = imagecodecs.jpeg2k_encode(cells, bitspersample=bits, level=0, reversible=True)
        yield bytes([1, 0, 0, 0]) + bytes(coded)


def libjxl() -> Iterator[bytes]:
    """Flags, then a frame."""
    for flags, cells in enumerate(_images()):
        plain = cells.astype(np.uint16) if cells.dtype == np.int16 else cells
        yield bytes([flags]) + imagecodecs.jpegxl_encode(plain, lossless=True)
        yield bytes([flags + 1]) + imagecodecs.jpegxl_encode(
            plain, lossless=True, usecontainer=True
        )
        yield bytes([flags]) + imagecodecs.jpegxl_encode(plain, lossless=False, distance=2.0)
    low = (np.arange(64, dtype=np.uint8) * 3).reshape(8, 8)
    yield bytes(1) + imagecodecs.jpegxl_encode_jpeg(imagecodecs.jpeg8_encode(low))
    twelve = (np.arange(64, dtype=np.uint16) * 60).reshape(8, 8)
    yield bytes([1]) + imagecodecs.jpegxl_encode(twelve, lossless=True, bitspersample=12)
    five = np.arange(32, dtype=np.uint8).reshape(4, 8)
    yield bytes(1) + imagecodecs.jpegxl_encode(five, lossless=True, bitspersample=5)
    for frame in _without_place():
        yield bytes(1) + frame


def _framed(
    frame: bytes | bytearray, size: tuple[int, int], bits: int, flags: int = 0, *more: int
) -> bytes:
    """Behind the options that frame_input.hpp reads, with the last row but one as the window."""
    rows, columns = size
    cell = {8: 0, 16: 1, 32: 2}[bits]
    steer = (rows - 1, columns - 1, cell, bits - 1, 0, 0, flags)
    return struct.pack("<HHBBBBB", *steer) + bytes([*more, max(rows - 2, 0), 0]) + bytes(frame)


COLOUR, PLANAR, PAIRS, ONE_BIT, TWELVE_BITS = 1, 2, 4, 8, 16


def rle() -> Iterator[bytes]:
    for kind in (np.uint8, np.int16, np.int32):
        cells: Cells = default_pixels().astype(kind)
        bits = cells.dtype.itemsize * 8
        yield _framed(rle_frame(cells), (3, 4), bits)
        yield _framed(rle_frame(cells * 0), (3, 4), bits)
        planes = np.stack([cells, cells + 1, cells + 2]).reshape(-1, 4)
        coded = rle_frame(planes)
        yield _framed(coded, (3, 4), bits, COLOUR)
        parts = [bytes([3, *range(k, k + 4)]) * 3 for k in range(3 * bits // 8)]
        yield _framed(_rle(parts), (3, 4), bits, COLOUR)
    long = bytes([*range(256)] * 4)
    literals = b"".join(bytes([127]) + long[k : k + 128] for k in range(0, 1024, 128))
    yield _framed(_rle([literals]), (32, 32), 8)
    runs = b"".join(bytes([k, 7, 128, 1, k, k]) for k in range(129, 256, 2))
    yield _framed(_rle([runs * 2, runs * 2]), (63, 60), 16)
    yield _framed(_rle([b"\x02\xb3\x01\x55"]), (3, 7), 8, ONE_BIT)
    yield _framed(_rle([b"\x00\xb3"]), (3, 7), 8, TWELVE_BITS)


def _rle(segments: list[bytes]) -> bytes:
    """An RLE frame of segments that are packed already (PS3.5 G.5)."""
    offsets = [64 + sum(map(len, segments[:k])) for k in range(len(segments))]
    header = struct.pack("<16I", len(segments), *offsets, *[0] * (15 - len(segments)))
    return header + b"".join(segments)


def deflated_frame() -> Iterator[bytes]:
    ramp = bytes(range(96))
    forms = [(8, 0), (16, 0), (32, 0), (8, COLOUR), (16, COLOUR | PLANAR), (32, COLOUR | PLANAR)]
    forms += [(8, COLOUR | PAIRS), (16, COLOUR | PAIRS), (8, ONE_BIT), (8, TWELVE_BITS)]
    for bits, flags in forms:
        samples = 12 * (3 if flags & COLOUR else 1)
        size = samples * bits // 8
        if flags & PAIRS:
            size = size // 3 * 2
        if flags & (ONE_BIT | TWELVE_BITS):
            size = 2 if flags & ONE_BIT else 18
        native = (ramp * 2)[:size]
        for deflated in (False, True):
            packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
            frame = packer.compress(native) + packer.flush() if deflated else native
            yield bytes([deflated]) + _framed(frame, (3, 4), bits, flags)
            yield bytes([deflated]) + _framed(frame, (3, 5), bits, flags)
    yield b"\1" + _framed(b"\7", (3, 4), 8)
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    yield b"\1" + _framed(packer.compress(bytes(99)) + packer.flush(), (3, 4), 8)


def libjpeg() -> Iterator[bytes]:
    gray = (np.indices((19, 21)).sum(0) * 5).astype(np.uint8)
    colour = np.stack([gray, gray[::-1], gray[:, ::-1]], axis=-1)
    for reduce in range(5):
        yield _framed(_jpeg(gray), (19, 21), 8, 0, 0, reduce)
    for bits in (16, 32):
        yield _framed(_jpeg(gray), (19, 21), bits, 0, 0, 0)
    for options in ({"subsampling": 0}, {"subsampling": 2}, {"progressive": True}):
        for reduce in (0, 1):
            yield _framed(_jpeg(colour, **options), (19, 21), 8, COLOUR, 0, reduce)
    whole = _jpeg(gray)
    yield _framed(whole[:-20] + whole[-2:], (19, 21), 8, 0, 0, 0)
    yield _framed(whole.replace(b"\xff\xc4", b"\xff\xfe"), (19, 21), 8, 0, 0, 0)
    twelve = gray.astype(np.uint16) * 37
    coded = imagecodecs.jpeg8_encode(twelve, level=50, bitspersample=12)
    for bits in (16, 32):
        yield _framed(coded, (19, 21), bits, 0, 0, 1)
    flat = imagecodecs.jpeg8_encode(twelve * 0, level=50, bitspersample=12)
    yield _framed(flat, (19, 21), 16, 0, 0, 0)
    yield _framed(coded[:-20] + coded[-2:], (19, 21), 16, 0, 0, 0)


def _jpeg(cells: np.ndarray, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(cells).save(out, "JPEG", quality=50, optimize=True, **options)
    return out.getvalue()


def jpeg_lossless() -> Iterator[bytes]:
    """What libjpeg-turbo writes; the corpus has restart intervals and scans of one component."""
    cells = (np.arange(64, dtype=np.uint16) * 997).reshape(8, 8)
    for predictor in range(1, 8):
        coded = imagecodecs.jpeg8_encode(cells, lossless=True, predictor=predictor)
        yield _steered(coded, predictor << 2, (8, 8), (16, 16))
    low = (cells >> 8).astype(np.uint8)
    yield _steered(imagecodecs.jpeg8_encode(low, lossless=True), 0, (8, 8), (8, 8))
    yield _steered(imagecodecs.jpeg8_encode(low, lossless=True), 0, (8, 8), (32, 8))
    colour = np.stack([low, low[::-1], low.T], axis=-1)
    yield _steered(imagecodecs.jpeg8_encode(colour, lossless=True), 2, (8, 8), (8, 8))


def jpeg_ls() -> Iterator[bytes]:
    """What CharLS writes; the corpus has restart intervals and presets from the C++ tests."""
    random = np.random.default_rng(1)
    for kind in (np.uint8, np.uint16):
        gray = random.integers(0, np.iinfo(kind).max, (9, 10)).astype(kind)
        colour = random.integers(0, 200, (7, 8, 3)).astype(kind)
        for level in (0, 3):
            for cells in (gray, gray % 4, gray * 0, colour, colour % 2):
                yield b"\2" + imagecodecs.jpegls_encode(cells, level=level)


def values() -> Iterator[bytes]:
    texts = ["1", "-1.5e2", " +.5 ", "1\\2\\3", "5.\\-0\\1E-3", "-2147483648", "2147483648", ""]
    for text in [*texts, *NO_DECIMALS, *NO_INTEGERS]:
        yield text.encode()


def inflate() -> Iterator[bytes]:
    for data in (b"", b"abc", bytes(5000), encode(ct_elements(**FEW))):
        for level, limit in ((0, 0xFFFF), (9, 0xFFFF), (9, 100)):
            packer = zlib.compressobj(level, wbits=-zlib.MAX_WBITS)
            yield struct.pack("<H", limit) + packer.compress(data) + packer.flush()


def series() -> Iterator[bytes]:
    """Each file: whether x is moved, z, InstanceNumber, flags, and what they ask for."""

    def files(*parts: bytes) -> bytes:
        return bytes([len(parts), 1]) + b"".join(parts)

    def even(count: int) -> list[bytes]:
        return [bytes([0, z, z, 0]) for z in (0, 3, 4, 5, 11)[:count]]

    yield files(*even(5))
    yield files(*even(1))
    yield files()
    for one in range(16):  # each change, and each place
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
    "codestream": codestream,
    "deflated_frame": deflated_frame,
    "element_reader": element_reader,
    "header": header,
    "inflate": inflate,
    "jpeg_lossless": jpeg_lossless,
    "jpeg_ls": jpeg_ls,
    "libjpeg": libjpeg,
    "libjxl": libjxl,
    "offset_table": offset_table,
    "openjpeg": openjpeg,
    "rle": rle,
    "series": series,
    "values": values,
}


def write(target: str, folder: Path) -> None:
    """Write the seeds of a target, those that are small enough, as files of a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(TARGETS[target]()):
        if len(seed) <= MAX_SEED:
            (folder / f"seed-{number:03}").write_bytes(seed)
