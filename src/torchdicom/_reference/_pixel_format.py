"""What a pixel looks like, and whether it can be decoded (PS3.3 C.7.6.3.1, PS3.5 8.1.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

import numpy as np

from torchdicom._errors import ParseError, UnsupportedError
from torchdicom._reference._syntaxes import (
    ENCAPSULATED,
    JPEG,
    JPEG_XL,
    NATIVE,
    UNCOMPRESSED,
)
from torchdicom._reference._tags import TAGS, element_name

if TYPE_CHECKING:
    from torchdicom._reference._header import FileHeader

_ONE_SAMPLE: Final = frozenset({"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"})
_YBR: Final = frozenset({"YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"})
_BITS_OF_INTEGERS: Final = (1, 8, 12, 16, 32)
_FLOATS: Final = {TAGS["FloatPixelData"]: 32, TAGS["DoubleFloatPixelData"]: 64}


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """The pixel description of PS3.3 C.7.6.3.1.

    Attributes:
        rows: Rows.
        columns: Columns.
        bits_allocated: 1, 8, 12, 16 or 32; 32 or 64 of floating point numbers.
        bits_stored: 1 to `bits_allocated`.
        high_bit: `bits_stored` - 1 to `bits_allocated` - 1.
        is_signed: PixelRepresentation is 1.
        samples: 1, or 3 in colour.
        photometric: PhotometricInterpretation, empty where absent.
        planar_configuration: 1 where the samples of a colour stand together.
        is_float: The samples are floating point numbers.
    """

    rows: int
    columns: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    is_signed: bool
    samples: int = 1
    photometric: str = "MONOCHROME2"
    planar_configuration: int = 0
    is_float: bool = False

    @property
    def bytes_per_sample(self) -> int:
        """Size of a cell: what a sample takes in memory."""
        return {1: 1, 12: 2}.get(self.bits_allocated, self.bits_allocated // 8)

    @property
    def cell_dtype(self) -> np.dtype[Any]:
        """Of a cell."""
        return np.dtype(f"{'f' if self.is_float else 'u'}{self.bytes_per_sample}")

    @property
    def frame_bits(self) -> int:
        """Size of an uncompressed frame."""
        # Two pixels share their colour (PS3.3 C.7.6.3.1.2).
        samples = 2 if self.photometric == "YBR_FULL_422" else self.samples
        return self.rows * self.columns * samples * self.bits_allocated

    @property
    def is_palette(self) -> bool:
        """The samples are indices."""
        return self.photometric == "PALETTE COLOR"


def pixel_format(file: FileHeader) -> PixelFormat:
    """The pixel format of a file, where it can be decoded.

    Raises:
        ParseError: ``no_pixel_data``, ``invalid_value``, ``missing_element``.
        UnsupportedError: ``unsupported_transfer_syntax``, ``unsupported_pixel_format``,
            ``unsupported_photometric``.
    """
    header, pixels = file.header, file.pixels
    if pixels is None:
        msg = "The file has no pixel data"
        raise ParseError(
            msg, code="no_pixel_data", path=file.path, element=element_name("PixelData")
        )
    if header.transfer_syntax_uid not in NATIVE | ENCAPSULATED:
        msg = f"The transfer syntax {header.transfer_syntax_uid} is not supported"
        _refuse(file, msg, "unsupported_transfer_syntax", "TransferSyntaxUID")
    if pixels.tag in _FLOATS:
        return _float_format(file, _FLOATS[pixels.tag])
    photometric = _checked_photometric(file)
    allocated, stored, high = _checked_bits(file)
    sign = file.pixel_representation
    if sign is None:
        msg = "There is pixel data, but no PixelRepresentation"
        element = element_name("PixelRepresentation")
        raise ParseError(msg, code="missing_element", path=file.path, element=element)
    if sign > 1:
        _fail_invalid(file, "PixelRepresentation", sign, "0 and 1")
    if sign == 1 and photometric in _YBR:
        msg = "The samples are signed, and luminance and chrominance are not"
        _refuse(file, msg, "unsupported_pixel_format", "PixelRepresentation")
    return PixelFormat(
        rows=header.rows or 0,
        columns=header.columns or 0,
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=high,
        is_signed=sign == 1,
        samples=header.samples_per_pixel,
        photometric=photometric,
        planar_configuration=header.planar_configuration,
    )


def _float_format(file: FileHeader, bits: int) -> PixelFormat:
    """Of FloatPixelData and DoubleFloatPixelData (PS3.3 C.7.6.24, C.7.6.25): gray."""
    header = file.header
    photometric = _checked_photometric(file)
    if photometric not in {"", "MONOCHROME1", "MONOCHROME2"}:
        msg = f"Floating point pixels of {photometric} are not supported"
        _refuse(file, msg, "unsupported_pixel_format", "PhotometricInterpretation")
    if header.bits_allocated not in {None, bits}:
        _fail_invalid(file, "BitsAllocated", header.bits_allocated, f"{bits} bits of such pixels")
    rows, columns = header.rows or 0, header.columns or 0
    return PixelFormat(rows, columns, bits, bits, bits - 1, is_signed=True, is_float=True)


def _checked_photometric(file: FileHeader) -> str:
    """PhotometricInterpretation, where it fits the number of samples (PS3.3 C.7.6.3.1.2)."""
    header = file.header
    samples, photometric = header.samples_per_pixel, header.photometric_interpretation
    if samples not in {1, 3}:
        msg = f"SamplesPerPixel is {samples}, and 1 and 3 are supported"
        _refuse(file, msg, "unsupported_photometric", "SamplesPerPixel")
    is_xyb = photometric == "XYB" and header.transfer_syntax_uid in JPEG_XL
    if samples == 3 and not (photometric in _YBR or photometric == "RGB" or is_xyb):
        msg = f"3 samples a pixel of {photometric} are not supported"
        _refuse(file, msg, "unsupported_photometric", "PhotometricInterpretation")
    if samples == 1 and photometric not in {None, *_ONE_SAMPLE}:
        msg = f"One sample a pixel of {photometric} is not supported"
        _refuse(file, msg, "unsupported_photometric", "PhotometricInterpretation")
    if samples == 3 and header.planar_configuration > 1:
        _fail_invalid(file, "PlanarConfiguration", header.planar_configuration, "0 and 1")
    is_subsampled = header.transfer_syntax_uid in UNCOMPRESSED and photometric == "YBR_FULL_422"
    if is_subsampled and header.planar_configuration:
        _fail_invalid(file, "PlanarConfiguration", 1, "0 alone where two pixels share a colour")
    if is_subsampled and (header.columns or 0) % 2:
        _fail_invalid(file, "Columns", header.columns, "even ones, since two pixels share a colour")
    return photometric or ""


def _checked_bits(file: FileHeader) -> tuple[int, int, int]:
    """How many bits are allocated and stored, and the place of the highest (PS3.5 8.1.1)."""
    header = file.header
    allocated = header.bits_allocated or 0
    stored = allocated if header.bits_stored is None else header.bits_stored
    high = stored - 1 if header.high_bit is None else header.high_bit
    if allocated not in _BITS_OF_INTEGERS:
        msg = f"BitsAllocated is {allocated}, and 1, 8, 12, 16 and 32 are supported"
        _refuse(file, msg, "unsupported_pixel_format", "BitsAllocated")
    _check_packed(file, allocated)
    if not 1 <= stored <= allocated:
        _fail_invalid(file, "BitsStored", stored, f"1 to {allocated}")
    if not stored - 1 <= high < allocated:
        _fail_invalid(file, "HighBit", high, f"{stored - 1} to {allocated - 1}")
    return allocated, stored, high


def _check_packed(file: FileHeader, allocated: int) -> None:
    """Refuse packed pixels where nothing says how they are packed."""
    syntax, samples = file.header.transfer_syntax_uid, file.header.samples_per_pixel
    if allocated not in {1, 12}:
        return
    if samples == 3 or (allocated == 1 and syntax in JPEG):
        msg = f"BitsAllocated is {allocated}, and such pixels have one sample and no lossy JPEG"
        _refuse(file, msg, "unsupported_pixel_format", "BitsAllocated")
    if allocated == 12 and syntax in ENCAPSULATED:
        msg = "BitsAllocated is 12, and pixels of 12 bits are packed in uncompressed files alone"
        _refuse(file, msg, "unsupported_pixel_format", "BitsAllocated")


def _refuse(file: FileHeader, text: str, code: str, keyword: str) -> NoReturn:
    raise UnsupportedError(text, code=code, path=file.path, element=element_name(keyword))


def _fail_invalid(file: FileHeader, keyword: str, number: int | None, allowed: str) -> NoReturn:
    msg = f"{keyword} is {number}, and possible are {allowed}"
    raise ParseError(msg, code="invalid_value", path=file.path, element=element_name(keyword))
