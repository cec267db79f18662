"""A volume keeps its bits whatever happens to what made it; its memory comes back afterwards."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import signal
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

import torchdicom as td
from builders import Cells, ct_slice, write_series
from compare import assert_same_bits, assert_volumes_equal
from helpers import Backend, FolderDataset, expect_error, first
from torchdicom import _ext

SHAPE = (6, 512, 512)


def noise(seed: int) -> Cells:
    return np.random.default_rng(seed).integers(-1000, 1000, SHAPE, np.int16)


def expected(seed: int) -> torch.Tensor:
    return torch.from_numpy(noise(seed).astype(np.float32) - 1024)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Three series of 6 MiB as float32: large enough for the pool."""
    made = []
    for seed in range(3):
        folder = tmp_path_factory.mktemp(f"series{seed}")
        write_series(folder, SHAPE[0], pixels=list(noise(seed)))
        made.append(str(folder))
    return made


def test_views_outlive_the_volume(folders: list[str], backend: Backend) -> None:
    volume = td.load(folders[0], backend=backend)
    whole = volume.data
    views = [
        whole[2],
        whole[:, 100:200, ::3],
        whole.permute(2, 1, 0),
        torch.from_numpy(whole.numpy()),
    ]
    copies = [view.clone() for view in views]
    del volume, whole
    gc.collect()
    for folder in folders[1:]:
        td.load(folder, backend=backend)
    for view, kept in zip(views, copies, strict=True):
        assert_same_bits(view, kept)
    assert_same_bits(views[0], expected(0)[2])


def test_pool_reuses_memory_after_the_last_view(folders: list[str]) -> None:
    td.empty_pool()
    volume = td.load(folders[0])
    address = volume.data.data_ptr()
    view = volume.data[3, 4]
    del volume
    gc.collect()
    other = td.load(folders[1])
    assert other.data.data_ptr() != address
    assert_same_bits(view, expected(0)[3, 4])
    del view
    gc.collect()
    again = td.load(folders[2])
    assert again.data.data_ptr() == address
    assert_same_bits(again.data, expected(2))
    assert_same_bits(other.data, expected(1))


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_empty_pool_gives_memory_back(folders: list[str]) -> None:
    kept = td.load(folders[0])
    td.load(folders[1])
    gc.collect()
    before = resident_bytes()
    assert td.empty_pool() >= 5 << 20
    assert before - resident_bytes() >= 5 << 20
    assert td.empty_pool() == _ext.pooled_bytes() == 0
    assert_same_bits(kept.data, expected(0))
    assert_same_bits(td.load(folders[1]).data, expected(1))


def test_loaded_memory_is_writable(folders: list[str], backend: Backend) -> None:
    volume = td.load(folders[0], backend=backend)
    volume.data.add_(1)
    assert_same_bits(volume.data, expected(0) + 1)
    assert_same_bits(td.load(folders[0], backend=backend).data, expected(0))


def test_pickle_and_copy(folders: list[str], backend: Backend) -> None:
    volume = td.load(folders[0], backend=backend)
    for twin in (pickle.loads(pickle.dumps(volume)), copy.deepcopy(volume)):
        assert_volumes_equal(twin, volume)


def check_in_child(volume: td.Volume, folders: list[str]) -> int:
    """What the forked child does; NumPy compares, since OpenMP does not survive a fork."""
    kept = np.array_equal(volume.data.numpy(), noise(0) - np.float32(1024))
    del volume
    again = np.array_equal(td.load(folders[1]).data.numpy(), noise(1) - np.float32(1024))
    td.empty_pool()
    return 0 if kept and again else 1


def test_fork_keeps_the_bits_and_can_load(folders: list[str]) -> None:
    volume = td.load(folders[0])
    with warnings.catch_warnings():
        # Threads of torch are alive; the child uses none of them.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        code = 2
        try:
            signal.alarm(30)  # a deadlock ends the child, not the test run
            code = check_in_child(volume, folders)
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert_same_bits(volume.data, expected(0))


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_through_a_data_loader_worker(folders: list[str], backend: Backend, start: str) -> None:
    loader = DataLoader(
        FolderDataset(folders, backend),
        num_workers=1,
        collate_fn=first,
        multiprocessing_context=start,
    )
    volumes = list(loader)
    del loader
    gc.collect()
    for seed, volume in enumerate(volumes):
        assert_same_bits(volume.data, expected(seed))
        assert_volumes_equal(volume, td.load(folders[seed], backend=backend))


def test_error_crosses_a_worker_as_the_same_class(tmp_path: Path, backend: Backend) -> None:
    loader = DataLoader(FolderDataset([str(tmp_path)], backend), num_workers=1, collate_fn=first)
    with pytest.raises(td.SeriesError, match="empty_folder"):
        next(iter(loader))


def test_error_pickles_with_its_attributes(backend: Backend) -> None:
    with expect_error("invalid_decimal_string") as caught:
        td.decode(ct_slice(RescaleSlope="1,5"), output="modality", backend=backend)
    error = caught.value
    twin = pickle.loads(pickle.dumps(error))
    assert (type(twin), str(twin)) == (type(error), str(error))
    for name in ("code", "path", "element", "offset"):
        assert getattr(twin, name) == getattr(error, name)


def test_out_is_filled_and_returned(folders: list[str], backend: Backend) -> None:
    out = torch.full(SHAPE, -7.0)
    volume = td.load(folders[0], out=out, backend=backend)
    assert volume.data is out
    assert_same_bits(out, expected(0))
    frame = torch.zeros((1, 3, 4), dtype=torch.int16)
    assert td.decode(ct_slice(), out=frame, backend=backend) is frame
    assert frame.flatten().tolist() == list(range(12))


def test_out_may_be_a_slice_of_a_batch(folders: list[str], backend: Backend) -> None:
    batch = torch.zeros((3, *SHAPE))
    td.load(folders[1], out=batch[1], backend=backend)
    assert_same_bits(batch[1], expected(1))
    assert not batch[0].any()
    assert not batch[2].any()


def unusable_outputs() -> dict[str, torch.Tensor]:
    transposed = torch.zeros((6, 512, 512)).transpose(1, 2)
    return {
        "one slice more": torch.zeros((7, 512, 512)),
        "flat": torch.zeros(6 * 512 * 512),
        "dtype": torch.zeros(SHAPE, dtype=torch.float64),
        "transposed": transposed,
        "strided": torch.zeros((6, 512, 1024))[:, :, ::2],
        "expanded": torch.zeros((1, 512, 512)).expand(SHAPE),
        "meta": torch.zeros(SHAPE, device="meta"),
    }


@pytest.mark.parametrize("name", unusable_outputs())
def test_out_that_does_not_fit(folders: list[str], backend: Backend, name: str) -> None:
    out = unusable_outputs()[name]
    with pytest.raises(ValueError, match="out") as caught:
        td.load(folders[0], out=out, backend=backend)
    assert not isinstance(caught.value, td.DicomError)
    assert out.device.type == "meta" or not out.any()


def test_out_may_be_an_array(folders: list[str], backend: Backend) -> None:
    array = np.zeros(SHAPE, np.float32)
    volume = td.load(folders[0], out=array, backend=backend)
    assert volume.data.data_ptr() == array.ctypes.data
    assert_same_bits(torch.from_numpy(array), expected(0))
    array.flags.writeable = False
    with pytest.raises(ValueError, match="out is read-only"):
        td.load(folders[0], out=array, backend=backend)
