"""PET whose SUV are known: as written here, stored value k is an SUV of k.

65.536 kg and 2^27 Bq, half of which is left after 6000 s, are 2^16 g / 2^26 Bq; the slope is 2^10.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from builders import PET_IMAGE, Cells, Element, ct_slice, sequence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from builders import Syntax

ABSENT: Final = None

# (0010,1030) and so on, by keyword.
OF_IMAGE: Final = {
    "SeriesDate": (0x00080021, "DA"),
    "AcquisitionDate": (0x00080022, "DA"),
    "SeriesTime": (0x00080031, "TM"),
    "AcquisitionTime": (0x00080032, "TM"),
    "TimezoneOffsetFromUTC": (0x00080201, "SH"),
    "PatientWeight": (0x00101030, "DS"),
    "CorrectedImage": (0x00280051, "CS"),
    "SUVType": (0x00541006, "CS"),
    "DecayCorrection": (0x00541102, "CS"),
}
OF_DOSE: Final = {
    "RadiopharmaceuticalStartTime": (0x00181072, "TM"),
    "RadionuclideTotalDose": (0x00181074, "DS"),
    "RadionuclideHalfLife": (0x00181075, "DS"),
    "RadiopharmaceuticalStartDateTime": (0x00181078, "DT"),
}
NAMES: Final = {
    keyword: f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {keyword}"
    for keyword, (tag, _) in {**OF_IMAGE, **OF_DOSE, "Units": (0x00541001, "CS")}.items()
}
PET: Final[dict[str, Any]] = {
    "SeriesDate": "20240310",
    "AcquisitionDate": "20240310",
    "SeriesTime": "120000",
    "AcquisitionTime": "120005.5",
    "PatientWeight": "65.536",
    "CorrectedImage": "DECY\\ATTN\\SCAT",
    "DecayCorrection": "START",
    "RadiopharmaceuticalStartTime": "102000.00",
    "RadionuclideTotalDose": "134217728",
    "RadionuclideHalfLife": "6000",
}
_CLASSIC: Final[dict[str, Any]] = {
    "SOPClassUID": PET_IMAGE,
    "Modality": "PT",
    "Units": "BQML",
    "RescaleSlope": 1024,
    "RescaleIntercept": 0,
}


def private(group: int, creator: str, number: int, vr: str, value: Any, block: int = 0x10) -> Any:
    """An element of a vendor, behind the one that says whose it is (PS3.5 7.8.1)."""
    tag = group << 16 | block << 8 | number
    return [Element(group << 16 | block, "LO", creator), Element(tag, vr, value)]


def ge_scan(value: str, block: int = 0x10) -> list[Element]:
    """When GE says that the scan began."""
    found: list[Element] = private(0x0009, "GEMS_PETD_01", 0x0D, "DT", value, block)
    return found


def philips_factor(value: str, block: int = 0x10) -> list[Element]:
    """What Philips says that counts are to be multiplied by."""
    creator = "Philips PET Private Group"
    found: list[Element] = private(0x7053, creator, 0x00, "DS", value, block)
    return found


def scale_slope(value: Any, vr: str = "FL", block: int = 0x10) -> list[Element]:
    """What Philips says that values are to be divided by, besides the slope."""
    found: list[Element] = private(0x2005, "Philips MR Imaging DD 001", 0x0E, vr, value, block)
    return found


def pet_slice(
    pixels: Cells | None = None,
    *,
    extra: Sequence[Element] = (),
    doses: Sequence[Mapping[str, Any]] | None = None,
    syntax: Syntax | None = None,
    **attributes: Any,
) -> bytes:
    """One file.

    Args:
        pixels: As in `ct_slice`.
        extra: More elements.
        doses: The radiopharmaceuticals; None for the one that `attributes` tell of.
        syntax: As in `ct_slice`.
        **attributes: Values by keyword, those of the radiopharmaceutical too; None leaves one out.
    """
    values = {**PET, **_CLASSIC, **attributes}
    of_dose = {keyword: values.pop(keyword, None) for keyword in OF_DOSE}
    items = [_elements(one, OF_DOSE) for one in ([of_dose] if doses is None else doses)]
    elements = _elements({k: values.pop(k, None) for k in OF_IMAGE}, OF_IMAGE)
    if items:
        elements.append(sequence(0x00540016, *items, undefined=len(items) > 1))
    options: dict[str, Any] = {} if syntax is None else {"syntax": syntax}
    return ct_slice(pixels, extra=[*elements, *extra], **options, **values)


def write_pet(folder: Path, n: int, **attributes: Any) -> list[Path]:
    """Slices 2.5 mm apart; a list among the attributes has one value for each."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for i in range(n):
        values = {k: v[i] if isinstance(v, list) else v for k, v in attributes.items()}
        place = {"ImagePositionPatient": (0, 0, 2.5 * i), "SOPInstanceUID": f"1.2.3.4.{i + 1}"}
        paths.append(folder / f"{i:04}.dcm")
        paths[-1].write_bytes(pet_slice(**{**place, "InstanceNumber": i + 1, **values}))
    return paths


def _elements(values: Mapping[str, Any], table: Mapping[str, tuple[int, str]]) -> list[Element]:
    return [Element(*table[k], v) for k, v in values.items() if v is not None]
