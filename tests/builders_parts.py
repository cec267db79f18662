"""Series of several parts, and their keys as the contract of the index defines them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from builders import CT_IMAGE, Cells, write_series

if TYPE_CHECKING:
    from pathlib import Path

UID = "1.2.3.4"  # the SeriesInstanceUID of every slice of `builders`
AXIAL, CORONAL = (1, 0, 0, 0, 1, 0), (1, 0, 0, 0, 0, -1)
LOCALIZER = "ORIGINAL\\PRIMARY\\LOCALIZER"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
DX_IMAGE = "1.2.840.10008.5.1.4.1.1.1.1"

# What splits a series, in the order of its key, as a slice of `builders` has it.
SPLITTING = {
    "SOPClassUID": CT_IMAGE,
    "Modality": "CT",
    "ImageType": "ORIGINAL",
    "component": "",
    "localizer": "",
    "EchoTime": "",
    "RepetitionTime": "",
    "FlipAngle": "",
    "EchoNumbers": "",
    "ReceiveCoilName": "",
    "kind": "volume",
    "size": "3x4",
    "PixelSpacing": "0.5\\0.25",
    "format": "16/16/15/s/1/MONOCHROME2",
    "units": "HU/slope/intercept",
    "orientation": "1.000\\0.000\\0.000\\0.000\\1.000\\0.000",
    "SOPInstanceUID": "",
    "StackID": "",
}
SCOUT = {
    "localizer": "localizer",
    "kind": "localizer",
    "orientation": "1.000\\0.000\\0.000\\0.000\\0.000\\-1.000",
}


def part_key(differs: dict[str, str] | None = None, uid: str = UID) -> str:
    """The key of a part of a split series: FNV-1a of 64 bits, folded to 32, over its texts."""
    texts = SPLITTING | (differs or {})
    if texts.keys() != SPLITTING.keys():
        msg = f"no such text: {texts.keys() - SPLITTING.keys()}"
        raise ValueError(msg)
    number = 14695981039346656037
    if not texts["StackID"]:
        texts.pop("StackID")  # keys of classic series are older than it
    for byte in "|".join(texts.values()).encode():
        number = (number ^ byte) * 1099511628211 % (1 << 64)
    return f"{uid}#{number >> 32 ^ number & 0xFFFFFFFF:08x}"


def keys_in(error: BaseException) -> list[str]:
    """The keys that an error lists to be pasted, in its order."""
    return re.findall(r'series="([^"]*)"', str(error))


def flat(value: int) -> Cells:
    """3 rows, 4 columns of one value."""
    return np.full((3, 4), value, np.int16)


def write_more(folder: Path, first: int, n: int, **attributes: Any) -> list[Path]:
    """More slices beside others: their numbers, names and values go on from `first`.

    They lie where slices 0 to n - 1 lie unless the attributes say otherwise.
    """
    numbers = range(first, first + n)
    values: dict[str, Any] = {
        "names": [f"{k:04}.dcm" for k in numbers],
        "SOPInstanceUID": [f"1.2.3.4.{k + 1}" for k in numbers],
        "InstanceNumber": [k + 1 for k in numbers],
        "pixels": [flat(100 * k) for k in numbers],
    }
    return write_series(folder, n, **(values | attributes))


def write_scout(folder: Path, name: str = "scout.dcm", **attributes: Any) -> Path:
    """A coronal localizer of the same SeriesInstanceUID."""
    values: dict[str, Any] = {
        "ImageType": LOCALIZER,
        "ImageOrientationPatient": CORONAL,
        "ImagePositionPatient": (0, 0, 0),
        "SOPInstanceUID": "1.2.3.4.777",
        "SliceThickness": 2,
    }
    (path,) = write_series(folder, 1, names=[name], pixels=[flat(777)], **(values | attributes))
    return path
