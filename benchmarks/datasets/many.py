"""Trees of so many files that writing each as a data set would take minutes."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Final

from pydicom.uid import UID

from benchmarks.datasets.attributes import ROOT, STEP_MM, ct_slice
from benchmarks.datasets.cache import made
from benchmarks.datasets.codestreams import add_pixels
from benchmarks.datasets.phantom import ct_cells

if TYPE_CHECKING:
    from pathlib import Path

FILES_A_SERIES: Final = 100
_SIZE: Final = 16

# Numbers of a fixed length, so that no offset moves when others take their place.
_SERIES: Final = f"{ROOT}.20.1000000"
_INSTANCE: Final = f"{ROOT}.21.2000000"
_HEIGHT: Final = "-300000.5"


def many_files(count: int) -> Path:
    """Make nested folders of series of 100 CT slices of 16x16, as native files of about 4 KB.

    Args:
        count: How many files, a multiple of 100.

    Returns:
        The folder. Each series is sound, its names in the order of its slices.
    """

    def fill(folder: Path) -> None:
        template = _template()
        for series in range(count // FILES_A_SERIES):
            parent = folder / f"patient{series // 20:04d}" / f"series{series:05d}"
            parent.mkdir(parents=True)
            for index in range(FILES_A_SERIES):
                number = series * FILES_A_SERIES + index
                height = f"{index * STEP_MM:09.3f}"
                data = template.replace(_HEIGHT.encode(), height.encode())
                data = data.replace(_SERIES.encode(), f"{ROOT}.20.{1000001 + series}".encode())
                data = data.replace(_INSTANCE.encode(), f"{ROOT}.21.{2000001 + number}".encode())
                (parent / f"IM{index:05d}.dcm").write_bytes(data)

    return made(f"many-{count}", fill)


def _template() -> bytes:
    ds = ct_slice(0, _SIZE, _SIZE)
    ds.SeriesInstanceUID = _SERIES
    ds.SOPInstanceUID = _INSTANCE
    ds.file_meta.MediaStorageSOPInstanceUID = UID(_INSTANCE)
    add_pixels(ds, "native", ct_cells(1, _SIZE)[0])
    x, y, _ = ds.ImagePositionPatient
    ds.ImagePositionPatient = [x, y, _HEIGHT]
    stream = BytesIO()
    ds.save_as(stream, enforce_file_format=True)
    data = stream.getvalue()
    # The instance twice, since the meta group has it too (PS3.10 7.1).
    expected = {_SERIES: 1, _INSTANCE: 2, _HEIGHT: 1}
    if {text: data.count(text.encode()) for text in expected} != expected:
        msg = "the template holds a number that is to be replaced elsewhere too"
        raise RuntimeError(msg)
    return data
