"""What a pixel looks like, and whether it can be decoded (PS3.3 C.7.6.3.1, PS3.5 8.1.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdicom._errors import ParseError, UnsupportedError
from torchdicom._reference._codecs import ENCAPSULATED, NATIVE
from torchdicom._reference._tags import TAGS, element_name

if TYPE_CHECKING:
    from torchdicom._reference._header import FileHeader


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """The pixel description of PS3.3 C.7.6.3.1, for one sample a pixel."""

    rows: int
    columns: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    is_signed: bool

    @property
    def bytes_per_sample(self) -> int:
        """Size of a cell."""
        return self.bits_allocated // 8


def pixel_format(file: FileHeader) -> PixelFormat:
    """The pixel format of a file, where this version can decode it.

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
        raise _unsupported(file, msg, "unsupported_transfer_syntax", "TransferSyntaxUID")
    if pixels.tag != TAGS["PixelData"]:
        msg = "Floating point pixel data is not supported"
        raise _unsupported(file, msg, "unsupported_pixel_format", pixels.tag)
    if header.samples_per_pixel != 1:
        msg = f"SamplesPerPixel is {header.samples_per_pixel}, and only 1 is supported"
        raise _unsupported(file, msg, "unsupported_photometric", "SamplesPerPixel")
    if header.photometric_interpretation not in {None, "MONOCHROME1", "MONOCHROME2"}:
        msg = f"PhotometricInterpretation {header.photometric_interpretation} is not supported"
        raise _unsupported(file, msg, "unsupported_photometric", "PhotometricInterpretation")
    return _checked_bits(file)


def _checked_bits(file: FileHeader) -> PixelFormat:
    """The width, place and sign of the stored bits in their cell (PS3.5 8.1.1)."""
    header = file.header
    allocated = header.bits_allocated or 0
    stored = allocated if header.bits_stored is None else header.bits_stored
    high = stored - 1 if header.high_bit is None else header.high_bit
    if allocated not in {8, 16, 32}:
        msg = f"BitsAllocated is {allocated}, and 8, 16 and 32 are supported"
        raise _unsupported(file, msg, "unsupported_pixel_format", "BitsAllocated")
    if not 1 <= stored <= allocated:
        raise _invalid(file, "BitsStored", stored, f"1 to {allocated}")
    if not stored - 1 <= high < allocated:
        raise _invalid(file, "HighBit", high, f"{stored - 1} to {allocated - 1}")
    sign = file.pixel_representation
    if sign is None:
        msg = "There is pixel data, but no PixelRepresentation"
        element = element_name("PixelRepresentation")
        raise ParseError(msg, code="missing_element", path=file.path, element=element)
    if sign > 1:
        raise _invalid(file, "PixelRepresentation", sign, "0 and 1")
    return PixelFormat(
        rows=header.rows or 0,
        columns=header.columns or 0,
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=high,
        is_signed=sign == 1,
    )


def _unsupported(file: FileHeader, text: str, code: str, tag: int | str) -> UnsupportedError:
    return UnsupportedError(text, code=code, path=file.path, element=element_name(tag))


def _invalid(file: FileHeader, keyword: str, number: int | None, allowed: str) -> ParseError:
    msg = f"{keyword} is {number}, and {allowed} are possible"
    return ParseError(msg, code="invalid_value", path=file.path, element=element_name(keyword))
