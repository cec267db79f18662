"""One large single-frame image: a digital mammogram."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalMammographyXRayImageStorageForProcessing

from benchmarks.datasets.attributes import ROOT, code
from benchmarks.datasets.cache import kept, made, versioned
from benchmarks.datasets.codestreams import UIDS, add_pixels
from benchmarks.datasets.ct import require
from benchmarks.datasets.phantom import breast

if TYPE_CHECKING:
    from pathlib import Path

MAMMOGRAM_SYNTAXES: Final = {
    name: UIDS[name] for name in ("native", "rle", "jpeg_lossless", "jpeg_ls", "jpeg_2000", "htj2k")
}
_PIXEL_MM: Final = 0.07
_ATTRIBUTES: Final = {
    "ImageType": ["ORIGINAL", "PRIMARY", ""],
    "SOPClassUID": DigitalMammographyXRayImageStorageForProcessing,
    "SOPInstanceUID": f"{ROOT}.20.1",
    "StudyDate": "20200101",
    "SeriesDate": "20200101",
    "AcquisitionDate": "20200101",
    "ContentDate": "20200101",
    "StudyTime": "120000",
    "ContentTime": "120100",
    "AccessionNumber": "",
    "Modality": "MG",
    "PresentationIntentType": "FOR PROCESSING",
    "Manufacturer": "torchdicom",
    "ManufacturerModelName": "phantom",
    "ReferringPhysicianName": "",
    "StudyDescription": "Generated mammogram",
    "PatientName": "Phantom",
    "PatientID": "PHANTOM",
    "PatientBirthDate": "",
    "PatientSex": "F",
    "BodyPartExamined": "BREAST",
    "KVP": 28,
    "DistanceSourceToDetector": 650,
    "DistanceSourceToPatient": 640,
    "ExposureTime": 1000,
    "XRayTubeCurrent": 80,
    "Exposure": 80,
    "FocalSpots": 0.3,
    "AnodeTargetMaterial": "TUNGSTEN",
    "BodyPartThickness": 50,
    "CompressionForce": 90,
    "FilterMaterial": "RHODIUM",
    "DetectorType": "DIRECT",
    "DetectorActiveTime": 1000,
    "FieldOfViewShape": "RECTANGLE",
    "ImagerPixelSpacing": [_PIXEL_MM, _PIXEL_MM],
    "PositionerType": "MAMMOGRAPHIC",
    "PositionerPrimaryAngle": 0,
    "ViewPosition": "CC",
    "OrganExposed": "BREAST",
    "StudyInstanceUID": f"{ROOT}.20.2",
    "SeriesInstanceUID": f"{ROOT}.20.3",
    "StudyID": "1",
    "SeriesNumber": 1,
    "InstanceNumber": 1,
    "PatientOrientation": ["A", "R"],
    "ImageLaterality": "L",
    "ImagesInAcquisition": 1,
    "SamplesPerPixel": 1,
    "PhotometricInterpretation": "MONOCHROME2",
    "BitsAllocated": 16,
    "BitsStored": 12,
    "HighBit": 11,
    "PixelRepresentation": 0,
    "QualityControlImage": "NO",
    "BurnedInAnnotation": "NO",
    "PixelIntensityRelationship": "LIN",
    "PixelIntensityRelationshipSign": -1,
    "WindowCenter": 1100,
    "WindowWidth": 2200,
    "LossyImageCompression": "00",
    "BreastImplantPresent": "NO",
    "PartialView": "NO",
}


def mammogram(syntax: str = "native", rows: int = 4096, columns: int = 3328) -> Path:
    """Make one digital mammogram (PS3.3 A.27), for processing: 12 of 16 bits, no slope.

    Compression, native to one: RLE 1.81, JPEG lossless 2.43, JPEG-LS 2.58, JPEG 2000 2.63, HTJ2K
    2.48.

    Args:
        syntax: A key of `MAMMOGRAM_SYNTAXES`.
        rows: Of the image.
        columns: Of the image.

    Returns:
        The folder with the one file, `truth` of shape (1, rows, columns).
    """
    require(syntax, MAMMOGRAM_SYNTAXES)
    shape = f"{rows}x{columns}"

    def values() -> np.ndarray:
        return breast(rows, columns).astype(np.float32)[np.newaxis]

    picture = kept(versioned(f"breast-{shape}"), values)

    def fill(folder: Path) -> None:
        cells = np.load(picture)[0].astype("<u2")
        ds = without_pixels(rows, columns)
        add_pixels(ds, syntax, cells)
        ds.save_as(folder / "MG00001.dcm", enforce_file_format=True)

    return made(f"mammogram-{shape}-{syntax}", fill, lambda: picture)


def without_pixels(rows: int, columns: int) -> Dataset:
    """The image but for its pixels and what they are coded in."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    for keyword, value in _ATTRIBUTES.items():
        setattr(ds, keyword, value)
    ds.Rows, ds.Columns = rows, columns
    ds.AcquisitionContextSequence = []
    ds.AnatomicRegionSequence = [code("76752008", "Breast", "SCT")]
    view = code("399162004", "cranio-caudal", "SCT")
    view.ViewModifierCodeSequence = []
    ds.ViewCodeSequence = [view]
    return ds
