"""From what a dataset is made of to the series that it has samples of."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from torchdicom import _ext, _native
from torchdicom._errors import DicomWarning, SeriesError
from torchdicom._index import Index
from torchdicom._metadata import PADDING
from torchdicom._policy import ACTIONS, Policy
from torchdicom._scan import scan
from torchdicom._series import Series
from torchdicom._training._label_files import FRAME_OF_REFERENCE
from torchdicom._training._quarantine import Quarantined
from torchdicom._volume import Defect, Verdict

if TYPE_CHECKING:
    from torchdicom._training._recipe import Recipe

    Source = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | Index | Series
    Sources = Source | Sequence[Series]

_DEFAULT: Final = Policy()
# A load leaves out what a scan has counted.
_LEAVES_OUT: Final = (
    "unreadable_file",
    "truncated_pixels",
    "frame_count_mismatch",
    "codestream_mismatch",
)


@dataclass(frozen=True, slots=True)
class Sourced:
    """What a source has for a recipe.

    Attributes:
        used: The series that there are samples of, in the order of the source.
        left_out: How many series of other kinds there are, by kind.
        quarantined: Series with a defect that the policy raises, where that is no error.
        keys: The keys of all series of the source.
    """

    used: tuple[Series, ...]
    left_out: Mapping[str, int]
    quarantined: tuple[Quarantined, ...]
    keys: tuple[str, ...]


def sourced(source: object, recipe: Recipe) -> Sourced:
    """The series of a source that a recipe is for.

    Raises:
        FileNotFoundError: If a path does not exist.
        SeriesError: If there are none; or some have a defect that the policy raises, and the
            recipe does not put them in quarantine.
        TypeError: If the source is nothing that has series.

    Warns:
        DicomWarning: Of files that could not be read, of series of other kinds, and of what is in
            quarantine; once each.
    """
    every = _series_of(source)
    wanted = [one for one in every if one.kind in recipe.kinds]
    left_out = Counter(one.kind for one in every if one.kind not in recipe.kinds)
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(left_out.items()))
    if left_out:
        message = f"Series of other kinds than {recipe.kinds} are left out: {counts}"
        warnings.warn(message, DicomWarning, stacklevel=4)
    # Not by key: the same study in two trees may be whole in one of them.
    judged = [(one, _raised(one, recipe)) for one in wanted]
    quarantined = tuple(
        Quarantined(one.key, defect.code, defect.message) for one, defect in judged if defect
    )
    if quarantined and recipe.on_error == "raise":
        raise _all_of(quarantined)
    if quarantined:
        lines = "\n".join(f"  {one.key}: {one.message} [{one.code}]" for one in quarantined)
        message = f"{_counted(len(quarantined))} in quarantine:\n{lines}"
        warnings.warn(message, DicomWarning, stacklevel=4)
    used = tuple(one for one, defect in judged if defect is None)
    if not used:
        others = f"; kinds= may name others, of which there are {counts}" if left_out else ""
        msg = f"There are no series of the kinds {recipe.kinds} that can be used{others}"
        raise SeriesError(msg, code="no_images")
    keys = tuple(one.key for one in every)
    return Sourced(used, dict(left_out), quarantined, keys)


def counts_stay(policy: Policy) -> bool:
    """Whether a load has all slices that the scan found, or fails."""
    return all(policy.action(code) != "drop" for code in _LEAVES_OUT)


def channels_of(series: Series, output: str) -> int:
    """How many channels its images have in a sample: colours, times, or one."""
    if is_colour(series, output):
        return 3
    return series.shape[0] if "t" in series.dims else 1


def is_colour(series: Series, output: str) -> bool:
    """Whether its pixels become red, green and blue."""
    is_palette = photometric_of(series) == "PALETTE COLOR" and output != "stored"
    return attribute(series, "SamplesPerPixel") == 3 or is_palette


def photometric_of(series: Series) -> str:
    """PhotometricInterpretation (0028,0004), empty where there is none."""
    return str(attribute(series, "PhotometricInterpretation") or "").strip(PADDING)


def attribute(series: Series, name: str) -> Any:
    """A column of the index that `Series` has no property for, of its first row."""
    return series._value(name)  # noqa: SLF001 - an index is ours


def units_of(series: Series) -> str:
    """The unit of its modality values, empty where the files name none."""
    parts = _ext.group_rows(series._core(), asdict(_DEFAULT))  # noqa: SLF001 - likewise
    return parts[0]["units"]


def _series_of(source: object) -> list[Series]:
    if isinstance(source, Series):
        return [source]
    if isinstance(source, Index):
        return list(source)
    if isinstance(source, (str, os.PathLike)):
        return _scanned([source])
    if isinstance(source, Sequence) and not isinstance(source, (bytes, bytearray)) and source:
        if all(isinstance(one, Series) for one in source):
            return list(source)
        if all(isinstance(one, (str, os.PathLike)) for one in source):
            return _scanned(list(source))
    msg = (
        "source must be a folder, a file, an Index, a Series, or a list of folders, of files or of "
        f"Series, not {'an empty list' if source in ([], ()) else type(source).__name__}"
    )
    raise TypeError(msg)


def _scanned(paths: list[Any]) -> list[Series]:
    index = scan(paths, include_metadata=(FRAME_OF_REFERENCE,))
    skipped = index.skipped
    if skipped:
        count = "1 file" if len(skipped) == 1 else f"{len(skipped)} files"
        first = skipped[0]
        message = f"{count} can't be read, the first is {first.path}: {first.message}"
        warnings.warn(message, DicomWarning, stacklevel=6)
    return list(index)


def _raised(series: Series, recipe: Recipe) -> Defect | None:
    """The first thing about a series that the policy, or the recipe, does not let pass."""
    verdict, policy = _verdict(series, recipe.policy), recipe.policy
    for defect in verdict.defects:
        if defect.code in ACTIONS:
            if policy.action(defect.code) == "raise":
                return defect
        elif not verdict.ok:
            return defect
    if not verdict.ok and not any(map(_raises_by_default, verdict.defects)):
        # Nothing that a policy settles: judging stopped there.
        return verdict.defects[-1]
    if recipe.needs_place and series.affine is None:
        message = "spacing_mm and orientation need the place of the voxels, which is not known"
        return Defect("no_position", message)
    return None


def _raises_by_default(defect: Defect) -> bool:
    return defect.code in ACTIONS and _DEFAULT.action(defect.code) == "raise"


def _verdict(series: Series, policy: Policy) -> Verdict:
    """The verdict under the tolerances of a policy."""
    tolerances = (policy.spacing_tolerance, policy.position_tolerance_mm)
    if tolerances == (_DEFAULT.spacing_tolerance, _DEFAULT.position_tolerance_mm):
        return series.verdict
    parts = _ext.group_rows(series._core(), asdict(policy))  # noqa: SLF001 - an index is ours
    known = _native.to_defects(parts[0]["defects"])
    codes = {defect.code for defect in known}
    # What other parts of its SeriesInstanceUID are to it, its own rows do not tell.
    others = tuple(one for one in series.verdict.defects if one.code not in codes)
    about_others = ("localizer", "mixed_size", "mixed_pixel_format", "mixed_orientation")
    kept = tuple(one for one in others if one.code in about_others)
    return Verdict(ok=parts[0]["ok"], defects=known + kept)


def _all_of(bad: Sequence[Quarantined]) -> SeriesError:
    """One error about all of them."""
    if len(bad) == 1:
        text = f"Series {bad[0].key} can't be used: {bad[0].message}"
        return SeriesError(text, code=bad[0].code)
    codes = {one.code for one in bad}
    lines = "\n".join(f"  {one.key}: {one.message} [{one.code}]" for one in bad)
    text = (
        f"{_counted(len(bad))} have defects that the policy raises; on_error='quarantine' goes on "
        f"without them:\n{lines}\n"
    )
    return SeriesError(text, code=bad[0].code if len(codes) == 1 else None)


def _counted(count: int) -> str:
    return "1 series" if count == 1 else f"{count} series"
