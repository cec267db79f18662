"""Help for tests of the training datasets: small volumes whose values tell where they lie."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.distributed
from torch.utils.data import DistributedSampler

import torchdicom as td
from builders import write_series
from builders_forms import native_file

if TYPE_CHECKING:
    from pathlib import Path

# Of `builders`: where the first voxel is, and how far apart voxels are.
ORIGIN = (-10.0, -20.0, 30.0)
STEP = 2.5
SHAPE = (8, 10, 12)
ULTRASOUND: dict[str, Any] = {
    "SOPClassUID": "1.2.840.10008.5.1.4.1.1.3.1",
    "Modality": "US",
    "ImagePositionPatient": None,
    "ImageOrientationPatient": None,
    "PixelSpacing": None,
    "RescaleSlope": None,
    "RescaleIntercept": None,
}


def ramp(shape: tuple[int, int, int] = SHAPE) -> np.ndarray[Any, Any]:
    """100 z + 10 y + x, which is linear, so that interpolation between voxels has it exactly."""
    z, y, x = np.indices(shape)
    values: np.ndarray[Any, Any] = (100 * z + 10 * y + x).astype(np.int16)
    return values


def write_volume(
    folder: Path, cells: np.ndarray[Any, Any] | None = None, **attributes: Any
) -> Path:
    """A CT whose modality values are the cells; spacing 2.5, 0.5 and 0.25 mm."""
    values = ramp() if cells is None else cells
    uid = attributes.setdefault("SeriesInstanceUID", "1.2.3.4")
    attributes.setdefault("RescaleIntercept", 0)
    attributes.setdefault("SOPInstanceUID", [f"{uid}.{i}" for i in range(len(values))])
    write_series(folder, len(values), step_mm=STEP, pixels=list(values), **attributes)
    return folder


def write_volumes(
    folder: Path, count: int, shape: tuple[int, int, int] = (4, 3, 4), **attributes: Any
) -> Path:
    """Volumes of keys "1.2.3.1" ...; all voxels of number i are 1000 i and what the ramp has."""
    for i in range(count):
        cells = ramp(shape) + np.int16(1000 * i)
        write_volume(folder / str(i), cells, SeriesInstanceUID=f"1.2.3.{i + 1}", **attributes)
    return folder


def ramp_at(affine: torch.Tensor, shape: torch.Size | tuple[int, ...]) -> torch.Tensor:
    """The ramp at the place of each voxel of an affine, by the geometry of `builders` alone.

    Not beyond the outermost centres: interpolation ends there.
    """
    index = torch.stack(torch.meshgrid(*(torch.arange(n) for n in shape), indexing="ij"), -1)
    at_mm = index.double() @ affine[:3, :3].T + affine[:3, 3]
    x, y, z = (
        (at_mm - torch.tensor(ORIGIN, dtype=torch.float64)) / torch.tensor([0.25, 0.5, STEP])
    ).unbind(-1)
    limits = (torch.tensor(n - 1.0) for n in SHAPE)
    z, y, x = (
        one.clamp(torch.tensor(0.0), last) for one, last in zip((z, y, x), limits, strict=True)
    )
    return 100 * z + 10 * y + x


def place(sample: dict[str, Any], voxel: tuple[int, ...]) -> list[float]:
    """Where a voxel (z, y, x) of a sample lies, in millimetres."""
    at: torch.Tensor = sample["affine"] @ torch.tensor([*voxel, 1.0], dtype=torch.float64)
    return at[:3].tolist()


def colour_file(cells: np.ndarray[Any, Any], **attributes: Any) -> bytes:
    """An ultrasound in colour, of cells (frames, rows, columns, 3) of 8 bits."""
    rgb = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}
    frames, rows, columns, _ = cells.shape
    return native_file(
        cells.tobytes(),
        (rows, columns),
        allocated=8,
        frames=frames,
        **ULTRASOUND | rgb | attributes,
    )


class Times:
    """A transform that pickles: multiplies the image."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __call__(self, sample: dict[str, Any]) -> dict[str, Any]:
        return {**sample, "image": sample["image"] * self.factor}


def run_rank(rank: int, folder: str) -> None:
    """One of two processes of a training, which tell each other what they saw, by kind."""
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=2
    )
    warnings.simplefilter("ignore")
    index = td.open_index(f"{folder}/index.parquet")
    datasets: dict[str, Any] = {
        "volume": td.VolumeDataset(index, on_error="quarantine"),
        "patch": td.PatchDataset(index, (2, 2, 2), patches_per_volume=2, on_error="quarantine"),
    }
    mine = {kind: _seen_by_rank(dataset) for kind, dataset in datasets.items()}
    every: list[Any] = [None, None]
    torch.distributed.all_gather_object(every, mine)
    torch.save(every, f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


def _seen_by_rank(dataset: Any) -> dict[str, Any]:
    """The samples of two epochs, one by one and by a `Loader`, as (number, series)."""
    sampler: DistributedSampler[Any] = DistributedSampler(dataset, shuffle=True, seed=2)
    loader = td.Loader(dataset, 2, sampler=sampler)
    epochs, batches = [], []
    for epoch in range(2):
        sampler.set_epoch(epoch)
        if hasattr(dataset, "set_epoch"):
            dataset.set_epoch(epoch)
        seen = []
        for i in sampler:
            sample = dataset[i]
            seen.append((i, sample["series"]))
            total = sample["image"].sum()
            torch.distributed.all_reduce(total)  # a rank with fewer samples would hang here
        epochs.append(seen)
        keys = [key for batch in loader for key in batch["series"]]
        batches.append(list(zip(sampler, keys, strict=True)))
    quarantined = [(one.key, one.code) for one in dataset.quarantined]
    return {"epochs": epochs, "batches": batches, "quarantined": quarantined}


def image_of(source: Any, **options: Any) -> torch.Tensor:
    """The image of the first volume."""
    image: torch.Tensor = td.VolumeDataset(source, **options)[0]["image"]
    return image


def position(sample: dict[str, Any]) -> tuple[int, ...]:
    """Where a patch starts."""
    return tuple(sample["position"].tolist())


def contents(dataset: td.PatchDataset) -> list[tuple[str, tuple[int, ...]]]:
    """The series and place of every patch, in order."""
    return [(sample["series"], position(sample)) for sample in dataset]


def write_six(folder: Path) -> td.Index:
    """Six CTs of 8 slices of 40 x 36."""
    cells = np.random.default_rng(4).integers(0, 1000, (6, 8, 40, 36), np.int16)
    for k in range(6):
        write_series(folder / str(k), 8, pixels=list(cells[k]), SeriesInstanceUID=f"1.2.{k}")
    return td.scan(folder)
