"""The real files, and what a call gives for one of them."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Any

import torchdicom as td

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

SOURCES = """DICOMHTJ2K cornerstone3D dcm_qa_mosaic dcmqi dicom-test-files dicom2nifti fo-dicom
    highdicom mirp pydicom pydicom-data pylibjpeg-data suyashkumar-dicom tcia-cmb-crc""".split()


def files_of(data_dir: Path, source: str) -> Iterator[Path]:
    """Those of a source that MANIFEST.csv lists."""
    with (data_dir / "MANIFEST.csv").open() as lines:
        for row in csv.DictReader(lines):
            if row["source"] == source:
                yield data_dir / source / row["path"]


def outcome(call: Callable[[], Any]) -> Any:
    """The result, or the code of the refusal."""
    try:
        return call()
    except td.DicomError as error:
        return error.code


def assert_only(found: Mapping[str, str], expected: Mapping[str, tuple[str, str]]) -> None:
    """What was found is what a table expects: no file more and none less.

    Args:
        found: For each file that is out of the ordinary what was found.
        expected: For each file a regular expression that this has to match, and the reason.
    """
    news = {name: what for name, what in found.items() if name not in expected}
    assert not news, f"not expected: {news}"
    stale = sorted(expected.keys() - found.keys())
    assert not stale, f"no longer so: {stale}"
    for name, what in found.items():
        assert re.search(expected[name][0], what), f"{name}: {what}, not {expected[name][0]}"


def of_source(table: Mapping[str, tuple[str, str]], source: str) -> dict[str, tuple[str, str]]:
    """The rows of a table that are about files of a source."""
    return {name: row for name, row in table.items() if name.startswith(f"{source}/")}
