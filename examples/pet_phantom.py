"""PET series whose uptake is known, for the examples: generated, so that nothing is downloaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dicom_file import write_dicom

if TYPE_CHECKING:
    from pathlib import Path

_PET: Final = "1.2.840.10008.5.1.4.1.1.128"
_UID: Final = "1.2.826.0.1.3680043.8.498.3"  # UIDs below it are for tests
_SHAPE: Final = (20, 32, 32)
_LESION: Final = (12, 10, 21)  # z, y, x: 84 mm to the left, 40 to the back, 48 up
_BODY_SUV, _LESION_SUV = 1, 8
# 70 kg and 140 MBq, half of which is left at the start of the scan: SUV 1 is 1000 Bq/ml.
_DOSE: Final[dict[str, Any]] = {
    "RadiopharmaceuticalStartTime": "100000",
    "RadionuclideTotalDose": 140_000_000,
    "RadionuclideHalfLife": 6600,
}
_OF_SCAN: Final[dict[str, Any]] = {
    "SeriesDate": "20240310",
    "AcquisitionDate": "20240310",
    "SeriesTime": "115000",
    "AcquisitionTime": "115000",
    "PatientWeight": 70,
    "CorrectedImage": ("ATTN", "DECY"),
    "Units": "BQML",
    "DecayCorrection": "START",
    "RadiopharmaceuticalInformationSequence": _DOSE,
}


def pet_series(folder: Path, *, count: int = 2) -> None:
    """Bodies of SUV 1 with a lesion of SUV 8 at 84, 40, 48 mm in LPS; a slope for each slice."""
    z, y, x = np.indices(_SHAPE)
    suv = _BODY_SUV * ((y - 15.5) ** 2 + (x - 15.5) ** 2 < 14**2)
    near = (z - _LESION[0]) ** 2 + (y - _LESION[1]) ** 2 + (x - _LESION[2]) ** 2
    suv = np.where(near < 2**2, 2 + (_LESION_SUV - 2) * (near == 0), suv)
    for number in range(count):
        for k, plane in enumerate(suv):
            slope = 0.25 * (k + 1)
            write_dicom(
                folder / str(number) / f"{k:03}.dcm",
                (plane * 1000 / slope).round().astype(np.int16),
                SOPClassUID=_PET,
                SOPInstanceUID=f"{_UID}.{number + 1}.{k + 1}",
                SeriesInstanceUID=f"{_UID}.{number + 1}",
                Modality="PT",
                InstanceNumber=k + 1,
                ImagePositionPatient=(0, 0, 4 * k),
                ImageOrientationPatient=(1, 0, 0, 0, 1, 0),
                PixelSpacing=(4, 4),
                RescaleIntercept=0,
                RescaleSlope=slope,
                **_OF_SCAN,
            )
