"""What patches read of their volumes, and the buffer that mixes them."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch.utils.data import RandomSampler

import torchdicom as td
from builders import RLE, ct_slice
from builders_frames import encapsulated, even, rle_frame
from compare import assert_same_bits
from scanning import in_child
from torchdicom._training._patches import (
    PatchBuffer,
)
from training import contents, position, ramp, write_volume, write_volumes

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_volume(tmp_path / "ct")


# --- what is read


READ = """
folder, buffer, size = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
index = td.scan(folder)
dataset = td.PatchDataset(index, size, patches_per_volume=4, buffer=buffer)
td.load(index[0], num_threads=1)
counts, positions = [], []
for i in range(4):
    found = []
    counts.append(bytes_read(lambda: found.append(dataset.read(i, num_threads=1))))
    positions.append(found[0]["position"].tolist())
json.dump([counts, positions], sys.stdout)
"""


def test_no_more_is_read_than_a_patch_needs(tmp_path: Path) -> None:
    shape = (6, 64, 100)
    folder = write_volume(tmp_path, np.zeros(shape, np.int16))
    counts, _ = in_child(READ, folder, "null", "[2, 8, 8]")
    # Two slices, of each eight rows of 100 voxels of two bytes.
    assert counts == [2 * 8 * 100 * 2] * 4


def test_patches_of_a_buffer_are_one_read(tmp_path: Path) -> None:
    folder = write_volume(tmp_path, np.zeros((12, 64, 100), np.int16))
    counts, positions = in_child(READ, folder, "1", "[2, 8, 8]")
    slices = {z + dz for z, _, _ in positions for dz in (0, 1)}
    rows = max(y for _, y, _ in positions) + 8 - min(y for _, y, _ in positions)
    assert counts == [len(slices) * rows * 100 * 2, 0, 0, 0]


def test_compressed_slices_are_decoded_alone(tmp_path: Path) -> None:
    for i in range(6):
        frame = even(rle_frame(np.full((8, 8), i, np.int16)))
        data = ct_slice(
            syntax=RLE,
            pixel_element=encapsulated([[frame]]),
            Rows=8,
            Columns=8,
            BitsAllocated=16,
            BitsStored=16,
            HighBit=15,
            PixelRepresentation=1,
            SOPInstanceUID=f"1.2.3.4.{i}",
            ImagePositionPatient=(0, 0, i * 2.5),
            RescaleIntercept=0,
        )
        (tmp_path / f"{i}.dcm").write_bytes(data)
    index = td.scan(tmp_path)
    (tmp_path / "5.dcm").unlink()
    dataset = td.PatchDataset(index, (2, 4, 4), patches_per_volume=8, mode="random")
    seen = 0
    for i in range(8):
        try:
            sample = dataset[i]
        except FileNotFoundError:
            continue
        z = sample["position"][0].item()
        assert z < 4
        assert sample["image"][0, :, 0, 0].tolist() == [z, z + 1]
        seen += 1
    assert seen > 0


# --- the buffer


def test_buffer_gives_each_patch_once() -> None:
    buffer, reads = PatchBuffer(2), []

    def read() -> dict[int, str]:
        reads.append(1)
        return {0: "a", 1: "b"}

    assert buffer.take((0, 0), 1, read) == "b"
    assert buffer.take((0, 0), 1, read) is None
    assert len(buffer) == 1
    assert buffer.take((0, 0), 0, read) == "a"
    assert (len(buffer), len(reads)) == (0, 1)


def test_buffer_forgets_the_oldest() -> None:
    buffer, reads = PatchBuffer(2), Counter[int]()
    for volume in (0, 1, 0, 2, 0, 1):

        def read(volume: int = volume) -> dict[int, int]:
            reads[volume] += 1
            return dict.fromkeys(range(5), volume)

        patch = reads.total()
        assert buffer.take((0, volume), min(patch, 4), read) in {volume, None}
    # 1 went when 2 came, and was read again.
    assert reads == {0: 1, 1: 2, 2: 1}
    assert len(buffer) == 2
    buffer.clear()
    assert len(buffer) == 0


def test_buffer_reads_again_after_a_failure() -> None:
    buffer = PatchBuffer(2)

    def fails() -> dict[int, str]:
        raise OSError

    for _ in range(2):
        with pytest.raises(OSError):  # noqa: PT011 - whatever the read raises
            buffer.take((0, 0), 0, fails)
    assert len(buffer) == 0
    assert buffer.take((0, 0), 0, lambda: {0: "a"}) == "a"


def test_threads_read_a_volume_once(tmp_path: Path) -> None:
    dataset = td.PatchDataset(write_volumes(tmp_path, 4), (2, 2, 2), patches_per_volume=8, buffer=2)
    expected = contents(
        td.PatchDataset(td.scan(tmp_path), (2, 2, 2), patches_per_volume=8, buffer=2)
    )
    reads: Counter[int] = Counter()
    real = dataset._read_all

    def counted(volume: int, epoch: int, num_threads: int | None) -> Any:
        reads[volume] += 1
        return real(volume, epoch, num_threads)

    dataset._read_all = counted  # type: ignore[method-assign]
    found: dict[int, Any] = {}

    def work(first: int) -> None:
        for i in range(first, 32, 4):
            sample = dataset[i]
            found[i] = (sample["series"], position(sample))

    threads = [threading.Thread(target=work, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[i] for i in range(32)] == expected
    assert sum(reads.values()) <= 8  # 4 but for threads that ran far ahead of others


def test_any_order_gives_the_same_patches(tmp_path: Path) -> None:
    folder = write_volumes(tmp_path, 5)
    dataset = td.PatchDataset(folder, (2, 2, 2), patches_per_volume=3, buffer=1)
    expected = contents(dataset)
    order = list(RandomSampler(range(15), generator=torch.Generator().manual_seed(1)))
    for i in [*order, *order]:
        sample = dataset[i]
        assert (sample["series"], position(sample)) == expected[i]
        volume = int(sample["series"].rpartition(".")[2]) - 1
        z, y, x = position(sample)
        assert sample["image"][0, 0, 0, 0].item() == 1000 * volume + 100 * z + 10 * y + x


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.int16])
def test_types_of_patches_of_a_buffer(folder: Path, dtype: torch.dtype) -> None:
    options: dict[str, Any] = {"patches_per_volume": 3, "dtype": dtype}
    kept = td.PatchDataset(folder, (3, 4, 5), buffer=1, **options)
    places = {position(sample): sample["image"] for sample in kept}
    for sample in td.PatchDataset(folder, (3, 4, 5), **options):
        z, y, x = position(sample)
        expected = torch.from_numpy(ramp()[None, z : z + 3, y : y + 4, x : x + 5].copy()).to(dtype)
        assert_same_bits(places[z, y, x], expected)
        assert_same_bits(sample["image"], expected)
