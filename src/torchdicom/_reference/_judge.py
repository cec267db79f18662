"""The verdict about one part: everything is measured, and nothing is raised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdicom._errors import ParseError, UnsupportedError
from torchdicom._reference._company import company
from torchdicom._reference._concatenations import about_concatenations
from torchdicom._reference._duplicates import set_aside_copies
from torchdicom._reference._findings import Finding, refusal, series_error
from torchdicom._reference._geometry import stack
from torchdicom._reference._kinds import OTHER_CLASSES
from torchdicom._reference._pixel_format import pixel_format
from torchdicom._reference._split import NO_PLACE, ORIENTATION
from torchdicom._reference._tags import element_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdicom._errors import DicomError
    from torchdicom._policy import Policy
    from torchdicom._reference._geometry import Affine
    from torchdicom._reference._header import FileHeader
    from torchdicom._reference._spacing import Vector
    from torchdicom._reference._split import Part


@dataclass(frozen=True, slots=True)
class Judged:
    """A part in order.

    Attributes:
        part: Where the files are from.
        files: Those that are kept: slices in order, those of one time together, else by path.
        num_times: How many images there are of every place; 1 where that is no axis.
        set_aside: Copies and repeats, by path.
        affine: From index (z, y, x) to millimetres, LPS, row by row; None where there is none.
        findings: In the order in which the policy is asked.
        normal: Of slices that have an affine, of unit length.
    """

    part: Part
    files: Sequence[FileHeader]
    num_times: int
    set_aside: Sequence[FileHeader]
    affine: Affine | None
    findings: tuple[Finding, ...]
    normal: Vector = (0.0, 0.0, 0.0)


def judge(
    part: Part,
    parts: Sequence[Part],
    policy: Policy,
    dropped: Sequence[Finding] = (),
    missing_files: int | None = None,
) -> Judged:
    """Sort a part and measure what is wrong with it.

    Args:
        part: One of the parts.
        parts: All of them: those with the same UID say something about this one.
        policy: For its tolerances.
        dropped: What was found before about files that are left out.
        missing_files: How many its concatenations lack, where not all parts are here.

    Raises:
        OSError: If files that claim to be the same cannot be read.
        ParseError: ``file_changed`` if they changed meanwhile.
    """
    if (refused := _first_refusal(part)) is not None:
        return Judged(part, part.files, 1, (), None, (refused,))
    around = [*dropped, *company(part, parts), *about_concatenations(part, parts, missing_files)]
    files, aside, found = set_aside_copies(part.files)
    if any(one.is_refusal for one in found):
        return Judged(part, files, 1, aside, None, (*around, *found))
    affine: Affine | None = None
    num_times = 1
    normal: Vector = (0.0, 0.0, 0.0)
    if part.kind in {"image", "cine"}:
        found += _about_strangers(files)
    elif part.texts[ORIENTATION] == NO_PLACE:
        files.sort(key=_by_instance)
        found.append(_about_place(files[0]))
    else:
        stacked = stack(files, policy)
        files, num_times, affine = stacked.files, stacked.num_times, stacked.affine
        normal = stacked.normal
        aside += stacked.set_aside
        found += stacked.findings
    aside.sort(key=lambda file: file.order)
    return Judged(part, files, num_times, aside, affine, (*around, *found), normal)


def _first_refusal(part: Part) -> Finding | None:
    """What makes the first such file none of the part's kind, or not to be decoded."""
    for file in part.files:
        error = _kind_error(part, file) or _pixel_error(file)
        if error is not None:
            return refusal(error, [file])
    return None


def _kind_error(part: Part, file: FileHeader) -> DicomError | None:
    if part.kind == "other":
        is_class = file.raw["SOPClassUID"] in OTHER_CLASSES
        text = (
            f"{'A segmentation or a slide' if is_class else 'A video'} is not a volume; "
            "torchdicom.decode reads the frames of what it knows"
        )
        keyword = "SOPClassUID" if is_class else "TransferSyntaxUID"
        return series_error("not_a_volume", text, file, keyword)
    if file.refused is not None:
        return file.refused
    has_frames = file.frames > 1 and part.kind != "cine"
    for is_refused, code, keyword in (
        (has_frames, "unsupported_multi_frame", "NumberOfFrames"),
        ("MOSAIC" in file.image_type and not file.tile, "unsupported_mosaic", "ImageType"),
    ):
        if is_refused:
            text = f"{keyword} shows that this is not one slice; torchdicom.decode reads its frames"
            element = element_name(keyword)
            return UnsupportedError(text, code=code, path=file.path, element=element)
    return None


def _pixel_error(file: FileHeader) -> DicomError | None:
    try:
        pixel_format(file)
    except (ParseError, UnsupportedError) as error:
        return error
    return None


def _about_strangers(files: Sequence[FileHeader]) -> list[Finding]:
    """Images that nothing but the lack of a SOPInstanceUID has put together."""
    strangers = [file for file in files if file.source != files[0].source]
    if not strangers:
        return []
    other = strangers[0]
    count = len({file.source for file in files})
    text = f"{count} images have no SOPInstanceUID that tells them apart; load them one by one"
    element = element_name("SOPInstanceUID")
    error = ParseError(text, code="missing_element", path=other.path, element=element)
    return [refusal(error, [other])]


def _about_place(first: FileHeader) -> Finding:
    has_position = bool(first.header.image_position_patient)
    keyword = "ImageOrientationPatient" if has_position else "ImagePositionPatient"
    text = f"The images have no {keyword}: they are in the order of InstanceNumber, without affine"
    error = series_error("no_position", text, first, keyword)
    return Finding("no_position", error)


def _by_instance(file: FileHeader) -> tuple[bool, int]:
    number = file.header.instance_number
    return number is None, number or 0
