"""`reduce=` of the datasets: what is halved, where it lies, and what becomes of labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch.nn import functional

import torchdicom as td
from builders import EXPLICIT, JPEG_2000, JPEG_LS, Syntax, ct_slice
from builders_encoded import HTJ2K, LOSSLESS, encoded_file
from compare import assert_same_bits
from training import SHAPE, ULTRASOUND, place, ramp, write_volume

if TYPE_CHECKING:
    from pathlib import Path

# The ramp where 2 x 2 of its pixels have their middle.
HALF = ramp()[:, ::2, ::2] + 5.5
ODD = (3, 37, 46)
SYNTAXES = [EXPLICIT, JPEG_LS, JPEG_2000, HTJ2K]
NAMES = ["native", "jpeg_ls", "jpeg_2000", "htj2k"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_volume(tmp_path / "ct")


def write_encoded(folder: Path, syntax: Syntax) -> Path:
    """Three slices of 37 x 46 in the patient, 2.5 mm apart, of pixels of 0.5 x 0.25 mm."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(4)
    for z in range(ODD[0]):
        y, x = np.mgrid[: ODD[1], : ODD[2]]
        cells = (900 * z + 17 * y + 11 * x + rng.integers(0, 40, y.shape)).astype(np.uint16)
        attributes: dict[str, Any] = {
            "SeriesInstanceUID": "1.2.9",
            "SOPInstanceUID": f"1.2.9.{z}",
            "ImagePositionPatient": (-10.0, -20.0, 30.0 + 2.5 * z),
            "PixelSpacing": (0.5, 0.25),
            "RescaleSlope": 1,
            "RescaleIntercept": -24,
        }
        if syntax == EXPLICIT:
            data = ct_slice(cells, PixelRepresentation=0, **attributes)
        else:
            frame = LOSSLESS[syntax](cells, 16)
            data = encoded_file([frame], cells, syntax, bits=16, **attributes)
        (folder / f"{z}.dcm").write_bytes(data)
    return folder


def shift_of(syntax: Syntax, times: int) -> float:
    """Where the first pixel that is left lies: a level of a wavelet keeps every second place.

    These codestreams of JPEG 2000 have two levels, those of HTJ2K more.
    """
    levels = {JPEG_2000: min(times, 2), HTJ2K: times}.get(syntax, 0)
    return float(2**times - 2**levels) / 2


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("syntax", SYNTAXES, ids=NAMES)
def test_volume_as_the_reference_has_it(tmp_path: Path, syntax: Syntax, times: int) -> None:
    folder = write_encoded(tmp_path / "s", syntax)
    expected = td.load(folder, reduce=times, backend="reference")
    assert expected.affine is not None
    dataset = td.VolumeDataset(folder, reduce=times)
    sample = dataset[0]
    assert_same_bits(sample["image"], expected.data[None])
    assert dataset.image_shape(0) == tuple(sample["image"].shape)
    assert sample["spacing_mm"].tolist() == [2.5, 0.5 * 2**times, 0.25 * 2**times]
    assert sample["affine"].tolist() == pytest.approx(expected.affine.numpy(), abs=1e-12)
    shift = shift_of(syntax, times)
    assert place(sample, (0, 0, 0)) == pytest.approx([-10 + 0.25 * shift, -20 + 0.5 * shift, 30])
    out = torch.empty(sample["image"].shape)
    assert dataset.read(0, out=out)["image"] is out
    assert_same_bits(out, sample["image"])


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("syntax", SYNTAXES, ids=NAMES)
def test_part_of_a_volume(tmp_path: Path, syntax: Syntax, times: int) -> None:
    folder = write_encoded(tmp_path / "s", syntax)
    whole = td.VolumeDataset(folder, reduce=times)[0]
    sample = td.VolumeDataset(folder, reduce=times, size=(1, 6, 9))[0]
    _, rows, columns = whole["image"].shape[1:]
    y, x = (rows - 6) // 2, (columns - 9) // 2
    assert sample["image"].shape == (1, 1, 6, 9)
    assert_same_bits(sample["image"], whole["image"][:, 1:2, y : y + 6, x : x + 9].clone())
    assert place(sample, (0, 0, 0)) == pytest.approx(place(whole, (1, y, x)))
    padded = td.VolumeDataset(folder, reduce=times, size=(5, 40, 50), mask=True)[0]
    assert padded["mask"].sum() == whole["image"].numel()
    at = padded["mask"][0].nonzero()[0].tolist()
    assert place(padded, tuple(at)) == pytest.approx(place(whole, (0, 0, 0)))


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("syntax", SYNTAXES, ids=NAMES)
@pytest.mark.parametrize("size", [None, (7, 30), (19, 23)], ids=str)
def test_frames(tmp_path: Path, syntax: Syntax, times: int, size: tuple[int, int] | None) -> None:
    folder = write_encoded(tmp_path / "s", syntax)
    expected = td.load(folder, reduce=times, backend="reference", dtype=torch.float64)
    assert expected.affine is not None
    dataset = td.ImageDataset(folder, kinds=("volume",), output="modality", reduce=times, size=size)
    sample = dataset[2]
    image = expected.data[2][None]
    scale = [1.0, 1.0]
    if size is not None:
        scale = [n / new for n, new in zip(image.shape[-2:], size, strict=True)]
        image = functional.interpolate(
            image[None], size=size, mode="bilinear", antialias=True, align_corners=False
        )[0]
    assert dataset.image_shape(2) == tuple(image.shape)
    spread = float(expected.data.max() - expected.data.min())
    assert sample["image"].numpy() == pytest.approx(image.numpy(), abs=1e-6 * spread)
    wanted = expected.affine.clone()
    for axis, factor in zip((1, 2), scale, strict=True):
        wanted[:3, 3] += wanted[:3, axis] * (factor - 1) / 2
        wanted[:3, axis] *= factor
    wanted[:3, 3] += 2 * wanted[:3, 0]
    assert sample["affine"].numpy() == pytest.approx(wanted.numpy(), abs=1e-9)
    spacing = [2.5, 0.5 * 2**times * scale[0], 0.25 * 2**times * scale[1]]
    assert sample["spacing_mm"].tolist() == pytest.approx(spacing)


@pytest.mark.parametrize(("syntax", "first"), [(EXPLICIT, 2), (JPEG_LS, 2), (JPEG_2000, 0)])
def test_label_of_all_pixels(tmp_path: Path, syntax: Syntax, first: int) -> None:
    """The nearest pixel of four is the third of them where their mean is, else the first."""
    folder = write_encoded(tmp_path / "s", syntax)
    label = torch.arange(37 * 46).reshape(1, 37, 46).repeat(3, 1, 1)
    rows, columns = (
        [min(4 * i + first, n - 1) for i in range(count)] for n, count in ((37, 10), (46, 12))
    )
    expected = [[46 * y + x for x in columns] for y in rows]
    options: dict[str, Any] = {"reduce": 2, "label": lambda _: label}
    assert td.VolumeDataset(folder, **options)[0]["label"].tolist() == [[expected] * 3]
    images = td.ImageDataset(folder, kinds=("volume",), output="modality", **options)
    assert images[1]["label"].tolist() == [expected]


def test_label_with_a_place_of_its_own(tmp_path: Path) -> None:
    folder = write_encoded(tmp_path / "s", JPEG_2000)
    found = td.VolumeDataset(folder, reduce=1, label=lambda series: series.load())[0]["label"]
    assert_same_bits(found, td.load(folder).data[None, :, ::2, ::2].contiguous())


def test_label_of_the_reduced_shape_is_refused(folder: Path) -> None:
    dataset = td.VolumeDataset(folder, reduce=1, label=lambda _: torch.zeros(8, 5, 6))
    with pytest.raises(ValueError, match=r"\(8, 5, 6\) for series .* images are \(8, 10, 12\)"):
        dataset[0]


def test_means_of_a_ramp(folder: Path) -> None:
    sample = td.VolumeDataset(folder, reduce=1)[0]
    assert sample["image"][0].tolist() == HALF.tolist()
    assert place(sample, (0, 0, 0)) == [-10 + 0.125, -20 + 0.25, 30]
    windowed = td.VolumeDataset(folder, reduce=1, window=(400, 800), mean=0.5, std=0.25)[0]
    expected = ((HALF / 800).clip(0, 1) - 0.5) / 0.25
    assert_same_bits(windowed["image"][0], torch.from_numpy(expected.astype(np.float32)))
    stored = td.VolumeDataset(folder, reduce=1, output="stored", dtype=torch.int16)[0]["image"]
    assert stored[0].tolist() == np.rint(HALF).tolist()


def test_turned_and_resampled(folder: Path) -> None:
    sample = td.VolumeDataset(folder, reduce=1, orientation="RPS", spacing_mm=(2.5, 1.0, 1.0))[0]
    # Pixels of 1 x 0.5 mm are left; along x, turned round, two of them become one.
    expected = (HALF[:, :, ::2] + HALF[:, :, 1::2]) / 2
    assert sample["image"][0].tolist() == expected[:, :, ::-1].tolist()
    assert place(sample, (0, 0, 2)) == pytest.approx([-10 + 1.5 * 0.25, -20 + 0.25, 30])


def test_mask_is_true_where_all_pixels_are_valid(tmp_path: Path) -> None:
    cells = ramp()
    cells[2, 3, 5] = 9999
    folder = write_volume(tmp_path / "ct", cells, PixelPaddingValue=9999)
    expected = np.ones((8, 5, 6), dtype=bool)
    expected[2, 1, 2] = False
    options: dict[str, Any] = {"reduce": 1, "mask": True}
    assert td.VolumeDataset(folder, **options)[0]["mask"].tolist() == [expected.tolist()]
    slices = td.ImageDataset(folder, kinds=("volume",), output="modality", **options)
    for z in (1, 2):
        assert slices[z]["mask"].tolist() == [expected[z].tolist()]
        assert slices[z]["image"].shape == (1, 5, 6)


def test_window_of_the_file(tmp_path: Path) -> None:
    folder = write_volume(tmp_path / "ct", WindowCenter=400, WindowWidth=801)
    image = td.ImageDataset(folder, kinds=("volume",), reduce=1)[3]["image"]
    expected = ((HALF[3] - 399.5) / 800 + 0.5).clip(0, 1)
    assert_same_bits(image[0], torch.from_numpy(expected.astype(np.float32)))


def test_frames_without_a_place(tmp_path: Path) -> None:
    cells = np.arange(5 * 4 * 6, dtype=np.uint8).reshape(5, 4, 6)
    (tmp_path / "c").mkdir()
    file = ct_slice(cells, **ULTRASOUND, SeriesInstanceUID="1.7", SOPInstanceUID="1.7.1")
    (tmp_path / "c" / "0").write_bytes(file)
    for mask in (False, True):
        dataset = td.ImageDataset(tmp_path / "c", output="stored", reduce=1, mask=mask)
        for i in range(5):
            sample = dataset[i]
            means = cells[i].reshape(2, 2, 3, 2).mean((1, 3), dtype=np.float64)
            assert sample["image"].tolist() == [np.rint(means).tolist()]
            assert sample["affine"].isnan().all()
        assert dataset.image_shape(0) == (1, 2, 3)
    volume = td.VolumeDataset(tmp_path / "c", kinds=("cine",), output="modality", reduce=1)
    assert volume[0]["image"].shape == volume.image_shape(0) == (5, 1, 2, 3)


def test_loader_decodes_into_its_batch(folder: Path) -> None:
    dataset = td.ImageDataset(folder, kinds=("volume",), output="modality", reduce=1)
    images = [batch["image"] for batch in td.Loader(dataset, 4, num_threads=2)]
    assert torch.cat(images)[:, 0].tolist() == HALF.tolist()


@pytest.mark.parametrize("dataset", [td.VolumeDataset, td.ImageDataset])
def test_reduce_is_checked_at_once(folder: Path, dataset: Any) -> None:
    for value, kind, text in (
        (9, ValueError, "reduce must be 0 to 8, not 9"),
        (-1, ValueError, "reduce must be 0 to 8, not -1"),
        (1.0, TypeError, "reduce must be an int, not float"),
        (True, TypeError, "reduce must be an int, not bool"),
    ):
        with pytest.raises(kind, match=text):
            dataset(folder, reduce=value)


def test_nothing_is_reduced_by_default(folder: Path) -> None:
    one, other = td.VolumeDataset(folder)[0], td.VolumeDataset(folder, reduce=0)[0]
    for name in ("image", "affine", "spacing_mm"):
        assert_same_bits(one[name], other[name])
    assert one["image"].shape == (1, *SHAPE)
