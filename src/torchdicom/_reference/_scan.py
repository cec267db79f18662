"""All series below some paths, from their headers: what the native scan is held against."""

from __future__ import annotations

import os
import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import torch
from pydicom.datadict import tag_for_keyword

from torchdicom._errors import DicomWarning
from torchdicom._metadata import METADATA
from torchdicom._policy import Policy
from torchdicom._reference._build import metadata_of
from torchdicom._reference._collect import is_other_file, read_image
from torchdicom._reference._findings import verdict_of
from torchdicom._reference._grid import spacing_of, stated_spacing
from torchdicom._reference._judge import judge
from torchdicom._reference._kinds import units
from torchdicom._reference._sources import expand_readable
from torchdicom._reference._split import split

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torchdicom._reference._header import FileHeader
    from torchdicom._reference._judge import Judged
    from torchdicom._reference._kinds import Kind
    from torchdicom._reference._sources import Source
    from torchdicom._volume import Verdict

_TAG: Final = re.compile(r"\(([0-9A-Fa-f]{4}),([0-9A-Fa-f]{4})\)")


@dataclass(frozen=True, slots=True, eq=False)
class ScannedSeries:
    """One series, or one part of a SeriesInstanceUID that is several.

    Attributes:
        key: What `load_series` takes as its series.
        series_instance_uid: SeriesInstanceUID (0020,000E), empty where there is none.
        kind: What its files are.
        modality: Modality (0008,0060), empty where there is none.
        splitting: The texts that its files share, and that its key is made of.
        paths: The file of each slice that is kept, in order, those of one time together.
        set_aside: Copies and repeats, by path, the file of each.
        affine (float64 Tensor of shape (4, 4)): Index ``(z, y, x, 1)`` to millimetres, LPS; None
            where there is none.
        spacing_mm: Along z, y and x; NaN where it is not known.
        spacing_source: The keyword behind the spacing of an image or a cine loop, else empty.
        units: Of the modality values, or None.
        num_times: How many images there are of every place; 1 where that is no axis.
        verdict: What was found, as the default policy sees it.
        metadata: The allow-list, and what was asked for beyond it.
    """

    key: str
    series_instance_uid: str
    kind: Kind
    modality: str
    splitting: tuple[str, ...]
    paths: tuple[str, ...]
    set_aside: tuple[str, ...]
    affine: torch.Tensor | None
    spacing_mm: tuple[float, float, float]
    spacing_source: str
    units: str | None
    num_times: int
    verdict: Verdict
    metadata: Mapping[str, object]


class Scan(NamedTuple):
    """What `scan` finds.

    Attributes:
        parts: In the order of their first paths.
        skipped: Path and code of every file and folder that cannot be used, by path. Files of a
            folder that are not DICOM, and DICOM objects without pixels, are none of them.
    """

    parts: list[ScannedSeries]
    skipped: list[tuple[str, str]]


def scan(paths: Iterable[str], *, include_metadata: Iterable[str] = ()) -> Scan:
    """Find all series below some files and folders, and judge them.

    Args:
        paths: Files and folders.
        include_metadata: Attributes that join the metadata as text: keywords, or ``"(gggg,eeee)"``.

    Raises:
        FileNotFoundError: If a named path does not exist.
        ValueError: If one of `include_metadata` is no attribute.
    """
    extra = {name: _tag(name) for name in include_metadata}
    sources, refused = expand_readable([os.fspath(path) for path in paths])
    skipped = [(path, "os_error") for path in refused]
    images: list[FileHeader] = []
    for source in sources:
        read = _read(source, extra)
        if isinstance(read, str):
            skipped += [(source.path, read)] if read else []
        else:
            images += [one for one in read if one.pixels is not None]
    skipped.sort(key=lambda pair: os.fsencode(pair[0]))
    parts = split(images)
    policy = Policy()
    return Scan([_scanned(judge(part, parts, policy), extra) for part in parts], skipped)


def _read(source: Source, extra: Mapping[str, int]) -> list[FileHeader] | str:
    """The headers of one file, or the code of what is wrong; no code for other kinds of files."""
    try:
        read = read_image(source, extra)
        if not isinstance(read, Exception):
            return read
        return "" if is_other_file(source, read) else read.code or ""
    except OSError:
        return "os_error"


def _scanned(judged: Judged, extra: Mapping[str, int]) -> ScannedSeries:
    part, first = judged.part, judged.files[0]
    spacing, spacing_source = stated_spacing(judged)
    affine: torch.Tensor | None = None
    if judged.affine is not None:
        spacing, spacing_source = spacing_of(judged.affine), ""
        affine = torch.tensor(judged.affine, dtype=torch.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DicomWarning)  # nothing is loaded that it could be about
        metadata = metadata_of(first, spacing_source)
    asked = {name: first.texts[name] for name in extra if name in first.texts}
    return ScannedSeries(
        key=part.key,
        series_instance_uid=part.uid,
        kind=part.kind,
        modality=part.texts[1],
        splitting=part.texts,
        paths=tuple(file.path for file in judged.files),
        set_aside=tuple(file.path for file in judged.set_aside),
        affine=affine,
        spacing_mm=spacing,
        spacing_source=spacing_source,
        units=units(first),
        num_times=judged.num_times,
        verdict=verdict_of(judged.findings),
        metadata={**asked, **metadata},
    )


def _tag(name: str) -> int:
    """The tag of a keyword, or of its digits in parentheses."""
    if name in METADATA:
        return METADATA[name][0]
    if found := _TAG.fullmatch(name):
        return int(found[1] + found[2], 16)
    tag = tag_for_keyword(name) if name else None
    if tag is None:
        msg = f"{name!r} is neither a DICOM keyword nor a tag such as '(0018,1030)'"
        raise ValueError(msg)
    return int(tag)
