"""The seeds of those targets that decode a frame, or walk its markers."""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
from PIL import Image

from builders import default_pixels
from builders_frames import j2k_frame, jpeg_frame, rle_frame, segment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from builders import Cells


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


def gdcm() -> Iterator[bytes]:
    """The kind and flags, a window, then a frame of each codec that GDCM has."""
    rows, columns = np.mgrid[:20, :24]
    low = (rows * 5 + columns * 3).astype(np.uint8)
    twelve = low.astype(np.uint16) * 16
    colour = np.stack([low, low[::-1], 255 - low], axis=-1)
    for flags in range(16):
        for cells in (low, colour):
            yield bytes([0, flags]) + _jpeg(cells)
            yield bytes([1, flags]) + imagecodecs.jpeg8_encode(cells, lossless=True)
            yield bytes([2, flags]) + imagecodecs.jpegls_encode(cells, level=flags % 2)
            yield bytes([3, flags]) + imagecodecs.jpeg2k_encode(cells, level=0, reversible=True)
        yield bytes([0, flags]) + imagecodecs.jpeg8_encode(twelve, bitspersample=12)
        yield bytes([1, flags]) + imagecodecs.ljpeg_encode(twelve, bitspersample=12)
        yield bytes([2, flags]) + imagecodecs.jpegls_encode(twelve)
        for signed in (twelve, twelve.astype(np.int16) - 900):
            yield bytes([3, flags]) + imagecodecs.jpeg2k_encode(signed, level=0, reversible=True)
    wide = np.stack([twelve, twelve[::-1], 4095 - twelve], axis=-1)
    yield bytes(2) + imagecodecs.jpeg8_encode(wide, bitspersample=12)


TARGETS = {
    "codestream": codestream,
    "deflated_frame": deflated_frame,
    "gdcm": gdcm,
    "jpeg_lossless": jpeg_lossless,
    "jpeg_ls": jpeg_ls,
    "libjpeg": libjpeg,
    "libjxl": libjxl,
    "openjpeg": openjpeg,
    "rle": rle,
}
