"""What is damaged of what a file says of its slices is an error, whether a frame uses it or not.

Another frame, or another attribute that counts more, is no reason to trust the rest of the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from torchdicom._reference._groups import ALL_MACROS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torchdicom._reference._values import Values

_GROUPS: Final = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")


def _each(read: Callable[[Values, str], object], names: str) -> dict[str, Callable[..., object]]:
    return dict.fromkeys(names.split(), read)


# How each attribute of a macro is read.
_IN_MACROS: Final[Mapping[str, Callable[[Values, str], object]]] = {
    **_each(
        lambda values, name: values.raw(name),
        """RescaleType ReceiveCoilName StackID FrameType ComplexImageComponent
        FrameAcquisitionDateTime WindowCenter WindowWidth VOILUTFunction""",
    ),
    **_each(
        lambda values, name: values.decimal(name),
        "SliceThickness RescaleSlope RescaleIntercept RepetitionTime FlipAngle",
    ),
    **_each(
        lambda values, name: values.double(name),
        """EffectiveEchoTime DiffusionBValue NominalCardiacTriggerDelayTime
        TemporalPositionTimeOffset""",
    ),
    **_each(
        lambda values, name: values.short(name),
        "FrameAcquisitionNumber PixelPaddingValue PixelPaddingRangeLimit",
    ),
    "TemporalPositionIndex": lambda values, name: values.long(name),
    "NominalPercentageOfCardiacPhase": lambda values, name: values.single(name),
    "ImagePositionPatient": lambda values, name: values.decimals(name, 3),
    "ImageOrientationPatient": lambda values, name: values.decimals(name, 6),
    "PixelSpacing": lambda values, name: values.decimals(name, 2),
    "ImagerPixelSpacing": lambda values, name: values.decimals(name, 2),
    "ImagePositionVolume": lambda values, name: values.exact_doubles(name, 3),
    "ImageOrientationVolume": lambda values, name: values.exact_doubles(name, 6),
    "DiffusionGradientDirectionSequence": lambda values, name: [
        item.exact_doubles("DiffusionGradientOrientation", 3) for item in values.items(name)[:1]
    ],
}


def check_times(values: Values) -> None:
    """Read what the data set says of times and parts.

    Raises:
        ParseError: ``invalid_decimal_string``, ``invalid_integer_string``,
            ``invalid_multiplicity``.
    """
    for name in ("TriggerTime", "FrameReferenceTime"):
        values.decimal(name)
    for name in ("AcquisitionNumber", "TemporalPositionIdentifier"):
        values.integer(name)
    values.double("DiffusionBValue")
    values.exact_doubles("DiffusionGradientOrientation", 3)
    values.short("InConcatenationTotalNumber")
    modality = values.raw("Modality")
    if modality == "NM" or "MOSAIC" in values.raw("ImageType"):
        values.decimal("SpacingBetweenSlices")


def check_frames(values: Values) -> None:
    """Read what the data set and its functional groups say of frames.

    Raises:
        ParseError: What is wrong with the sequences and their values.
        LimitError: ``limit_sequence_depth``, ``limit_element_length``.
    """
    for group in _GROUPS:
        for index, item in enumerate(values.items(group)):
            if index == 0 or group != "SharedFunctionalGroupsSequence":
                _check_macros(item)
    modality = values.raw("Modality")
    if modality == "NM":
        for detector in values.items("DetectorInformationSequence"):
            detector.decimals("ImagePositionPatient", 3)
            detector.decimals("ImageOrientationPatient", 6)
    elif modality == "RTDOSE":
        values.decimal("DoseGridScaling")
        values.decimal_list("GridFrameOffsetVector")


def _check_macros(group: Values) -> None:
    for macro in ALL_MACROS:
        for item in group.items(macro)[:1]:
            for name, read in _IN_MACROS.items():
                read(item, name)
