"""One file of many frames: Enhanced CT with functional groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.tag import Tag
from pydicom.uid import UID, EnhancedCTImageStorage

from benchmarks.datasets.attributes import ROOT, SPACING_MM, STEP_MM, code, ct_slice, position
from benchmarks.datasets.cache import made
from benchmarks.datasets.codestreams import UIDS, add_encapsulated, encode
from benchmarks.datasets.ct import LOSSY, in_parallel, require
from benchmarks.datasets.phantom import CT_INTERCEPT, ct_cells, ct_truth

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

ENHANCED_SYNTAXES: Final = {name: uid for name, uid in UIDS.items() if name not in LOSSY}
_FRAME_TYPE: Final = ("ORIGINAL", "PRIMARY", "VOLUME", "NONE")
# A slice has these at its top level, and an enhanced image in its functional groups or not at all.
_MOVED: Final = (
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "SliceThickness",
    "SpacingBetweenSlices",
    "SliceLocation",
    "RescaleIntercept",
    "RescaleSlope",
    "RescaleType",
    "WindowCenter",
    "WindowWidth",
    "WindowCenterWidthExplanation",
    "PixelPaddingValue",
    "IrradiationEventUID",
)


def enhanced_ct(syntax: str = "native", frames: int = 300, size: int = 512) -> Path:
    """Make one Enhanced CT image (PS3.3 A.38) of the same phantom, frames in slice order.

    Compressed frames are found by the basic offset table. An extended one would exclude it (PS3.3
    C.7.6.3.1.8), and SimpleITK 2.5 and dicomsdl 0.109 read no file that has one.

    Args:
        syntax: A key of `ENHANCED_SYNTAXES`.
        frames: How many.
        size: Rows, and columns.

    Returns:
        The folder with the one file.
    """
    require(syntax, ENHANCED_SYNTAXES)

    def fill(folder: Path) -> None:
        ds = _image(frames, size)
        _add_frames(ds, syntax, ct_cells(frames, size))
        ds.save_as(folder / "CT00001.dcm", enforce_file_format=True)

    name = f"enhanced-ct-{frames}x{size}x{size}-{syntax}"
    return made(name, fill, lambda: ct_truth(frames, size))


def _add_frames(ds: Dataset, syntax: str, cells: np.ndarray) -> None:
    ds.file_meta.TransferSyntaxUID = UID(UIDS[syntax])
    if syntax in ("native", "deflated"):
        ds.add_new("PixelData", "OW", cells.tobytes())
        return
    coded = [b""] * len(cells)

    def write(index: int) -> None:
        coded[index] = encode(syntax, cells[index], ds.BitsStored)

    in_parallel(write, len(cells))
    add_encapsulated(ds, encapsulate(coded))


def _image(frames: int, size: int) -> Dataset:
    ds = ct_slice(0, size, size)
    for keyword in _MOVED:
        delattr(ds, keyword)
    ds.SOPClassUID = EnhancedCTImageStorage
    ds.SOPInstanceUID = UID(f"{ROOT}.30.1")
    ds.SeriesInstanceUID = f"{ROOT}.30.2"
    ds.ImageType = list(_FRAME_TYPE)
    ds.NumberOfFrames = frames
    ds.AcquisitionDateTime, ds.AcquisitionDuration = "20200101120100", 4.0
    ds.DeviceSerialNumber = "1"
    ds.PixelPresentation, ds.VolumetricProperties = "MONOCHROME", "VOLUME"
    ds.VolumeBasedCalculationTechnique = "NONE"
    ds.ContentQualification, ds.BurnedInAnnotation = "RESEARCH", "NO"
    ds.PresentationLUTShape = "IDENTITY"
    ds.AcquisitionContextSequence = []
    _add_dimensions(ds)
    ds.SharedFunctionalGroupsSequence = [_shared()]
    ds.PerFrameFunctionalGroupsSequence = [_of_frame(index, size) for index in range(frames)]
    return ds


def _add_dimensions(ds: Dataset) -> None:
    """Stack, and position in it: the order of the frames (PS3.3 C.7.6.17)."""
    organization = Dataset()
    organization.DimensionOrganizationUID = f"{ROOT}.30.3"
    ds.DimensionOrganizationSequence = [organization]
    ds.DimensionOrganizationType = "3D"
    ds.DimensionIndexSequence = []
    for pointer in ("StackID", "InStackPositionNumber"):
        index = Dataset()
        index.DimensionOrganizationUID = organization.DimensionOrganizationUID
        index.DimensionIndexPointer = Tag(pointer)
        index.FunctionalGroupPointer = Tag("FrameContentSequence")
        index.DimensionDescriptionLabel = pointer
        ds.DimensionIndexSequence.append(index)


def _shared() -> Dataset:
    measures = Dataset()
    measures.SliceThickness = measures.SpacingBetweenSlices = STEP_MM
    measures.PixelSpacing = [SPACING_MM, SPACING_MM]
    orientation = Dataset()
    orientation.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    rescale = Dataset()
    rescale.RescaleIntercept, rescale.RescaleSlope, rescale.RescaleType = CT_INTERCEPT, 1, "HU"
    window = Dataset()
    window.WindowCenter, window.WindowWidth = 40, 400
    kind = Dataset()
    kind.FrameType = list(_FRAME_TYPE)
    kind.PixelPresentation, kind.VolumetricProperties = "MONOCHROME", "VOLUME"
    kind.VolumeBasedCalculationTechnique = "NONE"
    anatomy = Dataset()
    anatomy.FrameLaterality = "U"
    anatomy.AnatomicRegionSequence = [code("43799004", "Thorax", "SCT")]
    event = Dataset()
    event.IrradiationEventUID = f"{ROOT}.5"
    shared = Dataset()
    shared.PixelMeasuresSequence = [measures]
    shared.PlaneOrientationSequence = [orientation]
    shared.PixelValueTransformationSequence = [rescale]
    shared.FrameVOILUTSequence = [window]
    shared.CTImageFrameTypeSequence = [kind]
    shared.FrameAnatomySequence = [anatomy]
    shared.IrradiationEventIdentificationSequence = [event]
    return shared


def _of_frame(index: int, size: int) -> Dataset:
    content = Dataset()
    content.StackID, content.InStackPositionNumber = "1", index + 1
    content.DimensionIndexValues = [1, index + 1]
    content.FrameAcquisitionNumber = 1
    content.FrameReferenceDateTime = content.FrameAcquisitionDateTime = "20200101120100"
    content.FrameAcquisitionDuration = 500.0
    plane = Dataset()
    plane.ImagePositionPatient = position(index, size)
    exposure = Dataset()
    exposure.ExposureTimeInms, exposure.XRayTubeCurrentInmA, exposure.ExposureInmAs = (
        500.0,
        200.0,
        100.0,
    )
    frame = Dataset()
    frame.FrameContentSequence = [content]
    frame.PlanePositionSequence = [plane]
    frame.CTExposureSequence = [exposure]
    return frame
