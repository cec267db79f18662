"""`ImageDataset`: a sample a frame, whatever the frames are of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

import torchdicom as td
from builders import ct_slice
from builders_parts import DX_IMAGE
from compare import assert_same_bits
from training import SHAPE, ULTRASOUND, Times, colour_file, place, ramp, write_volume

if TYPE_CHECKING:
    from pathlib import Path

COLOURS = np.arange(72, dtype=np.uint8).reshape(2, 3, 4, 3)
CINE = np.arange(60, dtype=np.uint8).reshape(5, 3, 4)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_volume(tmp_path / "ct")


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A radiograph, a cine, and a cine in colour; keys 1.6, 1.7, 1.8."""
    tmp_path.joinpath("m").mkdir()
    radiograph = ct_slice(
        np.arange(12, dtype=np.int16).reshape(3, 4) * 10,
        **ULTRASOUND | {"SOPClassUID": DX_IMAGE, "Modality": "DX", "PixelSpacing": (0.2, 0.1)},
        SeriesInstanceUID="1.6",
        SOPInstanceUID="1.6.1",
    )
    cine = ct_slice(CINE, **ULTRASOUND, SeriesInstanceUID="1.7", SOPInstanceUID="1.7.1")
    colour = colour_file(COLOURS, SeriesInstanceUID="1.8", SOPInstanceUID="1.8.1")
    for name, data in {"dx": radiograph, "cine": cine, "colour": colour}.items():
        (tmp_path / "m" / name).write_bytes(data)
    return tmp_path / "m"


def slices_of(folder: Path, **options: Any) -> td.ImageDataset:
    return td.ImageDataset(folder, kinds=("volume",), **{"output": "modality", **options})


def test_slices_of_a_volume(folder: Path) -> None:
    dataset = slices_of(folder)
    assert len(dataset) == 8
    sample = dataset[5]
    assert list(sample) == ["image", "affine", "spacing_mm", "series", "frame"]
    assert sample["image"].tolist() == [ramp()[5].tolist()]
    assert sample["frame"] == 5
    assert sample["spacing_mm"].tolist() == [2.5, 0.5, 0.25]
    assert place(sample, (0, 2, 4)) == [-10 + 4 * 0.25, -20 + 2 * 0.5, 30 + 5 * 2.5]
    assert dataset[-1]["frame"] == 7
    with pytest.raises(IndexError):
        dataset[8]


def test_frames_of_everything(mixed: Path) -> None:
    dataset = td.ImageDataset(mixed, output="modality", channels=3)
    assert len(dataset) == 1 + 5 + 2
    places = [(sample["series"], sample["frame"]) for sample in dataset]
    assert places == [("1.6", 0), *(("1.7", i) for i in range(5)), ("1.8", 0), ("1.8", 1)]
    assert [tuple(sample["image"].shape) for sample in dataset] == [(3, 3, 4)] * 8
    for i in range(5):
        assert dataset[1 + i]["image"].tolist() == [CINE[i].tolist()] * 3
    assert dataset[7]["image"].tolist() == COLOURS[1].transpose(2, 0, 1).tolist()
    assert dataset[0]["affine"].isnan().all()
    assert dataset[0]["spacing_mm"][1:].tolist() == [0.2, 0.1]


def test_colours_are_no_single_channel(mixed: Path) -> None:
    with pytest.raises(ValueError, match=r"1 series are in colour, the first is 1\.8"):
        td.ImageDataset(mixed, output="modality")
    index = td.scan(mixed).filter(key=["1.6", "1.7"])
    assert tuple(td.ImageDataset(index, output="modality")[3]["image"].shape) == (1, 3, 4)


def test_colours_are_windowed_over_their_range(mixed: Path) -> None:
    index = td.scan(mixed).filter(key="1.8")
    image = td.ImageDataset(index, channels=3)[1]["image"]
    expected = (COLOURS[1].transpose(2, 0, 1) / 255.0).astype(np.float32)
    assert_same_bits(image, torch.from_numpy(expected))


def test_monochrome1_is_inverted_with_a_window(tmp_path: Path) -> None:
    for name in ("MONOCHROME1", "MONOCHROME2"):
        write_volume(tmp_path / name, PhotometricInterpretation=name)
    dark, bright = (
        slices_of(tmp_path / name, window=(400, 800))[3]["image"]
        for name in ("MONOCHROME1", "MONOCHROME2")
    )
    assert bright.tolist() == [(ramp()[3] / 800).astype(np.float32).tolist()]
    assert dark.tolist() == [(1 - ramp()[3] / 800).astype(np.float32).tolist()]
    plain = [slices_of(tmp_path / name)[3]["image"] for name in ("MONOCHROME1", "MONOCHROME2")]
    assert torch.equal(*plain)


def test_three_channels_have_their_own_mean(folder: Path) -> None:
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    dataset = slices_of(folder, window=(400, 800), channels=3, mean=mean, std=std)
    values = (ramp()[3].astype(np.float64) / 800).clip(0, 1)
    expected = np.stack([(values - m) / s for m, s in zip(mean, std, strict=True)])
    assert_same_bits(dataset[3]["image"], torch.from_numpy(expected.astype(np.float32)))


def test_size_moves_the_affine(folder: Path) -> None:
    dataset = slices_of(folder, size=(5, 24))
    sample = dataset[2]
    assert tuple(sample["image"].shape) == (1, 5, 24)
    assert sample["spacing_mm"].tolist() == [2.5, 1.0, 0.125]
    # The outer corner stays.
    first = place(sample, (0, 0, 0))
    assert first == [-10 - 0.125 + 0.0625, -20 - 0.25 + 0.5, 30 + 5]
    # Rows are halved: the mean of a ramp over the taps about a voxel is its value there.
    z, y, x = 2, 2, 12
    at = place(sample, (0, y, x))
    expected = 100 * z + 10 * (at[1] + 20) / 0.5 + (at[0] + 10) / 0.25
    assert sample["image"][0, y, x].item() == pytest.approx(expected, abs=1e-3)


def test_size_is_no_average_of_what_is_beside_it(folder: Path) -> None:
    assert_same_bits(slices_of(folder, size=(10, 12))[4]["image"], slices_of(folder)[4]["image"])


def test_mask(mixed: Path, tmp_path: Path) -> None:
    folder = write_volume(tmp_path / "pad", PixelPaddingValue=345)
    dataset = slices_of(folder, mask=True)
    assert dataset[3]["mask"].shape == (1, 10, 12)
    assert (~dataset[3]["mask"]).nonzero().tolist() == [[0, 4, 5]]
    assert dataset[2]["mask"].all()
    frames = td.ImageDataset(mixed, output="modality", channels=3, mask=True)
    for i in range(8):
        assert frames[i]["mask"].shape == (1, 3, 4)
        assert frames[i]["mask"].all()
        plain = td.ImageDataset(mixed, output="modality", channels=3)[i]["image"]
        assert_same_bits(frames[i]["image"], plain)


@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize(
    "options", [{}, {"size": (7, 9)}, {"mean": (1.0, 2.0, 3.0), "std": 2.0 * np.ones(3)}]
)
def test_into_memory_that_is_given(mixed: Path, options: dict[str, Any], *, mask: bool) -> None:
    dataset = td.ImageDataset(mixed, output="modality", channels=3, mask=mask, **options)
    for i in range(len(dataset)):
        shape = dataset.image_shape(i)
        assert shape == (3, *options.get("size", (3, 4)))
        out = torch.full(shape, -5.0)
        sample = dataset.read(i, out=out, num_threads=1)
        assert sample["image"] is out
        assert_same_bits(out, dataset[i]["image"])


def test_shape_is_not_known_before_a_transform(folder: Path) -> None:
    dataset = slices_of(folder, transform=Times(3))
    assert dataset.image_shape(0) is None
    assert dataset[1]["image"].tolist() == [(3 * ramp()[1]).tolist()]


def test_label_is_cut_to_the_frame(folder: Path, mixed: Path) -> None:
    marks = torch.arange(8 * 10 * 12).reshape(SHAPE)
    dataset = slices_of(folder, label=lambda _: marks)
    assert dataset[6]["label"].tolist() == [marks[6].tolist()]
    assert dataset[6]["label"].dtype == torch.int64
    small = slices_of(folder, label=lambda _: marks, size=(5, 6))[6]["label"]
    assert small.tolist() == [marks[6, 1::2, 1::2].tolist()]
    volume = td.load(folder, output="stored", dtype=torch.int32)
    placed = slices_of(folder, label=lambda _: volume)[6]
    assert placed["label"].tolist() == [ramp()[6].tolist()]
    radiograph = td.scan(mixed).filter(key="1.6")
    flat = torch.arange(12).reshape(3, 4)
    dx = td.ImageDataset(radiograph, output="modality", label=lambda _: flat)
    assert dx[0]["label"].tolist() == [flat.tolist()]
    cine = td.scan(mixed).filter(key="1.7")
    marks = torch.arange(60).reshape(5, 3, 4)
    moving = td.ImageDataset(cine, output="modality", label=lambda _: marks)
    assert moving[3]["label"].tolist() == [marks[3].tolist()]


def test_stock_loader(folder: Path) -> None:
    dataset = slices_of(folder, size=(8, 8), channels=3)
    batches = list(DataLoader(dataset, batch_size=3, num_workers=2))
    assert [tuple(batch["image"].shape) for batch in batches] == [(3, 3, 8, 8)] * 2 + [(2, 3, 8, 8)]
    assert torch.cat([batch["frame"] for batch in batches]).tolist() == list(range(8))
    assert_same_bits(batches[1]["image"][1], dataset[4]["image"])
