"""Series that are made, not downloaded: the same bytes on every machine."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import PYDICOM_ROOT_UID, CTImageStorage, ExplicitVRLittleEndian

CACHE: Final = Path(__file__).resolve().parent.parent / "build" / "datasets"
_VERSION: Final = 3  # goes up when the bytes change, so that no old copy is measured
_ROOT: Final = PYDICOM_ROOT_UID + "0"
_SPACING_MM: Final = 0.7
_STEP_MM: Final = 1.25
# What a CT scanner writes and no loader needs (PS3.3 A.3): every reader has to get past it. With
# the rest a little less than a CT series of TCIA's CMB-CRC has, which is 97 elements at the top
# level, 123 in all, and 3,000 bytes before the pixels.
_BALLAST: Final = {
    "InstanceCreationDate": "20200101",
    "InstanceCreationTime": "120000",
    "SeriesDate": "20200101",
    "ContentDate": "20200101",
    "SeriesTime": "120000",
    "ContentTime": "120100",
    "ReferringPhysicianName": "",
    "StudyDescription": "Phantom",
    "DerivationDescription": "",
    "IrradiationEventUID": f"{_ROOT}.5",
    "PatientAge": "",
    "ClinicalTrialTimePointID": "1",
    "ClinicalTrialTimePointDescription": "days after nothing at all",
    "LongitudinalTemporalOffsetFromEvent": 12.0,
    "LongitudinalTemporalEventType": "ENROLLMENT",
    "PatientIdentityRemoved": "YES",
    "DeidentificationMethod": "none needed: generated",
    "ContrastBolusAgent": "",
    "ScanOptions": "HELICAL MODE",
    "SpacingBetweenSlices": "1.25",
    "DataCollectionDiameter": "500.0",
    "SoftwareVersions": "generated",
    "ProtocolName": "chest, thin slices",
    "ContrastBolusRoute": "",
    "ReconstructionDiameter": "358.4",
    "DistanceSourceToDetector": "949.075",
    "DistanceSourceToPatient": "541.0",
    "GantryDetectorTilt": "0.0",
    "TableHeight": "150.0",
    "RotationDirection": "CW",
    "Exposure": 100,
    "FilterType": "BODY FILTER",
    "GeneratorPower": 24000,
    "FocalSpots": "1.2",
    "RevolutionTime": 0.5,
    "SingleCollimationWidth": 0.625,
    "TotalCollimationWidth": 40.0,
    "TableSpeed": 78.75,
    "TableFeedPerRotation": 39.375,
    "SpiralPitchFactor": 0.984375,
    "AcquisitionNumber": 1,
    "SliceLocation": "0.0",
    "PixelPaddingValue": -2000,
    "WindowCenterWidthExplanation": "SOFT TISSUE",
    "LossyImageCompression": "00",
}
_DEIDENTIFICATION_CODES: Final = ("113100", "113101", "113105", "113107", "113108", "113109")
_NOISE_HU: Final = 16.0  # gives the 2.5:1 of lossless codecs on real CT


def ct_series(slices: int = 300, size: int = 512) -> Path:
    """Make a CT series of signed 16-bit slices, explicit little endian, with shuffled file names.

    Args:
        slices: How many.
        size: Rows, and columns.

    Returns:
        The folder. It is made once and then found again.
    """
    folder = CACHE / f"ct-{slices}x{size}x{size}-v{_VERSION}"
    if folder.is_dir():
        return folder
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    random = np.random.default_rng(20)
    names = random.permutation(slices)
    for index, name in enumerate(names.tolist()):
        stored = _phantom(random, index / slices, size)
        _data_set(index, stored).save_as(partial / f"IM{name:05d}.dcm", enforce_file_format=True)
    # The last step, so that a folder of that name is always whole.
    partial.rename(folder)
    return folder


def _phantom(random: np.random.Generator, height: float, size: int) -> np.ndarray:
    """A body with two lungs and a spine in air, with noise everywhere: stored values."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    hounsfield = np.full((size, size), -1000.0)
    hounsfield[(x / 0.85) ** 2 + (y / 0.6) ** 2 < 1] = 40.0
    lung = 0.3 * np.sin(np.pi * height) + 0.01
    for side in (-0.4, 0.4):
        hounsfield[((x - side) / lung) ** 2 + (y / (1.3 * lung)) ** 2 < 1] = -850.0
    hounsfield[x**2 + (y - 0.4) ** 2 < 0.08**2] = 600.0
    hounsfield += random.normal(scale=_NOISE_HU, size=hounsfield.shape)
    # Scanners store unsigned-looking values with intercept -1024; air goes no lower.
    stored: np.ndarray = np.clip(np.rint(hounsfield) + 1024, 0, 4095).astype("<i2")
    return stored


def _data_set(index: int, stored: np.ndarray) -> Dataset:
    """One slice with the attributes that a scanner writes, so that parsing costs what it costs."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.SOPClassUID = CTImageStorage
    ds.SOPInstanceUID = f"{_ROOT}.1.{index + 1}"
    ds.StudyDate, ds.StudyTime = "20200101", "120000"
    ds.AcquisitionDate, ds.AcquisitionTime = "20200101", "120100"
    ds.AccessionNumber = ""
    ds.Modality = "CT"
    ds.Manufacturer, ds.ManufacturerModelName = "torchdicom", "phantom"
    ds.SeriesDescription = "Generated CT, body with lungs"
    ds.PatientName, ds.PatientID = "Phantom", "PHANTOM"
    ds.PatientBirthDate = ds.PatientSex = ""
    ds.BodyPartExamined = "CHEST"
    ds.SliceThickness, ds.KVP = _STEP_MM, 120
    ds.ExposureTime, ds.XRayTubeCurrent = 500, 200
    ds.ConvolutionKernel, ds.PatientPosition = "STANDARD", "HFS"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = f"{_ROOT}.2", f"{_ROOT}.3"
    ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = f"{_ROOT}.4", ""
    ds.StudyID, ds.SeriesNumber, ds.InstanceNumber = "1", 2, index + 1
    rows, columns = stored.shape
    corner = -_SPACING_MM * (columns - 1) / 2
    ds.ImagePositionPatient = [round(corner, 3), round(corner, 3), index * _STEP_MM]
    ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = rows, columns
    ds.PixelSpacing = [_SPACING_MM, _SPACING_MM]
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    ds.WindowCenter, ds.WindowWidth = 40, 400
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = -1024, 1, "HU"
    for keyword, value in _BALLAST.items():
        setattr(ds, keyword, value)
    ds.DeidentificationMethodCodeSequence = [_code(value) for value in _DEIDENTIFICATION_CODES]
    ds.private_block(0x0013, "GENERATED", create=True).add_new(0x10, "LO", "phantom series")
    ds.add_new("PixelData", "OW", stored.tobytes())
    return ds


def _code(value: str) -> Dataset:
    """A code sequence item (PS3.3 8.8)."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator = value, "DCM"
    item.CodeMeaning = "a de-identification option of PS3.15"
    return item
