"""For each option of the public functions two calls that must give different results."""

from __future__ import annotations

import contextlib
import io
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import torchdicom as td
from builders import axial, ct_slice, write_series
from builders_defects import ACTIONS, CASE_OF
from builders_forms import real_world, real_world_item
from builders_pet import pet_slice, scale_slope
from torchdicom import _ext

if TYPE_CHECKING:
    from helpers import Backend

Pair = tuple[Callable[[], object], Callable[[], object]]

ONE = ct_slice()
OTHER = ct_slice(np.ones((3, 4), np.int16), Modality="MR")
FRAMES = ct_slice(np.arange(24, dtype=np.int16).reshape(2, 3, 4))
NO_PLACE: dict[str, Any] = {"ImagePositionPatient": None, "ImageOrientationPatient": None}
CINE = ct_slice(np.arange(24, dtype=np.int16).reshape(2, 3, 4), Modality="US", **NO_PLACE)
TWO = ct_slice(np.ones((3, 4), np.int16), SeriesInstanceUID="9.9", SOPInstanceUID="9.9.1")
MAPS = ct_slice(
    extra=[
        real_world(
            real_world_item(first=0, last=9, label="a", slope=2, intercept=0),
            real_world_item(first=0, last=9, label="b", slope=3, intercept=0),
        )
    ]
)
PET = pet_slice()
PHILIPS = ct_slice(extra=scale_slope(0.25))
MANY = [ct_slice(ImagePositionPatient=(0, 0, k), SOPInstanceUID=f"1.{k}") for k in range(8)]


def load(**options: Any) -> object:
    volume = td.load(**{"source": ONE, **options})
    return volume.data.dtype, volume.data.tolist()


def outcome(source: object, **options: Any) -> object:
    """What a load gives, what it says, or how it fails."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            volume = td.load(source, **options)  # type: ignore[arg-type]
        except td.DicomError as error:
            return error.code
    return volume.data.tolist(), [str(one.message) for one in said]


def with_action(code: str, action: str) -> object:
    """The outcome for files that have this defect."""
    with tempfile.TemporaryDirectory() as folder:
        CASE_OF[code].write(Path(folder))
        policy = td.Policy(**{code: action})  # type: ignore[arg-type]
        return outcome(folder, series=CASE_OF[code].series, policy=policy)


def with_tolerance(name: str, value: float) -> object:
    """The outcome where a slice lies 0.6 mm from where steps of 2 mm have it."""
    with tempfile.TemporaryDirectory() as folder:
        write_series(Path(folder), 4, ImagePositionPatient=axial(0, 2, 4.6, 6))
        policy = td.Policy(**{name: value})  # type: ignore[arg-type]
        return outcome(folder, policy=policy)


def with_fill_value(value: float | None) -> object:
    """The outcome where slices are missing."""
    with tempfile.TemporaryDirectory() as folder:
        write_series(Path(folder), 4, ImagePositionPatient=axial(0, 2, 6, 8))
        return outcome(folder, policy=td.Policy(missing_slices="fill", fill_value=value))


def policy_effects(code: str) -> Pair:
    """The first and the last action that the code has."""
    return (
        lambda: with_action(code, ACTIONS[code][0]),
        lambda: with_action(code, ACTIONS[code][-1]),
    )


def decode(**options: Any) -> object:
    data = td.decode(**{"source": FRAMES, **options})
    return data.dtype, data.tolist()


def threads_used(call: Callable[..., object], source: object, threads: int) -> object:
    call(source, num_threads=threads)
    return _ext.last_load_stats()["threads"]


def is_out(call: Callable[..., Any], source: bytes, out: torch.Tensor | None) -> bool:
    result = call(source, out=out)
    return (result.data if isinstance(result, td.Volume) else result) is out


def listed(data: bytes = ONE, **options: Any) -> object:
    """What the one series of an index loads, or how it fails."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a.dcm").write_bytes(data)
        series = td.scan(folder).series[0]
        try:
            return series.load(**options).data.tolist()
        except td.DicomError as error:
            return error.code


def decoded(data: bytes = ONE, **options: Any) -> object:
    """What is decoded, or how it fails."""
    try:
        return td.decode(data, **options).tolist()
    except td.DicomError as error:
        return error.code


def header(**options: Any) -> object:
    return td.read_header(**options).modality


def collated(images: list[list[int]], **options: Any) -> object:
    """The batch of images of one row."""
    samples = [{"image": torch.tensor([one])} for one in images]
    return td.collate(samples=samples, **options)["image"].tolist()


def threads_after(n: int) -> int:
    try:
        td.set_num_threads(num_threads=n)
        return td.get_num_threads()
    finally:
        td.set_num_threads(None)


def native_loads_counted(call: Callable[..., object], backend: Backend) -> object:
    """The reference does not pass the native counters, which tells who worked."""
    td.load(MANY[:3])
    call(FRAMES if call is td.decode else ONE, backend=backend)
    return _ext.last_load_stats()["files"]


def scanned(*files: bytes, **options: Any) -> object:
    """The series that a folder with these files has, and what is known of them."""
    with tempfile.TemporaryDirectory() as folder:
        for i, data in enumerate(files):
            Path(folder, f"{i}.dcm").write_bytes(data)
        index = td.scan(folder, **options)
        return [(one.key, one.shape, dict(one.metadata)) for one in index.series]


def bar_shown(*, progress: bool) -> bool:
    with contextlib.redirect_stderr(io.StringIO()) as said:
        scanned(ONE, progress=progress)
    return bool(said.getvalue())


def is_saved(name: str | None) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        scanned(ONE, index=None if name is None else Path(folder, name))
        return bool(list(Path(folder).iterdir()))


def threads_of_scan(threads: int) -> object:
    scanned(ONE, num_threads=threads)
    return _ext.last_load_stats()["threads"]


def opened(data: bytes, root: str | None = None) -> object:
    """An index that was saved and opened again: its series, and where they say their files are."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a.dcm").write_bytes(data)
        td.scan(folder).save(Path(folder, "index"))
        index = td.open_index(Path(folder, "index"), root=root)
        return [(one.key, root is not None and one.paths) for one in index.series]


FLOATS, SHORTS = torch.zeros((1, 3, 4)), torch.zeros((2, 3, 4), dtype=torch.int16)

# For every option two calls whose results differ.
EFFECTS: dict[tuple[str, str], Pair] = {
    ("load", "source"): (lambda: load(source=ONE), lambda: load(source=OTHER)),
    ("load", "series"): (
        lambda: load(source=[ONE, TWO], series="1.2.3.4"),
        lambda: load(source=[ONE, TWO], series="9.9"),
    ),
    ("load", "policy"): (
        lambda: outcome(MANY[:3] + MANY[5:]),
        lambda: outcome(MANY[:3] + MANY[5:], policy=td.Policy(missing_slices="allow")),
    ),
    ("load", "slices"): (
        lambda: load(source=MANY, slices=2),
        lambda: load(source=MANY, slices=slice(2, 4)),
    ),
    ("load", "t"): (
        lambda: load(source=CINE, t=0),
        lambda: load(source=CINE, t=slice(1, 2)),
    ),
    ("load", "region"): (
        lambda: load(region=(0, 2, 0, 4)),
        lambda: load(region=(1, 3, 0, 4)),
    ),
    ("load", "reduce"): (lambda: load(reduce=0), lambda: load(reduce=1)),
    ("load", "codec"): (lambda: outcome(ONE), lambda: outcome(ONE, codec="gdcm")),
    ("load", "rwvm"): (
        lambda: load(source=MAPS, output="real_world", rwvm="a"),
        lambda: load(source=MAPS, output="real_world", rwvm="b"),
    ),
    ("load", "mask"): (
        lambda: td.load(ONE, mask=True).valid_mask is None,
        lambda: td.load(ONE, mask=False).valid_mask is None,
    ),
    ("load", "output"): (lambda: load(output="stored"), lambda: load(output="modality")),
    ("load", "dtype"): (lambda: load(dtype=torch.int16), lambda: load(dtype=torch.float64)),
    ("load", "out"): (
        lambda: is_out(td.load, ONE, FLOATS),
        lambda: is_out(td.load, ONE, None) or 0,
    ),
    ("load", "num_threads"): (
        lambda: threads_used(td.load, MANY, 1),
        lambda: threads_used(td.load, MANY, 3),
    ),
    ("load", "backend"): (
        lambda: native_loads_counted(td.load, "native"),
        lambda: native_loads_counted(td.load, "reference"),
    ),
    ("decode", "source"): (lambda: decode(source=ONE), lambda: decode(source=OTHER)),
    ("decode", "frames"): (lambda: decode(frames=[0]), lambda: decode(frames=[1])),
    ("decode", "output"): (lambda: decode(output="stored"), lambda: decode(output="modality")),
    ("decode", "dtype"): (lambda: decode(dtype=torch.int16), lambda: decode(dtype=torch.int32)),
    ("decode", "region"): (
        lambda: decode(region=(0, 2, 0, 4)),
        lambda: decode(region=(1, 3, 0, 4)),
    ),
    ("decode", "reduce"): (lambda: decode(reduce=0), lambda: decode(reduce=1)),
    ("decode", "codec"): (decoded, lambda: decoded(codec="gdcm")),
    ("decode", "rwvm"): (
        lambda: decoded(MAPS, output="real_world", rwvm="a"),
        lambda: decoded(MAPS, output="real_world", rwvm="b"),
    ),
    ("decode", "out"): (
        lambda: is_out(td.decode, FRAMES, SHORTS),
        lambda: is_out(td.decode, FRAMES, None) or 0,
    ),
    ("decode", "num_threads"): (
        lambda: threads_used(td.decode, FRAMES, 1),
        lambda: threads_used(td.decode, FRAMES, 2),
    ),
    ("decode", "backend"): (
        lambda: native_loads_counted(td.decode, "native"),
        lambda: native_loads_counted(td.decode, "reference"),
    ),
    ("read_header", "source"): (lambda: header(source=ONE), lambda: header(source=OTHER)),
    ("scan", "paths"): (lambda: scanned(ONE), lambda: scanned(TWO)),
    ("scan", "index"): (lambda: is_saved(None), lambda: is_saved("index")),
    ("scan", "num_threads"): (lambda: threads_of_scan(1), lambda: threads_of_scan(3)),
    ("scan", "progress"): (lambda: bar_shown(progress=False), lambda: bar_shown(progress=True)),
    ("scan", "include_metadata"): (
        lambda: scanned(ONE),
        lambda: scanned(ONE, include_metadata=["SeriesDescription"]),
    ),
    ("open_index", "path"): (lambda: opened(ONE), lambda: opened(TWO)),
    ("open_index", "root"): (lambda: opened(ONE, "/here"), lambda: opened(ONE, "/there")),
    ("set_num_threads", "num_threads"): (lambda: threads_after(1), lambda: threads_after(5)),
    ("collate", "samples"): (lambda: collated([[1]]), lambda: collated([[1], [1]])),
    ("collate", "pad"): (
        lambda: collated([[1], [1, 1]], pad=2),
        lambda: collated([[1], [1, 1]], pad=3),
    ),
    ("Window", "center"): (
        lambda: load(output=td.Window(-1020, 10)),
        lambda: load(output=td.Window(-1019, 10)),
    ),
    ("Window", "width"): (
        lambda: load(output=td.Window(-1020, 10)),
        lambda: load(output=td.Window(-1020, 11)),
    ),
    **{("Policy", code): policy_effects(code) for code in ACTIONS},
    ("Policy", "spacing_tolerance"): (
        lambda: with_tolerance("spacing_tolerance", 0.29),
        lambda: with_tolerance("spacing_tolerance", 0.31),
    ),
    ("Policy", "fill_value"): (lambda: with_fill_value(None), lambda: with_fill_value(7.0)),
    ("Policy", "position_tolerance_mm"): (
        lambda: with_tolerance("position_tolerance_mm", 0.59),
        lambda: with_tolerance("position_tolerance_mm", 0.61),
    ),
}


# Each of these outputs changes something by itself.
OF_OUTPUTS: dict[str, Pair] = {
    "suv": (lambda: decoded(PET, output="modality"), lambda: decoded(PET, output="suv")),
    "philips_fp": (
        lambda: decoded(PHILIPS, output="modality"),
        lambda: decoded(PHILIPS, output="philips_fp"),
    ),
    "suv of a series": (
        lambda: listed(PET, output="modality"),
        lambda: listed(PET, output="suv"),
    ),
    "philips_fp of a series": (
        lambda: listed(PHILIPS, output="modality"),
        lambda: listed(PHILIPS, output="philips_fp"),
    ),
}

# The same for a series of an index, whose other options `load` has too.
OF_SERIES: dict[str, Pair] = {
    "output": (lambda: listed(output="stored"), lambda: listed(output="modality")),
    "region": (lambda: listed(region=(0, 2, 0, 4)), lambda: listed(region=(1, 3, 0, 4))),
    "reduce": (lambda: listed(reduce=0), lambda: listed(reduce=1)),
    "codec": (listed, lambda: listed(codec="gdcm")),
    "rwvm": (
        lambda: listed(MAPS, output="real_world", rwvm="a"),
        lambda: listed(MAPS, output="real_world", rwvm="b"),
    ),
}
