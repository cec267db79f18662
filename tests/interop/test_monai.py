"""MONAI's reader and MetaTensors: places in millimetres, options, errors, and what stays apart."""

from __future__ import annotations

import pickle
import re
import sys
from typing import TYPE_CHECKING, Any

import nibabel
import numpy as np
import pytest
import torch
from monai.data import CacheDataset, DataLoader, MetaTensor, PersistentDataset
from monai.transforms import Compose, EnsureChannelFirstd, LoadImage, LoadImaged, Spacingd

import torchdicom as td
from builders import MR_IMAGE, axial, write_series
from builders_parts import DX_IMAGE
from helpers import ROOT
from landmarks import BACKGROUND, INDEX, RAS_MM, VALUE, brightest, place, write_landmark
from torchdicom.interop.monai import DicomReader

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [
    pytest.mark.filterwarnings("ignore:builtin type:DeprecationWarning"),  # itk's, once imported
    pytest.mark.filterwarnings("ignore:NvImgCodecPydicomReader:UserWarning"),  # no GPU
]

NAME = "torchdicom.interop.monai.DicomReader"
XYZ = INDEX[::-1]
AFFINE = np.array([[-0.15, 0, 1.6, 10], [-0.2, 0, -1.2, -20], [0, -0.5, 0, 30], [0, 0, 0, 1]])


def two_times(folder: Path) -> Path:
    mr: dict[str, Any] = {
        "SOPClassUID": MR_IMAGE,
        "Modality": "MR",
        "RescaleSlope": None,
        "RescaleIntercept": None,
    }
    positions, times = axial(0, 0, 2, 2), [1, 2, 1, 2]
    write_series(folder, 4, ImagePositionPatient=positions, TemporalPositionIdentifier=times, **mr)
    return folder


@pytest.mark.parametrize("reader", [DicomReader(), NAME, DicomReader, "ITKReader"])
def test_landmark(tmp_path: Path, reader: Any) -> None:
    image = LoadImage(reader=reader)(write_landmark(tmp_path))
    assert (tuple(image.shape), image.dtype) == ((6, 5, 4), torch.float32)
    assert brightest(image) == XYZ
    assert (image.max(), image.min()) == (VALUE, BACKGROUND)
    assert place(image.affine, XYZ) == RAS_MM
    meta = image.meta
    for affine in (image.affine, meta["original_affine"]):
        assert np.asarray(affine).dtype == np.float64
        np.testing.assert_allclose(affine, AFFINE, atol=1e-12)
    assert (meta["space"], list(meta["spatial_shape"])) == ("RAS", [6, 5, 4])
    assert np.isnan(meta["original_channel_dim"])


@pytest.mark.parametrize("reader", [NAME, "ITKReader", "PydicomReader"])
def test_a_plain_ct_is_what_monai_makes_of_it(tmp_path: Path, reader: str) -> None:
    write_series(tmp_path, 3, PixelSpacing=(0.8, 0.5))
    image = LoadImage(reader=reader)(tmp_path)
    assert (tuple(image.shape), image.dtype, image.meta["space"]) == (
        (4, 3, 3),
        torch.float32,
        "RAS",
    )
    assert image[1].tolist() == [[k - 1023 + 100 * z for z in range(3)] for k in (0, 4, 8)]
    assert image[:, 0, 0].tolist() == [-1024, -1023, -1022, -1021]
    expected = [[-0.5, 0, 0, 10], [0, -0.8, 0, 20], [0, 0, 2.5, 30], [0, 0, 0, 1]]
    assert image.affine.tolist() == expected
    assert np.asarray(image.meta["original_affine"]).tolist() == expected
    assert list(image.meta["spatial_shape"]) == [4, 3, 3]
    assert np.isnan(image.meta["original_channel_dim"])


@pytest.mark.data
@pytest.mark.parametrize("reader", ["ITKReader", "PydicomReader"])
def test_a_real_ct_is_what_monai_makes_of_it(reader: str) -> None:
    folder = ROOT / "tests/data/sts_002/ct"
    ours, theirs = (LoadImage(reader=one)(folder) for one in (NAME, reader))
    assert (tuple(ours.shape), ours[80, 70, 24]) == ((161, 143, 48), 53)
    assert torch.equal(ours.as_tensor(), theirs.as_tensor())
    torch.testing.assert_close(ours.affine, theirs.affine, atol=1e-4, rtol=0)


def test_meta(tmp_path: Path) -> None:
    meta = LoadImage(reader=DicomReader())(write_landmark(tmp_path)).meta
    assert {key: meta[key] for key in ("units", "verdict", "Modality", "SeriesInstanceUID")} == {
        "units": "HU",
        "verdict": "ok",
        "Modality": "CT",
        "SeriesInstanceUID": "1.2.3.4",
    }
    assert meta["spacing"] == pytest.approx([0.25, 0.5, 2.0])
    assert meta["filename_or_obj"] == str(tmp_path)


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_options_by_name(tmp_path: Path, backend: str) -> None:
    load = LoadImage(reader=NAME, output="stored", region=(1, 4, 2, 6), backend=backend, dtype=None)
    image = load(write_landmark(tmp_path))
    assert (tuple(image.shape), image.max(), image.dtype) == ((4, 3, 4), 3024, torch.int16)
    assert place(image.affine, brightest(image)) == RAS_MM


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"outputs": "suv"}, "outputs"),
        ({"output": "hu"}, "output must be one of"),
        ({"policy": "allow"}, "policy must be a torchdicom.Policy, not str"),
        ({"mask": True}, "mask cannot be given here: a reader of MONAI returns one array"),
        ({"out": torch.zeros(1)}, "out cannot be given here"),
        ({"dtype": torch.bfloat16}, "dtype cannot be torch.bfloat16"),
        ({"backend": "fast"}, "backend must be one of"),
        ({"series": 1}, "series must be the key"),
    ],
)
def test_wrong_options_are_told_at_once(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        DicomReader(**options)
    if options.keys() & {"outputs", "policy"}:
        # MONAI makes a reader without options where it gets a TypeError.
        with pytest.raises(ValueError, match=re.escape(told)):
            LoadImage(reader=NAME, **options)
    with pytest.raises(ValueError, match="options of a DicomReader are given to it"):
        DicomReader().read("x", output="suv")


@pytest.mark.parametrize(
    "source",
    [
        lambda folder: folder,
        lambda folder: sorted(folder.iterdir()),
        lambda folder: td.scan(folder)[0],
        lambda folder: [[path.read_bytes() for path in folder.iterdir()]],
        lambda folder: [str(path) for path in folder.iterdir()],
    ],
    ids=["folder", "files", "series", "bytes", "names"],
)
def test_sources(tmp_path: Path, source: Callable[[Path], Any]) -> None:
    image = LoadImage(reader=DicomReader(), expanduser=False)(source(write_landmark(tmp_path)))
    assert place(image.affine, brightest(image)) == RAS_MM


def test_series_as_channels(tmp_path: Path) -> None:
    first = write_landmark(tmp_path / "a")
    second = write_landmark(tmp_path / "b", RescaleIntercept=-24)
    image = LoadImage(reader=DicomReader(), ensure_channel_first=True)([first, second])
    assert [tuple(one.shape) for one in image] == [(6, 5, 4)] * 2
    assert [one.max() for one in image] == [2000, 3000]
    assert place(image.affine, XYZ) == RAS_MM
    moved = tmp_path / "moved"
    write_series(moved, 4)
    with pytest.raises(ValueError, match=r"1\.2\.3\.4 cannot be channels .* have shapes"):
        LoadImage(reader=DicomReader())([first, moved])
    write_landmark(tmp_path / "c", PixelSpacing=(0.5, 0.5))
    with pytest.raises(ValueError, match="cannot be channels of one image: they lie elsewhere"):
        LoadImage(reader=DicomReader())([first, tmp_path / "c"])


def ct_and_mr(folder: Path) -> list[Path]:
    """Two series of one grid."""
    mr: dict[str, Any] = {"SOPClassUID": MR_IMAGE, "Modality": "MR", "SeriesInstanceUID": "1.2.9"}
    told = {"RescaleIntercept": None, "RescaleSlope": None}
    return [write_landmark(folder / "ct"), write_landmark(folder / "mr", **mr, **told)]


@pytest.mark.parametrize("reverse", [False, True])
def test_meta_of_channels_that_differ(tmp_path: Path, reverse: bool) -> None:  # noqa: FBT001
    folders = sorted(ct_and_mr(tmp_path), reverse=reverse)
    image = LoadImage(reader=DicomReader(), ensure_channel_first=True)(folders)
    assert not image.meta.keys() & {"units", "Modality", "SeriesInstanceUID"}
    assert image.meta["verdict"] == "ok"
    assert image.meta["spacing"] == pytest.approx([0.25, 0.5, 2.0])
    assert image.meta["SliceThickness"] == 2.0
    assert (image.meta["space"], image.meta["original_channel_dim"]) == ("RAS", 0)
    assert place(image.affine, XYZ) == RAS_MM


def test_meta_of_channels_that_agree(tmp_path: Path) -> None:
    folders = [write_landmark(tmp_path / uid, SeriesInstanceUID=uid) for uid in ("1.2.3", "1.2.9")]
    image = LoadImage(reader=DicomReader(), ensure_channel_first=True)(folders)
    assert (image.meta["units"], image.meta["Modality"]) == ("HU", "CT")
    assert "SeriesInstanceUID" not in image.meta


def test_batch_of_channels_that_differ_and_agree(tmp_path: Path) -> None:
    ct, mr = ct_and_mr(tmp_path)
    steps = LoadImaged("image", reader=DicomReader(), ensure_channel_first=True)
    for pairs in ([[ct, ct], [ct, mr]], [[mr, ct], [ct, ct]]):
        data = [steps({"image": pair}) for pair in pairs]
        (batch,) = DataLoader(data, batch_size=2)
        assert tuple(batch["image"].shape) == (2, 2, 6, 5, 4)
        assert "units" not in batch["image"].meta
        assert batch["image"].meta["verdict"] == ["ok", "ok"]


def test_times_are_channels(tmp_path: Path) -> None:
    folder = two_times(tmp_path)
    image = LoadImage(reader=DicomReader(), ensure_channel_first=True)(folder)
    assert (tuple(image.shape), image.meta["original_channel_dim"]) == ((2, 4, 3, 2), -1)
    assert image[:, 1, 0].tolist() == [[1, 201], [101, 301]]
    both = LoadImage(reader=DicomReader(), ensure_channel_first=True)([folder, folder])
    assert both[:, 1, 0, 0].tolist() == [1, 101, 1, 101]


def test_a_radiograph_has_its_spacing_alone(tmp_path: Path) -> None:
    nowhere: dict[str, Any] = {"ImagePositionPatient": None, "ImageOrientationPatient": None}
    write_series(
        tmp_path, 1, SOPClassUID=DX_IMAGE, Modality="DX", PixelSpacing=(0.2, 0.1), **nowhere
    )
    with pytest.warns(td.DicomWarning, match=r"1\.2\.3\.4 has no place in the patient"):
        image = LoadImage(reader=DicomReader())(tmp_path)
    theirs = LoadImage(reader="ITKReader")(tmp_path)
    for one in (image, theirs):
        assert (tuple(one.shape), one[1, 2, 0]) == ((4, 3, 1), -1015)
    assert image.affine.diag().tolist() == [-0.1, -0.2, 1, 1]
    assert theirs.affine.diag().tolist() == [-1, -1, 1, 1]  # ImagerPixelSpacing alone counts


def test_other_formats_are_left_to_other_readers(tmp_path: Path) -> None:
    ct = write_landmark(tmp_path / "ct")
    label = tmp_path / "label.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.ones((6, 5, 4), np.uint8), AFFINE), label)
    loaded = LoadImaged(["image", "label"], reader=DicomReader())({"image": ct, "label": label})
    assert loaded["label"].sum() == 120
    torch.testing.assert_close(loaded["label"].affine, loaded["image"].affine, atol=1e-6, rtol=0)
    assert DicomReader().verify_suffix([ct])
    assert not DicomReader().verify_suffix([label])
    by_suffix = LoadImage()
    by_suffix.register(DicomReader(output="stored"))
    assert (by_suffix(ct).max(), by_suffix(label).max()) == (3024, 1)


@pytest.mark.parametrize("context", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_workers(tmp_path: Path, context: str) -> None:
    folders = [write_landmark(tmp_path / name) for name in "ab"]
    steps = Compose(
        [
            LoadImaged("image", reader=DicomReader(), ensure_channel_first=True),
            Spacingd("image", (0.5, 0.5, 0.5)),
        ]
    )
    data = CacheDataset([{"image": one} for one in folders], steps, cache_num=0, progress=False)
    assert pickle.loads(pickle.dumps(steps))({"image": folders[0]})["image"].max() > 0
    loader = DataLoader(data, batch_size=2, num_workers=1, multiprocessing_context=context)
    (batch,) = loader
    assert tuple(batch["image"].shape) == (2, 1, 4, 5, 13)
    assert batch["image"].meta["units"] == ["HU", "HU"]


def test_kept_on_disk(tmp_path: Path) -> None:
    steps = Compose([LoadImaged("image", reader=DicomReader()), EnsureChannelFirstd("image")])
    folder = write_landmark(tmp_path / "ct")
    for _ in range(2):
        data = PersistentDataset(
            [{"image": folder}],
            steps,
            cache_dir=tmp_path / "kept",
            track_meta=True,
            weights_only=False,
        )
        image = data[0]["image"]
        assert place(image.affine, brightest(image)[1:]) == RAS_MM
        for file in folder.iterdir():
            file.unlink()


def test_metatensor(tmp_path: Path) -> None:
    volume = td.load(write_landmark(tmp_path / "ct"))
    image = volume.to_metatensor()
    assert isinstance(image, MetaTensor)
    assert (tuple(image.shape), image.affine.dtype) == ((1, 6, 5, 4), torch.float64)
    assert image.data_ptr() == volume.data.data_ptr()
    assert place(image.affine, brightest(image)[1:]) == RAS_MM
    assert (image.meta["units"], image.meta["space"]) == ("HU", "RAS")
    times = td.load(two_times(tmp_path / "mr")).to_metatensor()
    assert times[:, 1, 0].tolist() == [[1, 201], [101, 301]]


def test_without_monai_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    volume = td.load(write_landmark(tmp_path))
    monkeypatch.setitem(sys.modules, "monai", None)
    monkeypatch.delitem(sys.modules, "torchdicom.interop.monai")
    monkeypatch.delattr("torchdicom.interop.monai")
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'torchdicom\[monai\]'"):
        volume.to_metatensor()
