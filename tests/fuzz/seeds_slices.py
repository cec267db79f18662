"""Seeds of files with several slices: enhanced images, doses, nuclear medicine, mosaics.

Small ones, so that a fuzzer gets to all of them; with tags of vendors, which headers share.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from builders import BIG, IMPLICIT, Element, ct_slice
from builders_enhanced import (
    ENHANCED_CT,
    ENHANCED_US,
    PARAMETRIC_MAP,
    PER_FRAME,
    SHARED,
    enhanced,
    group,
    real_world_map,
)
from builders_multiframe import GATED, STATIC, csa, dose, mosaic, nuclear
from builders_quantity import RESCALE, enhanced_pet, in_group, map_in, philips_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

FEW: dict[str, Any] = dict.fromkeys(
    ("SeriesDescription", "StudyInstanceUID", "FrameOfReferenceUID", "PatientName", "PatientID")
)
SIZE = np.zeros((1, 1), np.int16)
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
DAYS = ("20240310", "2024.03.10", "2024.0310", "20240230", "2024")
HOURS = ("120000.25", "12:00:00", "12:0000", "12", "25", "1260", "120000.", "120000.1234567")


def _enhanced(frames: int = 2, **options: Any) -> bytes:
    pixels = np.zeros((frames, 1, 1), np.int16)
    return enhanced(frames, pixels=pixels, **(FEW | options))


def groups() -> Iterator[bytes]:
    """Functional groups: each macro once, and counts and values that are wrong."""
    yield _enhanced(SOPClassUID=ENHANCED_CT, Modality="CT", shared={"RescaleSlope": 2})
    yield _enhanced(undefined=True, per_frame={"StackID": ["A", "B"]})
    yield _enhanced(syntax=IMPLICIT, shared={"FlipAngle": 9, "RepetitionTime": 8})
    yield _enhanced(syntax=BIG, shared={"EffectiveEchoTime": 4.5, "DiffusionBValue": 1e3})
    moments = ["20240310120000.5+0100", "20240310"]
    yield _enhanced(
        per_frame={
            "TemporalPositionIndex": [1, 2],
            "FrameAcquisitionNumber": [1, 2],
            "FrameAcquisitionDateTime": moments,
            "TemporalPositionTimeOffset": [0.5, float("inf")],
        }
    )
    yield _enhanced(
        per_frame={
            "NominalCardiacTriggerDelayTime": [1.5, 2.5],
            "NominalPercentageOfCardiacPhase": [0.5, float("nan")],
            "DiffusionBValue": [0, 1000],
            "DiffusionGradientOrientation": [(0, 0, 1), (0, float("nan"), 1)],
        }
    )
    yield _enhanced(shared={"MRFrameType": "A\\B\\P", "ComplexImageComponent": "PHASE"})
    yield _enhanced(
        shared={"WindowCenter": 4, "WindowWidth": 5, "VOILUTFunction": "LINEAR"},
        extra=[Element(0x00089208, "CS", "MAGNITUDE")],
    )
    yield _enhanced(
        shared={
            "RescaleIntercept": -1,
            "RescaleType": "US",
            "PixelPaddingValue": 7,
            "PixelPaddingRangeLimit": 9,
            "ReceiveCoilName": "HEAD",
            "ImagerPixelSpacing": (1, 1),
        }
    )
    places: dict[str, Sequence[Any]] = {"ImagePositionVolume": [(0, 0, 1), (0, 0, 2)]}
    yield _enhanced(
        SOPClassUID=ENHANCED_US,
        Modality="US",
        shared={"ImageOrientationVolume": (1, 0, 0, 0, 1, 0), "ImagePositionPatient": None},
        per_frame=places,
    )
    maps = {"RealWorldValueMappingSequence": [real_world_map(2, 1)]}
    yield _enhanced(SOPClassUID=PARAMETRIC_MAP, shared=maps)
    one = group({"ImagePositionPatient": (0, 0, 1)})
    counts: list[dict[str, Any]] = [
        {PER_FRAME: [one]},
        {PER_FRAME: None},
        {PER_FRAME: [one, []], SHARED: None},
    ]
    for given in counts:
        yield _enhanced(**given)
    yield _enhanced(shared={"DiffusionBValue": b"\0\0\0\0"})
    yield _enhanced(shared={"DiffusionGradientOrientation": 1.0})
    yield _enhanced(shared={"FlipAngle": "x"})
    segmentation = _enhanced(SOPClassUID=SEGMENTATION, Modality="SEG")
    yield segmentation
    yield b"\1" + segmentation[1:]  # read for a decode


def placed() -> Iterator[bytes]:
    """Doses and nuclear medicine, whose places follow from a rule."""
    axes: list[dict[str, Any]] = [
        {},
        {"offsets": ()},
        {"offsets": (0, 1)},
        {"offsets": (30, 33, 36)},
        {"offsets": (30, 33, 36), "ImageOrientationPatient": (1, 0, 0, 0, 0, -1)},
        {"offsets": (0, 3, 6), "ImageOrientationPatient": (0, 0, 0, 0, 0, 0)},
        {"ImagePositionPatient": None},
        {"DoseGridScaling": None},
        {"ImagePositionPatient": (0, 0, 1e308), "offsets": (0, 1e308, 1.5e308)},
    ]
    yield from (dose(3, **(FEW | one)) for one in axes)
    yield dose(1, **FEW)
    vectors: list[dict[str, Any]] = [
        {"SliceVector": (3, 1, 2), "DetectorVector": (1, 1, 1)},
        {"EnergyWindowVector": (1, 2, 2), "DetectorVector": (1, 2, 9)},
        {"RRIntervalVector": (1, 1, 2), "TimeSlotVector": (1, 2, 3), "ImageType": GATED},
        {"TimeSliceVector": (1, 2, 3), "ImageType": STATIC, "FrameTime": 30},
        {"FrameTimeVector": (0, 30, 30), "ImageType": STATIC},
        {"SpacingBetweenSlices": None},
        {"SliceVector": (1, 2)},
        {"DetectorInformationSequence": [], "ImagePositionPatient": (0, 0, 1)},
    ]
    yield from (nuclear(3, **(FEW | one)) for one in vectors)


def mosaics() -> Iterator[bytes]:
    """Siemens' headers, sound, cut off and with numbers that are wrong."""
    weighted: Mapping[str, tuple[str, Sequence[str]]] = {
        "B_value": ("IS", ["1000"]),
        "DiffusionGradientDirection": ("FD", ["0", "0", "1"]),
    }
    yield mosaic(3, times=(0, 30, 60), **FEW)
    yield mosaic(3, csa_tags=weighted, block=0x11, **FEW)
    yield mosaic(2, normal=(0, 0, 7), SpacingBetweenSlices=None, **FEW)
    yield mosaic(3, normal=None, ImagePositionPatient=None, **FEW)
    yield mosaic(3, csa_tags={"NumberOfImagesInMosaic": ("US", ["7"])}, **FEW)
    without: dict[str, tuple[str, Sequence[str]]] = {"NumberOfImagesInMosaic": ("US", [])}
    times = Element(0x00191029, "FD", struct.pack("<3d", 0, 30, 60))
    yield mosaic(3, csa_tags=without, number=3, extra=[times], **FEW)
    yield mosaic(3, csa_tags=without, **FEW)
    yield mosaic(3, csa_tags={"SliceNormalVector": ("FD", ["0", "x", "1"])}, **FEW)
    header = csa({"NumberOfImagesInMosaic": ("US", ["3"])})
    whole = mosaic(3, normal=None, **FEW)
    for end in (10, 16, 90, 100, 116):
        yield whole.replace(header, header[:end] + bytes(len(header) - end))
    yield whole.replace(header, header[:8] + b"\xff" * 8 + header[16:])
    yield whole.replace(header, header.replace(b"\2\0\0\0", b"\xff\xff\xff\x7f"))


def vendors() -> Iterator[bytes]:
    """Diffusion of each vendor, and the attributes of time."""

    def block(tag: int, creator: str, *elements: Element) -> list[Element]:
        return [Element(tag & 0xFFFF0000 | 0x10, "LO", creator), *elements]

    gradient = struct.pack("<3d", 0, 0.6, 0.8)
    philips = [Element(0x200510B0 + i, "FL", struct.pack("<f", i)) for i in range(3)]
    for private in (
        block(
            0x00190000,
            "SIEMENS MR HEADER",
            Element(0x0019100C, "IS", "1000"),
            Element(0x0019100E, "FD", gradient),
        ),
        block(0x00190000, "SIEMENS MR HEADER", Element(0x0019100C, "IS", "x")),
        block(0x00190000, "ACME", Element(0x0019100C, "IS", "1000")),
        [
            *block(0x20010000, "Philips Imaging DD 001", Element(0x20011003, "FL", b"\0\0\x80?")),
            *block(0x20050000, "Philips MR Imaging DD 001", *philips),
        ],
        block(0x00430000, "GEMS_PARM_01", Element(0x00431039, "IS", "1000001000\\8\\0\\0")),
    ):
        yield ct_slice(SIZE, extra=private, **FEW)
    own = [
        Element(0x00189087, "FD", struct.pack("<d", 500)),
        Element(0x00189089, "FD", gradient),
    ]
    numbers: dict[str, Any] = {
        "TemporalPositionIdentifier": 2,
        "TriggerTime": 1.5,
        "FrameReferenceTime": 3,
        "AcquisitionNumber": 4,
        "SpacingBetweenSlices": 5,
    }
    yield ct_slice(SIZE, extra=own, **FEW, **numbers)
    part = [Element(0x00209161, "UI", "1.2.9"), Element(0x00209163, "US", 2)]
    yield ct_slice(SIZE, extra=part, **FEW)
    for day in DAYS:
        yield ct_slice(SIZE, AcquisitionDate=day, AcquisitionTime="120000", **FEW)
        yield ct_slice(SIZE, AcquisitionDateTime=f"{day}120000-0500", **FEW)
    for hour in HOURS:
        yield ct_slice(SIZE, AcquisitionTime=hour, **FEW)


def quantities() -> Iterator[bytes]:
    """What SUV of enhanced PET and Philips' values of enhanced MR follow from."""
    yield enhanced_pet(options=FEW)
    yield enhanced_pet(options=FEW, TimezoneOffsetFromUTC="+0100", PatientWeight="70 ")
    yield enhanced_pet(options=FEW, DecayCorrectionDateTime="20240310112000+0100")
    yield enhanced_pet(options=FEW, shared={**RESCALE, "RescaleType": "GML"}, SUVType="BW")
    maps = [map_in("Bq/ml", 976.5625)]
    yield enhanced_pet(options=FEW, shared={"RealWorldValueMappingSequence": maps})
    yield philips_file([in_group(0.25), in_group(0.5, 100.0)], **FEW)
    yield philips_file([in_group(0.5), []], in_group(0.25, undefined=True), **FEW)


def slices() -> Iterator[bytes]:
    """All of them."""
    yield from groups()
    yield from placed()
    yield from mosaics()
    yield from vendors()
    yield from quantities()
