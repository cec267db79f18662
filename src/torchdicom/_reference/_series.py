"""Which files make one series, and whether they may be stacked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

from torchdicom._errors import SeriesError, UnsupportedError
from torchdicom._reference._geometry import Affine, settle
from torchdicom._reference._header import pixel_format
from torchdicom._reference._tags import element_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torchdicom._reference._header import FileHeader
    from torchdicom._reference._pixels import Output
    from torchdicom._volume import Verdict

# The image component of PS3.3 C.8.13.3.1.1, as vendors spell it.
_COMPONENTS: Final = {
    "M": "M",
    "MAGNITUDE": "M",
    "P": "P",
    "PHASE": "P",
    "PHASE MAP": "P",
    "R": "R",
    "REAL": "R",
    "I": "I",
    "IMAGINARY": "I",
}

# PS3.3 C.11.1.1.2; "US" (unspecified) is the one that is no unit.
_RESCALE_TYPES: Final = frozenset({"HU", "OD", "MGML", "Z_EFF", "ED", "EDW", "HU_MOD", "PCT"})

# What `_key` is made of.
_KEY_NAMES: Final = (
    *("SeriesInstanceUID", "SOPClassUID", "Modality", "ImageType", "image component"),
    *("EchoTime", "RepetitionTime", "FlipAngle", "EchoNumbers", "ReceiveCoilName", "localizer"),
)

# PixelSpacing is text: the same grid may be written with more or fewer digits.
_SPACING_TOLERANCE: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Series:
    """The slices of a volume in order, and where their voxels lie."""

    files: list[FileHeader]
    affine: Affine
    units: str | None
    verdict: Verdict


def arrange(files: Sequence[FileHeader], output: Output) -> Series:
    """Order the files of `one_series` along their normal and judge their geometry.

    Raises:
        SeriesError: The code of the defect that makes them no volume.
    """
    ordered, affine, verdict = settle(files)
    return Series(ordered, affine, None if output == "stored" else units(ordered[0]), verdict)


def one_series(files: Sequence[FileHeader]) -> Sequence[FileHeader]:
    """The files, if they are one series of slices of one size and pixel format.

    Raises:
        SeriesError: ``localizer``, ``several_series``, ``mixed_pixel_format``, ``mixed_size``,
            ``duplicate_files``.
        UnsupportedError: For files that are not slices.
    """
    _require_one_group(files)
    for file in files:
        _require_slice(file)
        pixel_format(file)
    for file in files:
        _compare_pixels(files[0], file)
    for file in files:
        _compare_size(files[0], file)
    _refuse_repeated_instances(files)
    return files


def units(file: FileHeader) -> str | None:
    """The unit of the modality values of a file (PS3.3 C.11.1.1.2, C.8.9.1)."""
    header = file.header
    if header.rescale_slope is None and header.rescale_intercept is None:
        return None
    if header.modality == "PT":
        return header.units
    if header.modality == "CT" and header.rescale_type is None:
        return "HU"
    return header.rescale_type if header.rescale_type in _RESCALE_TYPES else None


def _key(file: FileHeader) -> tuple[tuple[object, ...], bool]:
    """What all files of a series share: everything else, then whether they are localizers."""
    header = file.header
    values = header.image_type
    components = (_COMPONENTS[value] for value in values[2:] if value in _COMPONENTS)
    shared = (
        header.series_instance_uid,
        header.sop_class_uid,
        header.modality,
        values[0] if values else "",
        next(components, ""),
        *file.numbers,
        file.texts.get("EchoNumbers"),
        file.texts.get("ReceiveCoilName"),
    )
    return shared, "LOCALIZER" in values


def _require_one_group(files: Sequence[FileHeader]) -> None:
    groups: dict[tuple[tuple[object, ...], bool], list[FileHeader]] = {}
    for file in files:
        groups.setdefault(_key(file), []).append(file)
    if len(groups) == 1:
        return
    localizers = next((group for (_, is_localizer), group in groups.items() if is_localizer), [])
    if len(groups) == 2 and len({shared for shared, _ in groups}) == 1:
        names = ", ".join(file.path for file in localizers)
        msg = f"Localizers are among the slices of the series; leave them out: {names}"
        element = element_name("ImageType")
        raise SeriesError(msg, code="localizer", path=localizers[0].path, element=element)
    shared = {key: (*key[0], "yes" if key[1] else "no") for key in groups}
    lines = "\n".join(
        _describe(group, _what_differs(shared[key], shared.values()))
        for key, group in groups.items()
    )
    msg = f"There are {len(groups)} series; load the files of one of them:\n{lines}"
    raise SeriesError(msg, code="several_series")


def _what_differs(key: tuple[object, ...], others: Iterable[tuple[object, ...]]) -> str:
    """What tells a group from others of the same UID, which stands first in a key."""
    same = [other for other in others if other[0] == key[0]]
    names_and_values = zip(_KEY_NAMES, zip(key, *same, strict=True), strict=True)
    return "".join(
        f", {name} {'none' if values[0] in {None, ''} else str(values[0]).removesuffix('.0')}"
        for name, values in names_and_values
        if len(set(values)) > 1
    )


def _describe(group: Sequence[FileHeader], differs: str) -> str:
    first = group[0]
    header = first.header
    count = f"{len(group)} file{'' if len(group) == 1 else 's'}"
    size = f"{header.rows or 0}x{header.columns or 0}"
    description = first.texts.get("SeriesDescription", "")
    uid, modality = header.series_instance_uid or "", header.modality or ""
    return f'  {uid}: {modality}, {count} of {size}, "{description}"{differs} ({first.path})'


def _require_slice(file: FileHeader) -> None:
    header = file.header
    refusals = (
        (file.frame_wise is not None, "unsupported_functional_groups", file.frame_wise or ""),
        (header.number_of_frames > 1, "unsupported_multi_frame", "NumberOfFrames"),
        ("MOSAIC" in header.image_type, "unsupported_mosaic", "ImageType"),
    )
    for is_refused, code, keyword in refusals:
        if is_refused:
            msg = f"{keyword} shows that this is not one slice; torchdicom.decode reads its frames"
            raise UnsupportedError(msg, code=code, path=file.path, element=element_name(keyword))


def _compare_pixels(first: FileHeader, other: FileHeader) -> None:
    a, b = first.header.photometric_interpretation, other.header.photometric_interpretation
    if pixel_format(first).cell != pixel_format(other).cell:
        _fail_mixed("mixed_pixel_format", "The pixel formats differ", first, other, "BitsAllocated")
    if a != b:
        keyword = "PhotometricInterpretation"
        _fail_mixed("mixed_pixel_format", f"{keyword} is {a} and {b}", first, other, keyword)
    if units(first) != units(other):
        what = f"The units differ ({units(first)} and {units(other)})"
        _fail_mixed("mixed_pixel_format", what, first, other, "RescaleType")
    for keyword, one, another in (
        ("RescaleSlope", first.header.rescale_slope, other.header.rescale_slope),
        ("RescaleIntercept", first.header.rescale_intercept, other.header.rescale_intercept),
    ):
        if (one is None) != (another is None):
            what = f"One has a {keyword} and the other has none"
            _fail_mixed("mixed_pixel_format", what, first, other, keyword)


def _compare_size(first: FileHeader, other: FileHeader) -> None:
    a, b = first.header, other.header
    if (a.rows, a.columns) != (b.rows, b.columns):
        _fail_mixed("mixed_size", "Rows or Columns differ", first, other, "Rows")
    is_same = len(a.pixel_spacing) == len(b.pixel_spacing) and all(
        abs(x - y) <= _SPACING_TOLERANCE * max(abs(x), abs(y))
        for x, y in zip(a.pixel_spacing, b.pixel_spacing, strict=True)
    )
    if not is_same:
        _fail_mixed("mixed_size", "PixelSpacing differs", first, other, "PixelSpacing")


def _fail_mixed(
    code: str, what: str, first: FileHeader, other: FileHeader, keyword: str
) -> NoReturn:
    msg = f"{what}: {first.path} and {other.path} cannot be slices of one volume; load them apart"
    raise SeriesError(msg, code=code, path=other.path, element=element_name(keyword))


def _refuse_repeated_instances(files: Sequence[FileHeader]) -> None:
    seen: dict[str, FileHeader] = {}
    for file in files:
        uid = file.header.sop_instance_uid
        if uid is None:
            continue
        if uid in seen:
            msg = f"{seen[uid].path} and {file.path} are the same instance; leave one of them out"
            element = element_name("SOPInstanceUID")
            raise SeriesError(msg, code="duplicate_files", path=file.path, element=element)
        seen[uid] = file
