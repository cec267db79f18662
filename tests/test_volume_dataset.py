"""`VolumeDataset`: what a sample has, and where its voxels lie."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

import torchdicom as td
from builders import ct_slice
from compare import assert_same_bits
from training import (
    SHAPE,
    ULTRASOUND,
    Times,
    colour_file,
    image_of,
    ramp,
    write_volume,
    write_volumes,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_volume(tmp_path / "ct")


def test_sample(folder: Path) -> None:
    sample = td.VolumeDataset(folder)[0]
    assert list(sample) == ["image", "affine", "spacing_mm", "series"]
    assert sample["image"].dtype == torch.float32
    assert_same_bits(sample["image"], torch.from_numpy(ramp()[None].astype(np.float32)))
    affine = [[0, 0, 0.25, -10], [0, 0.5, 0, -20], [2.5, 0, 0, 30], [0, 0, 0, 1]]
    assert sample["affine"].tolist() == affine
    assert sample["affine"].dtype == sample["spacing_mm"].dtype == torch.float64
    assert sample["spacing_mm"].tolist() == [2.5, 0.5, 0.25]
    assert sample["series"] == "1.2.3.4"
    assert pickle.loads(pickle.dumps(sample))["series"] == "1.2.3.4"


@pytest.mark.parametrize(
    "form", ["folder", "list", "index", "saved", "series", "several", "filtered"]
)
def test_sources(tmp_path: Path, form: str) -> None:
    folder = write_volumes(tmp_path / "ct", 3)
    index = td.scan(folder)
    index.save(tmp_path / "index.parquet")
    sources: dict[str, Any] = {
        "folder": str(folder),
        "list": [folder / "0", folder / "1", folder / "2"],
        "index": index,
        "saved": td.open_index(tmp_path / "index.parquet"),
        "series": index[0],
        "several": [index[2], index[0]],
        "filtered": index.filter(lambda series: series.key != "1.2.3.2"),
    }
    numbers = {"series": [0], "several": [2, 0], "filtered": [0, 2]}.get(form, [0, 1, 2])
    for dataset in (
        td.VolumeDataset(sources[form]),
        pickle.loads(pickle.dumps(td.VolumeDataset(sources[form]))),
    ):
        assert [sample["image"][0, 0, 0, 0].item() for sample in dataset] == [
            1000 * i for i in numbers
        ]
        assert [one.key for one in dataset.series] == [f"1.2.3.{i + 1}" for i in numbers]


@pytest.mark.parametrize("source", [[], (), 5, None, b"x", [1], [["x"]]])
def test_what_is_no_source(source: Any) -> None:
    with pytest.raises(TypeError, match="source must be a folder"):
        td.VolumeDataset(source)


def test_numbers_are_those_of_a_list(tmp_path: Path) -> None:
    dataset = td.VolumeDataset(write_volumes(tmp_path, 3))
    assert len(dataset) == 3
    assert dataset[-1]["series"] == "1.2.3.3"
    for i in (3, -4):
        with pytest.raises(IndexError):
            dataset[i]


def test_other_kinds_are_counted(folder: Path) -> None:
    image = ct_slice(
        **ULTRASOUND | {"Modality": "DX", "SeriesInstanceUID": "7", "SOPInstanceUID": "7.1"}
    )
    (folder / "dx").write_bytes(image)
    with pytest.warns(td.DicomWarning, match=r"left out: 1 image") as caught:
        dataset = td.VolumeDataset(folder)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert dict(dataset.left_out) == {"image": 1}
    assert repr(dataset) == "VolumeDataset(1 sample, 1 series, 1 left out)"
    both = td.VolumeDataset(folder, kinds=("volume", "image"))
    assert [tuple(sample["image"].shape) for sample in both] == [(1, 8, 10, 12), (1, 1, 3, 4)]
    assert both[1]["affine"].isnan().all()
    assert both[1]["spacing_mm"].isnan().all()


def test_files_that_cannot_be_read_are_told(folder: Path) -> None:
    data = (folder / "0007.dcm").read_bytes()
    (folder / "0007.dcm").write_bytes(data[: len(data) // 2])
    with pytest.warns(td.DicomWarning, match=r"1 file can't be read.*0007\.dcm") as caught:
        dataset = td.VolumeDataset(folder)
    assert caught[0].filename == __file__
    assert dataset.image_shape(0) == (1, 7, 10, 12)


def test_no_series(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(FileNotFoundError):
        td.VolumeDataset(tmp_path / "none")
    with (
        pytest.raises(td.SeriesError, match="no series of the kinds") as caught,
        pytest.warns(td.DicomWarning),
    ):
        td.VolumeDataset(folder, kinds=("cine",))
    assert caught.value.code == "no_images"


def test_colours_and_times_are_channels(tmp_path: Path) -> None:
    colours = np.arange(72, dtype=np.uint8).reshape(2, 3, 4, 3)
    cine = np.arange(36, dtype=np.uint8).reshape(3, 3, 4)
    files = {
        "still": colour_file(colours[:1]),
        "cine": ct_slice(cine, **ULTRASOUND),
        "both": colour_file(colours),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    kinds = ("image", "cine")
    still = td.VolumeDataset(tmp_path / "still", kinds=kinds)
    assert still[0]["image"].dtype == torch.float32
    assert still[0]["image"][:, 0].tolist() == colours[0].transpose(2, 0, 1).tolist()
    moving = td.VolumeDataset(tmp_path / "cine", kinds=kinds)
    assert moving[0]["image"].tolist() == cine[:, None].tolist()
    for dataset, channels in ((still, 3), (moving, 3)):
        assert dataset.image_shape(0) == (channels, 1, 3, 4)
        out = torch.empty(dataset.image_shape(0) or ())
        assert dataset.read(0, out=out)["image"] is out
        assert_same_bits(out, dataset[0]["image"])
    with pytest.raises(td.SeriesError, match="times and colours"):
        td.VolumeDataset(tmp_path / "both", kinds=kinds)[0]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"size": (4, 12, 6)},
        {"size": (4, 4, 6)},
        {"window": (300, 500)},
        {"spacing_mm": 1.0},
        {"orientation": "RAI", "mean": 1.0, "std": 2.0},
        {"dtype": torch.float16},
    ],
)
def test_into_memory_that_is_given(folder: Path, options: dict[str, Any]) -> None:
    dataset = td.VolumeDataset(folder, **options)
    expected = dataset[0]["image"]
    assert dataset.image_shape(0) == tuple(expected.shape)
    assert dataset.image_dtype == expected.dtype
    out = torch.full(expected.shape, 7.0).to(expected.dtype)
    assert dataset.read(0, out=out, num_threads=1)["image"] is out
    assert_same_bits(out, expected)


@pytest.mark.parametrize("options", [{}, {"orientation": "RAI"}])
@pytest.mark.parametrize(
    ("out", "message"),
    [
        (
            torch.zeros(1, 8, 10, 11),
            r"of shape \(1, 8, 10, 11\), and the image .* \(1, 8, 10, 12\)",
        ),
        (torch.zeros(8, 10, 12), r"of shape \(8, 10, 12\), and the image"),
        (torch.zeros(1, *SHAPE, dtype=torch.float64), "out is torch.float64 .* torch.float32"),
        (torch.zeros(1, 8, 10, 24)[..., ::2], "out must be contiguous memory of the CPU"),
        (torch.zeros(1, *SHAPE, device="meta"), "out must be contiguous memory of the CPU"),
    ],
)
def test_memory_that_does_not_fit(
    folder: Path, options: dict[str, Any], out: torch.Tensor, message: str
) -> None:
    dataset = td.VolumeDataset(folder, **options)
    with pytest.raises(ValueError, match=message):
        dataset.read(0, out=out)


def test_numbers_that_there_are_not(folder: Path) -> None:
    volumes = td.VolumeDataset(folder)
    images = td.ImageDataset(folder, kinds=("volume",), output="modality")
    patches = td.PatchDataset(folder, (2, 2, 2), patches_per_volume=3)
    datasets: list[Any] = [volumes, images, patches]
    for dataset, count in zip(datasets, (1, 8, 3), strict=True):
        message = rf"there is no sample {{}}: the dataset has {count}$"
        for i in (count, -count - 1):
            with pytest.raises(IndexError, match=message.format(i)):
                dataset[i]
            with pytest.raises(IndexError, match=message.format(i)):
                dataset.image_shape(i)
        for odd in ("0", slice(0, 1), 0.0):
            with pytest.raises(TypeError):
                dataset[odd]
        assert torch.equal(dataset[-1]["image"], dataset[torch.tensor(count - 1)]["image"])


def test_shape_is_not_known_before_a_transform(folder: Path) -> None:
    dataset = td.VolumeDataset(folder, transform=Times(2))
    assert dataset.image_shape(0) is None
    assert dataset[0]["image"].tolist() == (2 * ramp()[None]).tolist()
    out = torch.zeros(1, *SHAPE)
    assert dataset.read(0, out=out)["image"] is not out


def test_shape_is_not_known_where_slices_may_be_dropped(folder: Path) -> None:
    dataset = td.VolumeDataset(folder, policy=td.Policy(truncated_pixels="drop"), size=(4, 4, 4))
    whole = td.VolumeDataset(
        folder, policy=td.Policy(truncated_pixels="drop"), spacing_mm=(5, 0.5, 0.25)
    )
    assert whole.image_shape(0) is None
    assert tuple(whole[0]["image"].shape) == (1, 4, 10, 12)
    assert dataset.image_shape(0) == (1, 4, 4, 4)
    assert_same_bits(dataset[0]["image"], td.VolumeDataset(folder, size=(4, 4, 4))[0]["image"])


def test_transform_must_return_the_sample(folder: Path) -> None:
    with pytest.raises(TypeError, match="transform must return the sample, a dict, not Tensor"):
        td.VolumeDataset(folder, transform=lambda sample: sample["image"])[0]


# --- values


@pytest.mark.parametrize("form", [(500, 400), td.Window(500, 400)])
@pytest.mark.parametrize("as_output", [False, True])
def test_window(folder: Path, form: Any, as_output: bool) -> None:  # noqa: FBT001
    option = {"output": td.Window(500, 400)} if as_output else {"window": form}
    expected = ((ramp()[None].astype(np.float64) - 300) / 400).clip(0, 1).astype(np.float32)
    assert_same_bits(image_of(folder, **option), torch.from_numpy(expected))


def test_clip_and_mean(folder: Path) -> None:
    expected = ((ramp()[None].astype(np.float64).clip(100, 500) - 250) / 125).astype(np.float32)
    image = image_of(folder, clip=(100, 500), mean=250, std=125)
    assert_same_bits(image, torch.from_numpy(expected))


def test_dtypes(folder: Path) -> None:
    for dtype in (torch.int16, torch.float16, torch.bfloat16, torch.float64):
        image = image_of(folder, dtype=dtype)
        assert_same_bits(image, torch.from_numpy(ramp()[None]).to(dtype))
    assert_same_bits(
        image_of(folder, output="stored", dtype=torch.int16), torch.from_numpy(ramp()[None])
    )


def test_mask(tmp_path: Path) -> None:
    folder = write_volume(tmp_path, PixelPaddingValue=345)
    sample = td.VolumeDataset(folder, mask=True)[0]
    assert sample["mask"].shape == (1, *SHAPE)
    assert (~sample["mask"]).nonzero().tolist() == [[0, 3, 4, 5]]
    padded = td.VolumeDataset(folder, mask=True, size=(10, 10, 12))[0]["mask"]
    assert padded.sum().item() == 8 * 10 * 12 - 1
    assert not padded[0, 0].any()
    assert not padded[0, -1].any()


# --- with torch's loader


@pytest.mark.parametrize("workers", [0, 2])
def test_stock_loader(tmp_path: Path, workers: int) -> None:
    dataset = td.VolumeDataset(
        write_volumes(tmp_path, 4), target={f"1.2.3.{i + 1}": i % 2 for i in range(4)}
    )
    loader: DataLoader[Any] = DataLoader(dataset, batch_size=2, num_workers=workers)
    batches = list(loader)
    assert [batch["image"][:, 0, 0, 0, 0].tolist() for batch in batches] == [
        [0, 1000],
        [2000, 3000],
    ]
    assert [batch["target"].tolist() for batch in batches] == [[0, 1], [0, 1]]
    assert batches[1]["series"] == ["1.2.3.3", "1.2.3.4"]
    assert batches[0]["affine"].shape == (2, 4, 4)
