"""Frames in every compressed syntax with next to no header, to time their decoders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
)

from benchmarks.datasets.attributes import ROOT
from benchmarks.datasets.cache import made
from benchmarks.datasets.codestreams import UIDS, add_encapsulated, encode
from benchmarks.datasets.ct import in_parallel, require
from benchmarks.datasets.phantom import breast, ct_cells

if TYPE_CHECKING:
    from pathlib import Path

Picture = Literal["CT", "MG"]
CODEC_SYNTAXES: Final = {
    name: UIDS[name]
    for name in ("deflated", "rle", "jpeg_lossless", "jpeg_ls", "jpeg_2000", "htj2k", "jpeg_8bit")
}
# Of 8-bit JPEG, in stored units: what a right decoder may be off, in the mean and at most.
CODEC_TOLERANCE: Final = (0.8, 14.0)
_SIZES: dict[Picture, tuple[int, int, int]] = {"CT": (20, 512, 512), "MG": (1, 4096, 3328)}
_PHANTOM_BITS: Final = 12
_ATTRIBUTES: Final = {
    "StudyDate": "",
    "StudyTime": "",
    "AccessionNumber": "",
    "Modality": "OT",
    "ConversionType": "SYN",
    "ReferringPhysicianName": "",
    "PatientName": "Phantom",
    "PatientID": "PHANTOM",
    "PatientBirthDate": "",
    "PatientSex": "O",
    "StudyInstanceUID": f"{ROOT}.40.1",
    "StudyID": "1",
    "SeriesNumber": 1,
    "InstanceNumber": 1,
    "PatientOrientation": "",
    "SamplesPerPixel": 1,
    "PhotometricInterpretation": "MONOCHROME2",
    "BurnedInAnnotation": "NO",
}


def codec_frames(syntax: str, picture: Picture, frames: int | None = None) -> Path:
    """Make one multi-frame secondary capture (PS3.3 A.8.4): 20 CT slices, or one mammogram.

    CT: 512x512, signed, 16 bits stored. MG: 4096x3328, unsigned, 12 bits. 8-bit JPEG has the upper
    8 of the 12 bits of both.

    Args:
        syntax: A key of `CODEC_SYNTAXES`.
        picture: Which.
        frames: The first so many of them, or all.

    Returns:
        The folder with the one file; `truth` has the stored values (frames, rows, columns).
    """
    require(syntax, CODEC_SYNTAXES)

    def fill(folder: Path) -> None:
        cells, bits = _cells(syntax, picture, frames)
        ds = _image(cells, bits)
        ds.file_meta.TransferSyntaxUID = UID(UIDS[syntax])
        if syntax == "deflated":
            ds.add_new("PixelData", "OW", cells.tobytes())
        else:
            _add_encoded(ds, syntax, cells, bits)
        ds.save_as(folder / "SC00001.dcm", enforce_file_format=True)

    part = "" if frames is None else f"-{frames}"
    name = f"codec-{picture}-{syntax}{part}"
    return made(name, fill, lambda: _cells(syntax, picture, frames)[0])


def _cells(syntax: str, picture: Picture, wanted: int | None) -> tuple[np.ndarray, int]:
    """Stored values and BitsStored."""
    frames, rows, columns = _SIZES[picture]
    cells, bits = (
        (ct_cells(frames, rows), 16) if picture == "CT" else (breast(rows, columns)[None], 12)
    )
    cells = cells[:wanted]
    if syntax == "jpeg_8bit":
        return (cells >> (_PHANTOM_BITS - 8)).astype(np.uint8), 8
    return np.ascontiguousarray(cells.astype("<i2" if picture == "CT" else "<u2")), bits


def _add_encoded(ds: Dataset, syntax: str, cells: np.ndarray, bits: int) -> None:
    coded = [b""] * len(cells)

    def write(index: int) -> None:
        coded[index] = encode(syntax, cells[index], bits)

    in_parallel(write, len(cells))
    add_encapsulated(ds, encapsulate(coded))


def _image(cells: np.ndarray, bits: int) -> Dataset:
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    for keyword, value in _ATTRIBUTES.items():
        setattr(ds, keyword, value)
    ds.SOPClassUID = (
        MultiFrameGrayscaleByteSecondaryCaptureImageStorage
        if bits == 8
        else MultiFrameGrayscaleWordSecondaryCaptureImageStorage
    )
    ds.SOPInstanceUID, ds.SeriesInstanceUID = f"{ROOT}.40.2.{bits}", f"{ROOT}.40.3.{bits}"
    ds.NumberOfFrames, ds.Rows, ds.Columns = cells.shape
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 8 * cells.dtype.itemsize, bits, bits - 1
    ds.PixelRepresentation = int(cells.dtype.kind == "i")
    return ds
