"""What one file is: a slice of a volume, an image, a cine loop, a localizer; and its unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from torchdicom._reference._header import FileHeader

Kind: TypeAlias = Literal["volume", "dose", "image", "cine", "localizer", "other"]

# Segmentations, labels and slide tiles (PS3.4 B.5): pixels that are no image of a volume.
SEGMENTATIONS: Final = frozenset({"1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"})
OTHER_CLASSES: Final = SEGMENTATIONS | {"1.2.840.10008.5.1.4.1.1.77.1.6"}
# Each may be fragmentable, ".1".
_VIDEO: Final = frozenset(
    f"1.2.840.10008.1.2.4.{number}{suffix}" for number in range(100, 109) for suffix in ("", ".1")
)
_SECONDARY_CAPTURE: Final = "1.2.840.10008.5.1.4.1.1.7"

# What makes slices: without a position they are slices all the same, of de-identified files.
_SLICED: Final = frozenset({"CT", "MR", "PT", "NM"})

# PS3.3 C.11.1.1.2; "US" (unspecified) is the one that is no unit.
_RESCALE_TYPES: Final = frozenset({"HU", "OD", "MGML", "Z_EFF", "ED", "EDW", "HU_MOD", "PCT"})


def kind_of(file: FileHeader) -> Kind:
    """The kind of series that a file belongs to."""
    header, sop_class = file.header, file.raw["SOPClassUID"]
    is_sliced = file.raw["Modality"] in _SLICED
    if sop_class in OTHER_CLASSES or header.transfer_syntax_uid in _VIDEO:
        return "other"
    if file.form == "dose":
        return "dose"
    if "LOCALIZER" in file.image_type:
        return "localizer"
    if file.frame is not None:
        return _kind_of_frame(file)
    if header.number_of_frames > 1:
        is_placed = file.frame_wise is not None or bool(header.image_position_patient)
        return "volume" if is_placed or is_sliced else "cine"
    is_placed = bool(header.image_position_patient and header.image_orientation_patient)
    is_slice = is_sliced and sop_class != _SECONDARY_CAPTURE
    return "volume" if is_placed or is_slice else "image"


def _kind_of_frame(file: FileHeader) -> Kind:
    header = file.header
    is_placed = bool(header.image_position_patient and header.image_orientation_patient)
    is_slice = file.raw["Modality"] in _SLICED and not is_projection(file)
    if is_placed or is_slice:
        return "volume"
    return "cine" if header.number_of_frames > 1 else "image"


def is_projection(file: FileHeader) -> bool:
    """Whether a frame of nuclear medicine is no slice (PS3.3 C.8.4.9.1.1)."""
    return file.raw["Modality"] == "NM" and "RECON" not in "".join(file.image_type[2:3])


def units(file: FileHeader) -> str | None:
    """The unit of the modality values of a file (PS3.3 C.11.1.1.2, C.8.9.1)."""
    header = file.header
    if header.rescale_slope is None and header.rescale_intercept is None:
        return None
    if file.form == "dose":
        return "GY" if header.rescale_type == "GY" else None
    if header.modality == "PT":
        # Of enhanced PET the functional groups say it; "US" is unspecified.
        of_frame = header.rescale_type if file.form == "enhanced" else None
        return header.units or (None if of_frame == "US" else of_frame)
    if header.modality == "CT" and header.rescale_type is None:
        return "HU"
    return header.rescale_type if header.rescale_type in _RESCALE_TYPES else None
