"""`ImageDataset.read_batch`: many files in one call of the core, sample for sample as `read`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch.utils.data import ConcatDataset, Subset

import torchdicom as td
from compare import assert_same_bits
from torchdicom import _ext, _native
from training import ramp, write_volume, write_volumes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_volume(tmp_path / "ct")


def slices_of(source: Any, **options: Any) -> td.ImageDataset:
    return td.ImageDataset(source, kinds=("volume",), **{"output": "modality", **options})


def room_for(dataset: td.ImageDataset, count: int) -> torch.Tensor:
    shape = dataset.image_shape(0)
    assert shape is not None
    return torch.full((count, *shape), -7, dtype=dataset.image_dtype)


def check_batch(dataset: td.ImageDataset, indices: Sequence[int], num_threads: int) -> None:
    """Each sample is that of `read`, and its image where it was asked for."""
    out = room_for(dataset, len(indices))
    batch = dataset.read_batch(indices, out=out, num_threads=num_threads)
    assert len(batch) == len(indices)
    for k, i in enumerate(indices):
        alone = dataset.read(i)
        assert list(batch[k]) == list(alone)
        assert batch[k]["image"].data_ptr() == out[k].data_ptr()
        for name, value in alone.items():
            if isinstance(value, torch.Tensor):
                assert_same_bits(batch[k][name], value)
            else:
                assert batch[k][name] == value


@pytest.mark.parametrize("num_threads", [1, 3])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"channels": 3, "size": (5, 7), "mean": (1.0, 2.0, 3.0), "std": (2.0, 3.0, 4.0)},
        {"output": td.Window(400, 800), "dtype": torch.float16},
        {"output": "stored", "dtype": torch.int32},
        {"clip": (100.0, 300.0), "dtype": torch.bfloat16},
        {"target": {"1.2.3.4": 9}},
        {"output": td.Window(400, 800), "reduce": 1},
        {"output": "window", "on_error": "quarantine"},
        {"mask": True},
    ],
)
def test_is_what_reads_give(folder: Path, options: dict[str, Any], num_threads: int) -> None:
    write_volume(folder, WindowCenter=300, WindowWidth=500)
    check_batch(slices_of(folder, **options), [3, 0, 7, -1, 3], num_threads)
    assert slices_of(folder, **options).read_batch([], out=torch.zeros(0, 1, 10, 12)) == []


def test_values_are_where_they_belong(folder: Path) -> None:
    dataset = slices_of(folder)
    out = room_for(dataset, 3)
    frames = [sample["frame"] for sample in dataset.read_batch([6, 1, 4], out=out)]
    assert frames == [6, 1, 4]
    assert out.tolist() == ramp()[[6, 1, 4], None].tolist()


def test_only_what_is_decoded_frame_by_frame_goes_together(folder: Path) -> None:
    assert slices_of(folder).samples_at_once > 1
    for options in (
        {"mask": True},
        {"transform": lambda sample: sample},
        {"label": lambda _: torch.zeros(8, 10, 12)},
        {"output": "window"},
        {"reduce": 1},
    ):
        assert slices_of(folder, **options).samples_at_once == 1
    assert td.VolumeDataset(folder).samples_at_once == 1


def test_volumes_have_batches_too(tmp_path: Path) -> None:
    dataset = td.VolumeDataset(write_volumes(tmp_path, 3))
    out = torch.zeros(2, 1, 4, 3, 4)
    keys = [sample["series"] for sample in dataset.read_batch([2, 0], out=out, num_threads=1)]
    assert keys == ["1.2.3.3", "1.2.3.1"]
    assert out.tolist() == [[(ramp((4, 3, 4)) + 2000).tolist()], [ramp((4, 3, 4)).tolist()]]


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ((2, 1, 10, 12), "there are 3 samples"),
        ((3, 1, 10, 11), "of shape"),
        ((3, 3, 10, 12), "of shape"),
        ((), "there are 3 samples"),
    ],
)
def test_memory_must_fit(folder: Path, shape: tuple[int, ...], told: str) -> None:
    for options in ({}, {"mask": True}):
        with pytest.raises(ValueError, match=told):
            slices_of(folder, **options).read_batch([0, 1, 2], out=torch.zeros(shape))
    with pytest.raises(ValueError, match="contiguous"):
        slices_of(folder).read_batch([0], out=torch.zeros(1, 1, 12, 10).mT)
    with pytest.raises(IndexError, match="no sample 8"):
        slices_of(folder).read_batch([0, 8], out=room_for(slices_of(folder), 2))


def file_of(folder: Path, frame: int) -> Path:
    return folder / f"{frame:04}.dcm"


@pytest.mark.parametrize("way", ["gone", "cut", "touched"])
def test_a_file_that_is_not_there_is_told_as_by_read(folder: Path, way: str) -> None:
    dataset = slices_of(td.scan(folder))
    path = file_of(folder, 5)
    if way == "gone":
        path.unlink()
    elif way == "cut":
        path.write_bytes(path.read_bytes()[:-8])
    else:  # another file of the same size
        os.utime(path, ns=(1, 1))
    with pytest.raises((OSError, td.DicomError)) as alone:
        dataset.read(5)
    with pytest.raises(type(alone.value)) as together:
        dataset.read_batch([4, 5, 6], out=room_for(dataset, 3))
    assert str(together.value) == str(alone.value)
    assert "0005.dcm" in str(together.value)
    with pytest.raises(type(alone.value), match=r"0005\.dcm"):
        list(td.Loader(dataset, 8, num_threads=1))


def test_quarantine_takes_others(folder: Path) -> None:
    dataset = slices_of(td.scan(folder), on_error="quarantine", seed=3)
    path = file_of(folder, 2)
    data, known = path.read_bytes(), path.stat()
    path.unlink()
    out = room_for(dataset, 8)
    with pytest.warns(td.DicomWarning, match=r"0002\.dcm"):
        batch = dataset.read_batch(range(8), out=out)
    other = batch[2]["frame"]
    assert list(dataset.failures) == [2]
    assert other != 2
    assert [sample["frame"] for sample in batch] == [0, 1, other, 3, 4, 5, 6, 7]
    assert out.tolist() == ramp()[[0, 1, other, 3, 4, 5, 6, 7], None].tolist()
    assert dataset.read(2)["frame"] == other
    # It stays away in this epoch, there or not: all ranks have the same samples.
    path.write_bytes(data)
    os.utime(path, ns=(known.st_atime_ns, known.st_mtime_ns))
    assert dataset.read_batch([2], out=room_for(dataset, 1))[0]["frame"] == other


@pytest.mark.parametrize("num_threads", [1, 2])
def test_through_subsets_and_concatenations(folder: Path, tmp_path: Path, num_threads: int) -> None:
    other = write_volume(tmp_path / "b", ramp() + np.int16(5000), SeriesInstanceUID="1.9")
    parts: list[Any] = [slices_of(folder), slices_of(other)]
    joined: Subset[Any] = Subset(ConcatDataset(parts), [*range(3, 16), 0, 1, 2])
    found = [batch["image"] for batch in td.Loader(joined, 8, num_threads=num_threads)]
    values = np.concatenate([ramp(), ramp() + 5000])[[*range(3, 16), 0, 1, 2], None]
    assert torch.cat(found).tolist() == values.tolist()


def test_a_call_of_the_core(folder: Path) -> None:
    """Its flags say which are there, and the others stay as they were or are undefined."""
    series = td.scan(folder).series[0]
    known = [series._files.known(frame) for frame in range(4)]
    options: dict[str, Any] = {"output": "modality", "dtype": None, "reduce": 0, "finish": None}
    wrong = [
        known[1]._replace(path=str(folder / "none")),
        known[1]._replace(frame=1),
        known[1]._replace(size=known[1].size + 1),
        known[1]._replace(mtime_ns=0),
    ]
    for one in wrong:
        out = torch.zeros(3, 1, 10, 12)
        files = [known[2], one, known[3]]
        made = _native.decode_each(files, out=out, num_threads=2, **options)
        assert made == [True, False, True]
        assert out[[0, 2]].tolist() == ramp()[[2, 3], None].tolist()
    with pytest.raises(ValueError, match="memory that is not of so many frames"):
        _native.decode_each([], out=torch.zeros(1, 1, 10, 12), num_threads=1, **options)
    assert (
        _native.decode_each(known, out=torch.zeros(4, 1, 10, 11), num_threads=1, **options)
        == [False] * 4
    )


def test_one_call_counts_all_files(folder: Path) -> None:
    dataset = slices_of(folder)
    dataset.read_batch(range(8), out=room_for(dataset, 8), num_threads=2)
    stats = _ext.last_load_stats()
    assert (stats["files"], stats["threads"]) == (8, 2)
