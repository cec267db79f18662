"""Headers of a tree: which file is which instance of which series, and where."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.case import OURS, Case, Contender, Load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_Facts = dict[str, tuple[str, float]]
_OURS: Final = ("torchdicom",)
_SERIES, _INSTANCE, _POSITION = (0x0020, 0x000E), (0x0008, 0x0018), (0x0020, 0x0032)


def _walk(folder: str) -> Iterator[str]:
    for parent, _, names in os.walk(folder):
        for name in names:
            yield os.path.join(parent, name)  # noqa: PTH118 - the fastest that Python has


def _ours(threads: int) -> Callable[[Case], Load]:
    """The first two stages of `load`; a scan is this and the judging of series."""

    def prepare(case: Case) -> Load:
        from torchdicom import _ext  # noqa: PLC0415

        return lambda: _ext.scan_headers([case.folder], num_threads=threads)

    return prepare


def _read_header(case: Case) -> Load:
    import torchdicom as td  # noqa: PLC0415

    return lambda: [td.read_header(path) for path in _walk(case.folder)]


def _scan(case: Case) -> Load:
    import torchdicom as td  # noqa: PLC0415

    return lambda: td.scan(case.folder, num_threads=2, progress=False)


def _index_facts(index: Any) -> _Facts:
    table = index.to_arrow().select(["SOPInstanceUID", "SeriesInstanceUID", "ImagePositionPatient"])
    rows = zip(*table.to_pydict().values(), strict=True)
    return {instance: (series, position[2]) for instance, series, position in rows}


def _our_facts(found: list[tuple[str, str, str, tuple[float, ...]]]) -> _Facts:
    return {instance: (series, position[2]) for _, series, instance, position in found}


def _header_facts(found: list[Any]) -> _Facts:
    return {
        one.sop_instance_uid: (one.series_instance_uid, one.image_position_patient[2])
        for one in found
    }


def _pydicom(case: Case) -> Load:
    import pydicom  # noqa: PLC0415

    tags = ["SeriesInstanceUID", "SOPInstanceUID", "ImagePositionPatient"]

    def read(path: str) -> tuple[str, tuple[str, float]]:
        ds = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(tags))
        return ds.SOPInstanceUID, (ds.SeriesInstanceUID, float(ds.ImagePositionPatient[2]))

    return lambda: dict(map(read, _walk(case.folder)))


def _fastdicom(threads: int) -> Callable[[Case], Load]:
    def prepare(case: Case) -> Load:
        import fastdicom  # noqa: PLC0415

        def read(path: str) -> tuple[str, tuple[str, float]]:
            ds = fastdicom.dcmread(path, stop_before_pixels=True)
            return ds.SOPInstanceUID, (ds.SeriesInstanceUID, float(ds.ImagePositionPatient[2]))

        if threads == 1:
            return lambda: dict(map(read, _walk(case.folder)))
        pool = ThreadPoolExecutor(threads)
        return lambda: dict(pool.map(read, _walk(case.folder)))

    return prepare


def _dicomsdl(case: Case) -> Load:
    import dicomsdl  # noqa: PLC0415

    def read(path: str) -> tuple[str, tuple[str, float]]:
        ds = dicomsdl.open(path)
        return ds.SOPInstanceUID, (ds.SeriesInstanceUID, float(ds.ImagePositionPatient[2]))

    return lambda: dict(map(read, _walk(case.folder)))


def _gdcm(case: Case) -> Load:
    import gdcm  # noqa: PLC0415

    tags = [gdcm.Tag(*tag) for tag in (_SERIES, _INSTANCE, _POSITION)]

    def load() -> _Facts:
        directory, scanner = gdcm.Directory(), gdcm.Scanner()
        directory.Load(case.folder, True)  # noqa: FBT003 - GDCM's own signature
        for tag in tags:
            scanner.AddTag(tag)
        scanner.Scan(directory.GetFilenames())
        found = {}
        for path in directory.GetFilenames():
            series, instance, position = (scanner.GetValue(path, tag) for tag in tags)
            found[instance] = (series, float(position.split("\\")[2]))
        return found

    return load


def _simpleitk(case: Case) -> Load:
    import SimpleITK as sitk  # noqa: PLC0415

    keys = ["|".join(f"{part:04x}" for part in tag) for tag in (_SERIES, _INSTANCE, _POSITION)]

    def load() -> _Facts:
        reader = sitk.ImageFileReader()
        reader.SetImageIO("GDCMImageIO")
        found = {}
        for path in _walk(case.folder):
            reader.SetFileName(path)
            reader.ReadImageInformation()
            series, instance, position = (reader.GetMetaData(key) for key in keys)
            found[instance.strip("\0 ")] = (
                series.strip("\0 "),
                float(position.split("\\")[2]),
            )
        return found

    return load


def _floor(threads: int) -> Callable[[Case], Load]:
    """Walk, open, read 8 KiB: what the kernel takes, in C, without looking at a byte."""

    def prepare(case: Case) -> Load:
        from benchmarks.native.limit import floor  # noqa: PLC0415

        return lambda: floor(Path(case.folder), threads)

    return prepare


SCAN: Final = (
    *(Contender(OURS, _ours(n), n, values=_our_facts, modules=_OURS) for n in (1, 2)),
    Contender("torchdicom.scan", _scan, 2, _index_facts, (*_OURS, "pyarrow.parquet")),
    Contender("torchdicom.read_header", _read_header, values=_header_facts, modules=_OURS),
    *(Contender("limit: walk, open, read", _floor(n), n, values=int) for n in (1, 2)),
    *(Contender("fastdicom", _fastdicom(n), n, dict, ("fastdicom",)) for n in (1, 2)),
    Contender("dicomsdl", _dicomsdl, 1, dict, ("dicomsdl",)),
    Contender("GDCM Scanner", _gdcm, 1, dict, ("gdcm",)),
    Contender("pydicom, specific_tags", _pydicom, values=dict),
    Contender("SimpleITK", _simpleitk, 1, dict, ("SimpleITK",)),
)
