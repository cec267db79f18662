"""pydicom, in the ways people use it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pydicom

from benchmarks.case import Case, Contender, Load
from benchmarks.contenders.pydicom_loop import pydicom_loop

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_PLUGINS: Final = ("pylibjpeg", "gdcm", "pillow", "pyjpegls")


def height(ds: pydicom.Dataset) -> float:
    """Position of a slice along its normal."""
    orientation = np.array(ds.ImageOrientationPatient, dtype=float)
    normal = np.cross(orientation[:3], orientation[3:])
    return float(np.dot(normal, np.array(ds.ImagePositionPatient, dtype=float)))


def rescaled(ds: pydicom.Dataset, stored: np.ndarray) -> np.ndarray:
    """Modality values of one slice."""
    slope, intercept = float(ds.get("RescaleSlope", 1)), float(ds.get("RescaleIntercept", 0))
    return (stored * slope + intercept).astype(np.float32)


def read_slice(path: Path, plugin: str = "") -> tuple[float, np.ndarray]:
    """Height and modality values of one file."""
    ds = pydicom.dcmread(path)
    if plugin:
        ds.pixel_array_options(decoding_plugin=plugin)
    return height(ds), rescaled(ds, ds.pixel_array)


def stacked(slices: list[tuple[float, np.ndarray]]) -> np.ndarray:
    """The slices in order, as one array."""
    slices.sort(key=lambda one: one[0])
    return np.stack([values for _, values in slices])


def volume_of(case: Case, read: Callable[[Path], tuple[float, np.ndarray]], threads: int) -> Load:
    """Reads each file of the case, on threads that stay between volumes, and stacks them."""
    if threads == 1:
        return lambda: stacked([read(path) for path in case.files])
    pool = ThreadPoolExecutor(threads)
    return lambda: stacked(list(pool.map(read, case.files)))


def _loop(case: Case) -> Load:
    return partial(pydicom_loop, case.folder)


def _plugin(plugin: str) -> Callable[[Case], Load]:
    def prepare(case: Case) -> Load:
        _require(plugin, case)
        return volume_of(case, lambda path: read_slice(path, plugin), 1)

    return prepare


def _threads(case: Case) -> Load:
    return volume_of(case, read_slice, 2)


def _data_loader(case: Case) -> Load:
    """A DataLoader over slices, with two workers that stay between volumes."""
    import torch.utils.data  # noqa: PLC0415

    class Slices(torch.utils.data.Dataset[tuple[float, np.ndarray]]):
        def __init__(self) -> None:
            self.paths = case.files

        def __len__(self) -> int:
            return len(self.paths)

        def __getitem__(self, index: int) -> tuple[float, np.ndarray]:
            return read_slice(self.paths[index])

    loader: Any = torch.utils.data.DataLoader(
        Slices(), batch_size=None, num_workers=2, persistent_workers=True
    )
    return lambda: stacked([(float(z), np.asarray(values)) for z, values in loader])


def _frames(plugin: str = "") -> Callable[[Case], Load]:
    def prepare(case: Case) -> Load:
        if plugin:
            _require(plugin, case)
        path = case.files[0]

        def load() -> np.ndarray:
            ds = pydicom.dcmread(path)
            if plugin:
                ds.pixel_array_options(decoding_plugin=plugin)
            return ds.pixel_array

        return load

    return prepare


def _require(plugin: str, case: Case) -> None:
    """Stand aside where the plugin is not for this syntax: it's not in the race, not wrong."""
    from pydicom.pixels.decoders.base import get_decoder  # noqa: PLC0415

    decoder = get_decoder(pydicom.uid.UID(case.transfer_syntax))
    if not case_is_encapsulated(case) or plugin not in decoder.available_plugins:
        raise NotImplementedError


def case_is_encapsulated(case: Case) -> bool:
    """Whether the syntax needs a codec for its pixels."""
    return pydicom.uid.UID(case.transfer_syntax).is_encapsulated


def as_frames(pixels: Any) -> np.ndarray:
    """(n, y, x), where a single frame came as (y, x)."""
    values = np.asarray(pixels)
    return values if values.ndim == 3 else values[None]


VOLUME: Final = (
    Contender("pydicom loop", _loop),
    *(Contender(f"pydicom + {name}", _plugin(name)) for name in _PLUGINS),
    Contender("pydicom, threads", _threads, 2),
    Contender("pydicom, DataLoader", _data_loader, 2, modules=("torch.utils.data",)),
)
FRAMES: Final = (
    Contender("pydicom", _frames(), values=as_frames),
    *(Contender(f"pydicom + {name}", _frames(name), values=as_frames) for name in _PLUGINS),
)
