"""The attributes of a CT slice, all those that a scanner writes: parsing costs what it costs."""

from __future__ import annotations

from typing import Final

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import PYDICOM_ROOT_UID, CTImageStorage

from benchmarks.datasets.phantom import CT_INTERCEPT

ROOT: Final = PYDICOM_ROOT_UID + "0"
SPACING_MM: Final = 0.7
STEP_MM: Final = 1.25
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
    "IrradiationEventUID": f"{ROOT}.5",
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


def ct_slice(index: int, rows: int, columns: int) -> Dataset:
    """One slice without its pixels: signed, 16 bits stored."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.SOPClassUID = CTImageStorage
    ds.SOPInstanceUID = f"{ROOT}.1.{index + 1}"
    ds.StudyDate, ds.StudyTime = "20200101", "120000"
    ds.AcquisitionDate, ds.AcquisitionTime = "20200101", "120100"
    ds.AccessionNumber = ""
    ds.Modality = "CT"
    ds.Manufacturer, ds.ManufacturerModelName = "torchdicom", "phantom"
    ds.SeriesDescription = "Generated CT, body with lungs"
    ds.PatientName, ds.PatientID = "Phantom", "PHANTOM"
    ds.PatientBirthDate = ds.PatientSex = ""
    ds.BodyPartExamined = "CHEST"
    ds.SliceThickness, ds.KVP = STEP_MM, 120
    ds.ExposureTime, ds.XRayTubeCurrent = 500, 200
    ds.ConvolutionKernel, ds.PatientPosition = "STANDARD", "HFS"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = f"{ROOT}.2", f"{ROOT}.3"
    ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = f"{ROOT}.4", ""
    ds.StudyID, ds.SeriesNumber, ds.InstanceNumber = "1", 2, index + 1
    ds.ImagePositionPatient = position(index, columns)
    ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = rows, columns
    ds.PixelSpacing = [SPACING_MM, SPACING_MM]
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    ds.WindowCenter, ds.WindowWidth = 40, 400
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = CT_INTERCEPT, 1, "HU"
    for keyword, value in _BALLAST.items():
        setattr(ds, keyword, value)
    ds.DeidentificationMethodCodeSequence = [
        code(value, "a de-identification option of PS3.15") for value in _DEIDENTIFICATION_CODES
    ]
    ds.private_block(0x0013, "GENERATED", create=True).add_new(0x10, "LO", "phantom series")
    return ds


def position(index: int, size: int) -> list[float]:
    """ImagePositionPatient of a slice: centred, and upwards along the z axis."""
    corner = round(-SPACING_MM * (size - 1) / 2, 3)
    return [corner, corner, index * STEP_MM]


def code(value: str, meaning: str, scheme: str = "DCM") -> Dataset:
    """A code sequence item (PS3.3 8.8)."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item
