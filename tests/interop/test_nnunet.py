"""`DicomIO`, as nnU-Net finds and calls it: images, labels and predictions at their places."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING, Any

import nibabel
import nnunetv2.imageio
import numpy as np
import pytest
from nnunetv2.experiment_planning.verify_dataset_integrity import check_cases
from nnunetv2.imageio.base_reader_writer import BaseReaderWriter
from nnunetv2.imageio.reader_writer_registry import determine_reader_writer_from_dataset_json

import torchdicom as td
from builders import ct_slice
from landmarks import INDEX, RAS_MM, SHAPE, SPACING_MM, VALUE, brightest, place, write_landmark
from torchdicom.interop.nnunet import DicomIO, install, write_label, write_series_file

if TYPE_CHECKING:
    from pathlib import Path

# The landmark's series in NIfTI's terms, from `landmarks` by hand: columns are the steps along x,
# y and z in RAS, and the last one is the first voxel.
AFFINE = np.array(
    [[-0.15, 0, 1.6, 10], [-0.2, 0, -1.2, -20], [0, -0.5, 0, 30], [0, 0, 0, 1]], dtype=float
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_landmark(tmp_path / "ct")


def drawn(path: Path, orientation: str | None = None, *, moved: float = 0.0) -> str:
    """A label of one voxel, the landmark, with axes in another order; its path."""
    data = np.zeros(SHAPE[::-1], np.uint8)
    data[INDEX[::-1]] = 1
    affine = AFFINE.copy()
    affine[:3, 3] += moved
    image: Any = nibabel.Nifti1Image(data, affine)
    if orientation is not None:
        to = nibabel.orientations.axcodes2ornt(tuple(orientation))
        ours = nibabel.io_orientation(image.affine)
        image = image.as_reoriented(nibabel.orientations.ornt_transform(ours, to))
    nibabel.save(image, path)
    return str(path)


def found_in(file: str) -> tuple[float, ...]:
    """Where the one voxel of a NIfTI file is."""
    image: Any = nibabel.load(file)
    (index,) = np.argwhere(np.asarray(image.dataobj) == 1)
    return place(image.affine, index)


def read_pair(folder: Path, label: str) -> Any:
    """The label, read behind its image."""
    reader = DicomIO()
    reader.read_images((str(folder),))
    return reader.read_seg(label)[0]


def test_nnunet_finds_it() -> None:
    assert issubclass(DicomIO, BaseReaderWriter)
    told = {"overwrite_image_reader_writer": "DicomIO", "file_ending": ".nii.gz"}
    assert determine_reader_writer_from_dataset_json(told, verbose=False) is DicomIO
    assert pickle.loads(pickle.dumps(DicomIO)) is DicomIO


def test_commands_find_it_once_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nnunetv2.imageio, "__path__", [str(tmp_path)])
    file = install()
    assert file.parent == tmp_path
    names: dict[str, Any] = {}
    exec(file.read_text(), names)
    assert names["DicomIO"] is DicomIO


def test_landmark_there_and_back(folder: Path, tmp_path: Path) -> None:
    reader = DicomIO()
    images, properties = reader.read_images((str(folder),))
    assert (images.shape, images.dtype) == ((1, *SHAPE), np.float32)
    assert brightest(images[0]) == INDEX
    assert images.max() == VALUE
    assert properties["spacing"] == pytest.approx(SPACING_MM)
    file = str(tmp_path / "prediction.nii.gz")
    kept = pickle.loads(pickle.dumps(properties))
    DicomIO().write_seg((images[0] == VALUE).astype(np.int64), file, kept)
    assert found_in(file) == RAS_MM
    assert nibabel.load(file).get_data_dtype() == np.uint8


def test_file_of_a_series(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "raw" / "case.series.json"
    monkeypatch.chdir(tmp_path)
    write_series_file("raw/case.series.json", "ct")
    assert json.loads(file.read_text())["source"] == "../ct"
    monkeypatch.chdir("/")
    assert np.array_equal(
        DicomIO().read_images((str(file),))[0], DicomIO().read_images((str(folder),))[0]
    )
    with pytest.raises(ValueError, match=r"ends in .series.json"):
        write_series_file(tmp_path / "case.json", folder)
    with pytest.raises(FileNotFoundError, match="there is no"):
        write_series_file(file, tmp_path / "none")


@pytest.mark.parametrize("orientation", [None, "RAS", "LPS", "SAR", "IPL"])
def test_label_lands_on_the_landmark(folder: Path, tmp_path: Path, orientation: str | None) -> None:
    label = drawn(tmp_path / "label.nii.gz", orientation)
    reader = DicomIO()
    images, ours = reader.read_images((str(folder),))
    seg, theirs = reader.read_seg(label)
    assert (seg.shape, seg.dtype) == (images.shape, np.float32)
    assert seg.sum() == 1
    assert brightest(seg[0]) == INDEX
    assert theirs["spacing"] == pytest.approx(ours["spacing"])


@pytest.mark.parametrize("orientation", [None, "IPL"])
def test_nnunet_takes_them_for_a_pair(
    folder: Path, tmp_path: Path, orientation: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    label = drawn(tmp_path / "label.nii.gz", orientation)
    assert check_cases([str(folder)], label, 1, DicomIO)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("orientation", [None, "SAR", "IPL"])
def test_label_and_prediction_are_alike_without_an_image(
    folder: Path, tmp_path: Path, orientation: str | None
) -> None:
    """As nnU-Net evaluates and as it mends predictions: read, compared, and written again."""
    label = drawn(tmp_path / "label.nii.gz", orientation)
    images, properties = DicomIO().read_images((str(folder),))
    prediction = str(tmp_path / "prediction.nii.gz")
    DicomIO().write_seg(images[0] == VALUE, prediction, properties)
    reader = DicomIO()
    (truth, _), (guess, told) = (reader.read_seg(one) for one in (label, prediction))
    assert np.array_equal(truth, guess)
    reader.write_seg(guess[0], str(tmp_path / "again.nii.gz"), told)
    assert found_in(str(tmp_path / "again.nii.gz")) == RAS_MM


def test_label_of_other_voxels_is_refused(folder: Path, tmp_path: Path) -> None:
    moved = drawn(tmp_path / "moved.nii.gz", moved=0.1)
    with pytest.raises(ValueError, match=r"moved.nii.gz has other voxels than .*write_label"):
        read_pair(folder, moved)
    nibabel.save(nibabel.Nifti1Image(np.ones((6, 5, 3), np.uint8), AFFINE), tmp_path / "less.nii")
    with pytest.raises(ValueError, match=r"of shapes \(3, 5, 6\) and \(4, 5, 6\)"):
        read_pair(folder, str(tmp_path / "less.nii"))


def test_label_of_other_voxels_is_brought_to_those_of_the_image(
    folder: Path, tmp_path: Path
) -> None:
    # 0.07 mm along x, less than half a voxel.
    moved = drawn(tmp_path / "moved.nii.gz", "SAR", moved=0.05)
    with pytest.raises(ValueError, match="has other voxels than"):
        read_pair(folder, moved)
    write_label(tmp_path / "made" / "label.nii.gz", moved, folder)
    assert found_in(str(tmp_path / "made" / "label.nii.gz")) == RAS_MM
    far = drawn(tmp_path / "far.nii.gz", moved=500)
    with pytest.raises(ValueError, match=r"nothing of the label .*far.nii.gz lies in the image"):
        write_label(tmp_path / "label.nii.gz", far, folder)


def test_channels_of_one_case(folder: Path, tmp_path: Path) -> None:
    other = write_landmark(tmp_path / "other", SeriesInstanceUID="1.2.3.9", RescaleIntercept=0)
    images, _ = DicomIO().read_images((str(folder), str(other)))
    assert images[:, INDEX[0], INDEX[1], INDEX[2]].tolist() == [2000, 3024]
    wide = write_landmark(tmp_path / "wide", PixelSpacing=(0.5, 0.5))
    with pytest.raises(ValueError, match=r"ct and .*wide of one case have other voxels"):
        DicomIO().read_images((str(folder), str(wide)))


def test_image_without_a_place(tmp_path: Path) -> None:
    flat = tmp_path / "flat"
    write_landmark(flat, ImagePositionPatient=None, ImageOrientationPatient=None)
    for file in sorted(flat.iterdir())[1:]:
        file.unlink()
    with pytest.warns(td.DicomWarning, match="position"):
        images, properties = DicomIO().read_images((str(flat),))
    assert images.shape == (1, 1, *SHAPE[1:])
    assert properties["spacing"] == [999, 0.5, 0.25]
    DicomIO().write_seg(images[0] > 0, str(tmp_path / "seg.nii.gz"), properties)
    written: Any = nibabel.load(tmp_path / "seg.nii.gz")
    assert int(written.header["sform_code"]) == int(written.header["qform_code"]) == 0


def test_predictions_are_nifti(folder: Path, tmp_path: Path) -> None:
    images, properties = DicomIO().read_images((str(folder),))
    with pytest.raises(ValueError, match=r'"file_ending" of dataset.json must be ".nii.gz"'):
        DicomIO().write_seg(images[0] > 0, str(tmp_path / "seg.nrrd"), properties)
    with pytest.raises(ValueError, match="are -1 to 0, not 0 to 65535"):
        DicomIO().write_seg(np.array([[[-1, 0]]]), str(tmp_path / "seg.nii"), properties)


@pytest.mark.parametrize(
    ("seg", "said"),
    [
        (np.zeros((4, 5, 5)), r"seg.nii has shape \(4, 5, 5\), and its image.* \(4, 5, 6\)"),
        (np.zeros((6, 5, 4), np.uint8), r"has shape \(6, 5, 4\), and its image"),
        (np.zeros((1, *SHAPE), np.uint8), r"has shape \(1, 4, 5, 6\), and its image"),
        (np.full(SHAPE, 1.5), r"labels of .*seg.nii must be whole numbers, and one is 1\.5"),
        (np.full(SHAPE, np.nan), "must be whole numbers, and one is nan"),
        (np.full(SHAPE, 65536.0), "not 0 to 65535"),
    ],
)
def test_what_is_no_segmentation_of_the_image(
    folder: Path, tmp_path: Path, seg: Any, said: str
) -> None:
    reader = DicomIO()
    _, properties = reader.read_images((str(folder),))
    _, of_label = reader.read_seg(drawn(tmp_path / "label.nii.gz", "SAR"))
    for told in (properties, of_label):
        with pytest.raises(ValueError, match=said):
            reader.write_seg(seg, str(tmp_path / "seg.nii"), told)
    assert not (tmp_path / "seg.nii").exists()


def test_whole_numbers_of_any_type_are_labels(folder: Path, tmp_path: Path) -> None:
    _, properties = DicomIO().read_images((str(folder),))
    file = str(tmp_path / "seg.nii")
    for dtype in (np.float32, np.bool_, np.int8):
        seg = np.zeros(SHAPE, dtype)
        seg[INDEX] = 1
        DicomIO().write_seg(seg, file, properties)
        assert found_in(file) == RAS_MM


def test_files_that_it_says_it_reads(folder: Path, tmp_path: Path) -> None:
    """nnU-Net tries a reader on files of these endings, by read_images."""
    assert DicomIO.supported_file_endings == [".series.json", ".dcm"]
    write_series_file(tmp_path / "case.series.json", folder)
    image = np.full((4, 4), 7, np.int16)
    (tmp_path / "case.dcm").write_bytes(ct_slice(image))
    for ending in DicomIO.supported_file_endings:
        images, _ = DicomIO().read_images((str(tmp_path / f"case{ending}"),))
        assert images.shape[0] == 1
    with pytest.raises(ValueError, match=r"a.nii.gz is NIfTI, .*nnU-Net's own NibabelIO"):
        DicomIO().read_images((drawn(tmp_path / "a.nii.gz"),))


@pytest.mark.parametrize("dtype", [np.int64, np.uint16, np.float64])
def test_types_of_labels(folder: Path, tmp_path: Path, dtype: Any) -> None:
    data = np.zeros(SHAPE[::-1], dtype)
    data[INDEX[::-1]] = 1
    file = str(tmp_path / "label.nii")
    nibabel.save(nibabel.Nifti1Image(data, AFFINE, dtype=dtype), file)
    assert brightest(read_pair(folder, file)[0]) == INDEX
    assert DicomIO().read_seg(file)[0].sum() == 1
