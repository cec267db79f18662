"""Codestreams of every compressed syntax, by encoders that no backend decodes with.

What a library does not write is put together from parts that it does: bands of rows become restart
intervals, and the segments in front of a JPEG scan are left out or exchanged.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any, Literal

import imagecodecs
import jpeg_ls
import numpy as np

from builders import Cells, Syntax, ct_slice
from builders_frames import encapsulated, even, pack_bits, rle_frame, rle_header, segment
from builders_lossless import LosslessForm, lossless_jpeg

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_UID = "1.2.840.10008.1.2."
DEFLATED_FRAME = Syntax(_UID + "8.1", encapsulated=True)
JPEG_EXTENDED = Syntax(_UID + "4.51", encapsulated=True)
JPEG_SPECTRAL = Syntax(_UID + "4.53", encapsulated=True)
JPEG_PROGRESSIVE = Syntax(_UID + "4.55", encapsulated=True)
JPEG_LOSSLESS_ANY = Syntax(_UID + "4.57", encapsulated=True)
JPEG_LS_NEAR = Syntax(_UID + "4.81", encapsulated=True)
JPEG_2000_ANY = Syntax(_UID + "4.91", encapsulated=True)
JPEG_2000_MULTI = Syntax(_UID + "4.92", encapsulated=True)
JPEG_2000_MULTI_ANY = Syntax(_UID + "4.93", encapsulated=True)
HTJ2K, HTJ2K_RPCL, HTJ2K_ANY = (Syntax(f"{_UID}4.20{n}", encapsulated=True) for n in (1, 2, 3))
JXL_LOSSLESS, JXL_FROM_JPEG, JXL = (Syntax(f"{_UID}4.11{n}", encapsulated=True) for n in (0, 1, 2))
_SSIZ_AT = 42  # bits a sample of the first component (ISO 15444-1 A.5.1)
Interleave = Literal[0, 1, 2]
Segment = tuple[int, bytes]


def picture(rows: int, columns: int, bits: int, *, signed: bool = False, seed: int = 0) -> Cells:
    """Slopes with noise, and the smallest and the largest value that there is."""
    y, x = np.mgrid[:rows, :columns]
    noise = np.random.default_rng(seed).integers(0, 1 + (1 << bits) // 16, (rows, columns))
    cells = (y * 977 // rows + x * (1 << bits) // (2 * columns) + noise) % (1 << bits)
    cells[0, 0], cells[rows // 2, columns // 2] = 0, (1 << bits) - 1
    if signed:
        cells -= 1 << (bits - 1)
    size = 1 if bits <= 8 else 2
    found: Cells = cells.astype(f"{'i' if signed else 'u'}{size}")
    return found


def colour_picture(rows: int, columns: int, bits: int = 8) -> Cells:
    """Three pictures that differ: (rows, columns, 3)."""
    return np.stack([picture(rows, columns, bits, seed=k)[:, ::s] for k, s in _TURNS], axis=-1)


_TURNS = ((1, 1), (2, -1), (3, 1))


def patches(size: int = 32) -> Cells:
    """Four squares of one colour each, which every lossy codec keeps: (2 size, 2 size, 3)."""
    colours = np.array([[[200, 40, 60], [20, 180, 90]], [[30, 60, 220], [240, 230, 10]]], np.uint8)
    return colours.repeat(size, 0).repeat(size, 1)


def jpeg(cells: Cells, bits: int = 8, *, level: int = 98, **options: Any) -> bytes:
    """Sequential JPEG of 8 or 12 bits, baseline or extended, with the segments of libjpeg."""
    return bytes(imagecodecs.jpeg8_encode(cells, level, bitspersample=bits, **options))


def jpeg_colour(
    rgb: Cells,
    *,
    coded: Literal["RGB", "YCBCR"],
    marker: Literal["adobe", "jfif", "none"],
    ids: tuple[int, int, int] = (1, 2, 3),
    subsampling: str = "444",
) -> bytes:
    """Colour JPEG whose colours are told by a marker, by the component's ids, or by nothing."""
    stream = imagecodecs.jpeg8_encode(
        rgb, 98, colorspace="RGB", outcolorspace=coded, subsampling=subsampling
    )
    front = {
        "adobe": segment(0xFFEE, b"Adobe\0\x64" + bytes(4) + bytes([coded == "YCBCR"])),
        "jfif": segment(0xFFE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
        "none": b"",
    }
    bare = with_component_ids(without_application_segments(bytes(stream)), ids)
    return b"\xff\xd8" + front[marker] + bare[2:]


def segments(stream: bytes) -> tuple[list[Segment], bytes]:
    """The marker segments up to the first scan, with it, and all the rest."""
    found: list[Segment] = []
    at = 2
    while True:
        marker, length = stream[at + 1], int.from_bytes(stream[at + 2 : at + 4], "big")
        found.append((marker, stream[at + 4 : at + 2 + length]))
        at += 2 + length
        if marker == 0xDA:
            return found, stream[at:]


def from_segments(found: Sequence[Segment], rest: bytes) -> bytes:
    """What `segments` took apart."""
    return b"\xff\xd8" + b"".join(segment(0xFF00 | m, body) for m, body in found) + rest


def without_application_segments(stream: bytes) -> bytes:
    """Leaves APP0 to APP15 and comments out."""
    found, rest = segments(stream)
    return from_segments([one for one in found if not 0xE0 <= one[0] <= 0xFE], rest)


def with_component_ids(stream: bytes, ids: tuple[int, int, int]) -> bytes:
    """Names the components of the frame and of its one scan."""
    found, rest = segments(stream)

    def renamed(marker: int, body: bytes) -> Segment:
        out = bytearray(body)
        if marker in (0xC0, 0xC1, 0xC2, 0xC3):
            out[6::3] = bytes(ids)
        if marker == 0xDA:
            out[1:7:2] = bytes(ids)
        return marker, bytes(out)

    return from_segments([renamed(*one) for one in found], rest)


def with_restarts(bands: Sequence[bytes], interval: int) -> bytes:
    """One stream of streams that are alike but for their rows, each a restart interval.

    JPEG (ISO 10918-1 E.1.4) and JPEG-LS (ISO 14495-1 C.2.5) start each interval as they start a
    scan; `interval` is in units of theirs: blocks or lines.
    """
    taken = [segments(one) for one in bands]
    found = list(taken[0][0])
    rows = sum(int.from_bytes(_frame_header(one)[1:3], "big") for one, _ in taken)
    for at, (marker, body) in enumerate(found):
        if marker in (0xC0, 0xC1, 0xC3, 0xF7):
            found[at] = (marker, body[:1] + struct.pack(">H", rows) + body[3:])
    found.insert(-1, (0xDD, struct.pack(">H", interval)))
    coded = [rest[: rest.rindex(b"\xff\xd9")] for _, rest in taken]
    out = coded[0]
    for number, one in enumerate(coded[1:]):
        out += bytes([0xFF, 0xD0 + number % 8]) + one
    return even(from_segments(found, out + b"\xff\xd9"))


def _frame_header(found: Sequence[Segment]) -> bytes:
    return next(body for marker, body in found if marker in (0xC0, 0xC1, 0xC3, 0xF7))


def jpegls(cells: Cells, bits: int, *, near: int = 0, interleave: Interleave = 0) -> bytes:
    """JPEG-LS of (rows, columns) or (rows, columns, 3), interleaved by plane, line or sample."""
    rows, columns = cells.shape[:2]
    if cells.ndim == 2:
        coded = jpeg_ls.encode_buffer(cells.tobytes(), rows, columns, 1, bits, near)
    else:
        order = (0, 1, 2) if interleave else (2, 0, 1)  # CharLS turns lines itself
        turned = np.ascontiguousarray(cells.transpose(order)).tobytes()
        coded = jpeg_ls.encode_buffer(turned, rows, columns, 3, bits, near, interleave)
    return even(bytes(coded))


def jpeg2000(cells: Cells, bits: int, **options: Any) -> bytes:
    """Reversible JPEG 2000, unless the options say otherwise; the sign is the cells'."""
    chosen = {"level": 0, "codecformat": "j2k", "reversible": True, **options}
    return even(bytes(imagecodecs.jpeg2k_encode(cells, bitspersample=bits, **chosen)))


def htj2k(cells: Cells, bits: int, **options: Any) -> bytes:
    """Reversible HTJ2K.

    The encoder writes whole bytes of precision. Unsigned samples are level-shifted by half their
    range (ISO 15444-1 G.1.2): shifted before, and coded as signed ones, they are the same
    codestream but for the sign and the bits in SIZ.
    """
    if cells.ndim == 3 or bits in (8, 16):
        return even(bytes(imagecodecs.htj2k_encode(cells, **{"reversible": True, **options})))
    signed = cells.dtype.kind == "i"
    shifted = cells if signed else (cells.astype(np.int32) - (1 << (bits - 1))).astype(np.int16)
    stream = bytearray(imagecodecs.htj2k_encode(shifted, **{"reversible": True, **options}))
    stream[_SSIZ_AT] = bits - 1 + (0x80 if signed else 0)
    return even(bytes(stream))


def jpegxl(cells: Cells, bits: int, *, container: bool = False) -> bytes:
    """Lossless JPEG XL, a bare codestream or one in boxes."""
    options: dict[str, Any] = {"lossless": True, "bitspersample": bits, "usecontainer": container}
    return even(bytes(imagecodecs.jpegxl_encode(cells, **options)))


def deflated(raw: bytes) -> bytes:
    """A raw deflate stream (PS3.5 A.4.13)."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return even(packer.compress(raw) + packer.flush())


def rle(cells: Cells) -> bytes:
    """RLE of (rows, columns) or (rows, columns, 3): segments by sample, by byte (PS3.5 G.2)."""
    if cells.ndim == 2:
        return rle_frame(cells)
    rows, columns, samples = cells.shape
    big = np.ascontiguousarray(cells.astype(cells.dtype.newbyteorder(">")))
    planes = big.view(np.uint8).reshape(rows, columns, samples, -1)
    coded = [
        even(b"".join(pack_bits(row.tobytes()) for row in planes[:, :, sample, k]))
        for sample in range(samples)
        for k in range(cells.dtype.itemsize)
    ]
    return rle_header(coded) + b"".join(coded)


def lossless(cells: Cells, bits: int, **form: Any) -> bytes:
    """Lossless JPEG of the tests' own encoder."""
    return lossless_jpeg(cells, LosslessForm(precision=bits, **form))


# A lossless encoder for each syntax that has one: cells and BitsStored to a frame.
LOSSLESS: dict[Syntax, Callable[[Cells, int], bytes]] = {
    Syntax(_UID + "5", encapsulated=True): lambda cells, _bits: rle(cells),
    DEFLATED_FRAME: lambda cells, _bits: deflated(cells.tobytes()),
    JPEG_LOSSLESS_ANY: lossless,
    Syntax(_UID + "4.70", encapsulated=True): lossless,
    Syntax(_UID + "4.80", encapsulated=True): jpegls,
    Syntax(_UID + "4.90", encapsulated=True): jpeg2000,
    JPEG_2000_ANY: jpeg2000,
    JPEG_2000_MULTI: jpeg2000,
    JPEG_2000_MULTI_ANY: jpeg2000,
    HTJ2K: htj2k,
    HTJ2K_RPCL: htj2k,
    HTJ2K_ANY: htj2k,
    JXL_LOSSLESS: jpegxl,
    JXL: jpegxl,
}
KNOWS_SIGN = frozenset({JPEG_2000_ANY, JPEG_2000_MULTI, JPEG_2000_MULTI_ANY, HTJ2K, HTJ2K_RPCL})
KNOWS_SIGN |= {HTJ2K_ANY, Syntax(_UID + "4.90", encapsulated=True)}


def encoded_file(
    frames: Sequence[bytes | Sequence[bytes]],
    like: Cells,
    syntax: Syntax,
    *,
    bits: int,
    table: Sequence[int] | None = (),
    **attributes: Any,
) -> bytes:
    """A file of encoded frames.

    Args:
        frames: A codestream each, or the list of its fragments.
        like: Cells of one frame, (rows, columns) or (rows, columns, 3): the header is theirs.
        syntax: Of the file.
        bits: BitsStored.
        table: Of `encapsulated`.
        **attributes: Of `ct_slice`.
    """
    parts = [[even(one)] if isinstance(one, bytes) else list(one) for one in frames]
    form: dict[str, Any] = {
        "Rows": like.shape[0],
        "Columns": like.shape[1],
        "BitsAllocated": like.dtype.itemsize * 8,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": int(like.dtype.kind == "i"),
    }
    if like.ndim == 3:
        form |= {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}
        form |= {"PlanarConfiguration": 0, "RescaleIntercept": None, "RescaleSlope": None}
    if len(frames) > 1:
        form["NumberOfFrames"] = len(frames)
    pixels = encapsulated(parts, table=table)
    return ct_slice(syntax=syntax, pixel_element=pixels, **(form | attributes))
