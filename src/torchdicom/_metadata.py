"""The technical attributes that `Volume.metadata` may hold, and how their values are typed."""

from __future__ import annotations

import math
import re
import warnings
from typing import TYPE_CHECKING, Literal

from torchdicom._errors import DicomWarning

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["text", "number"]

# An allow-list: nothing here is acted on by the confidentiality profiles of PS3.15 Annex E, UIDs
# aside, so that a volume can be logged or sent on without a second look.
METADATA: Mapping[str, tuple[int, Kind]] = {
    "TransferSyntaxUID": (0x0002_0010, "text"),
    "SOPClassUID": (0x0008_0016, "text"),
    "Modality": (0x0008_0060, "text"),
    "Manufacturer": (0x0008_0070, "text"),
    "ManufacturerModelName": (0x0008_1090, "text"),
    "AnatomicalOrientationType": (0x0010_2210, "text"),
    "BodyPartExamined": (0x0018_0015, "text"),
    "SliceThickness": (0x0018_0050, "number"),
    "KVP": (0x0018_0060, "number"),
    "RepetitionTime": (0x0018_0080, "number"),
    "EchoTime": (0x0018_0081, "number"),
    "MagneticFieldStrength": (0x0018_0087, "number"),
    "ConvolutionKernel": (0x0018_1210, "text"),
    "FlipAngle": (0x0018_1314, "number"),
    "PatientPosition": (0x0018_5100, "text"),
    "ViewPosition": (0x0018_5101, "text"),
    "SeriesInstanceUID": (0x0020_000E, "text"),
    "ImageLaterality": (0x0020_0062, "text"),
}

# PS3.5 6.2 pads text with a space and UIDs with NUL; real files mix the two.
PADDING = " \0"

# PS3.5 6.2, DS. Python's float() would also take "1_0", "nan" and digits of other scripts.
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")

# Defined terms of SpecificCharacterSet (PS3.3 C.12.1.1.2) and the codec that reads each.
_CODECS = {
    "ISO_IR 100": "iso8859-1",
    "ISO_IR 101": "iso8859-2",
    "ISO_IR 109": "iso8859-3",
    "ISO_IR 110": "iso8859-4",
    "ISO_IR 144": "iso8859-5",
    "ISO_IR 127": "iso8859-6",
    "ISO_IR 126": "iso8859-7",
    "ISO_IR 138": "iso8859-8",
    "ISO_IR 148": "iso8859-9",
    "ISO_IR 203": "iso8859-15",
    "ISO_IR 13": "shift_jis",
    "ISO_IR 166": "tis-620",
    "ISO_IR 192": "utf-8",
    "GB18030": "gb18030",
    "GBK": "gbk",
}


def parse_decimal(text: str) -> float | None:
    """The number that a decimal string (DS, PS3.5 6.2) stands for, or None where it is malformed.

    Args:
        text: One value, with or without its padding.

    Returns:
        The nearest double. A number too large or too small for one is malformed too: infinity
        and zero are not what was written.

    Example:
        >>> parse_decimal(" -1.5e2 ")
        -150.0
        >>> parse_decimal("1,5") is None
        True
    """
    stripped = text.strip(PADDING)
    if not _DECIMAL.fullmatch(stripped):
        return None
    number = float(stripped)
    mantissa = stripped.lower().partition("e")[0]
    if math.isinf(number) or (number == 0.0 and any(digit in mantissa for digit in "123456789")):
        return None
    return number


def typed_metadata(raw: Mapping[str, str], path: str) -> dict[str, object]:
    """The allow-listed attributes as text and numbers; what is absent or empty is left out.

    Args:
        raw: The value of each attribute by keyword, decoded, padding included.
        path: The file, for the warning.

    Returns:
        Stripped text, and numbers as float, in the order of `METADATA`. A malformed number is left
        out with a `DicomWarning`: it is not worth a volume that is right without it. A quadruped
        patient gets one too: its axes are others (PS3.3 C.7.6.2.1.1).
    """
    typed: dict[str, object] = {}
    for keyword, (tag, kind) in METADATA.items():
        text = raw.get(keyword, "").strip(PADDING)
        if not text:
            continue
        if kind == "text":
            typed[keyword] = text
            continue
        number = parse_decimal(text)
        if number is None:
            element = f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {keyword}"
            message = f"{element} of {path} is {text!r}, not a decimal number; it is left out"
            warnings.warn(message, DicomWarning, stacklevel=2)
            continue
        typed[keyword] = number
    if typed.get("AnatomicalOrientationType") == "QUADRUPED":
        message = (
            f"(0010,2210) AnatomicalOrientationType of {path} is QUADRUPED: the axes are those of "
            "an animal on four legs, and not left, posterior and superior of a person"
        )
        warnings.warn(message, DicomWarning, stacklevel=2)
    return typed


def decode_text(value: bytes, charset: str) -> str:
    r"""Text from its bytes, never failing: what cannot be read becomes U+FFFD.

    Args:
        value: The bytes of one element.
        charset: The value of SpecificCharacterSet (0008,0005); of several, as ISO 2022 has them,
            the first is used, which reads everything before the first escape sequence.

    Example:
        >>> decode_text(b"M\xfcnchen", "ISO_IR 100")
        'München'
    """
    first = charset.partition("\\")[0].strip(PADDING)
    codec = _CODECS.get(first.replace("ISO 2022 IR ", "ISO_IR "), "ascii")
    return value.decode(codec, errors="replace")
