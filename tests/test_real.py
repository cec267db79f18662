"""Real files against values that neither backend made, and the two backends against each other."""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

import imagecodecs
import nibabel
import numpy as np
import pytest
import torch

import torchdicom as td
from builders_defects import LAX
from builders_parts import keys_in
from compare import assert_volumes_equal, assert_within, bits, tolerance
from helpers import Backend, affine_of, read_header
from real_files import SOURCES, files_of, outcome

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.data,
    # Real files have odd values in attributes that no result depends on.
    pytest.mark.filterwarnings("ignore::torchdicom.DicomWarning"),
]

STS = "mirp/test/data/sts_images/STS_002"
SLICES = "cornerstone3D/packages/dicomImageLoader/testImages"


def test_complete_ct_equals_the_reference(data_dir: Path) -> None:
    folder = data_dir / "tcia-cmb-crc"
    native = td.load(folder)
    assert_volumes_equal(native, td.load(folder, backend="reference"))
    assert native.data.shape == (100, 512, 512)
    assert native.units == "HU"
    assert native.verdict == td.Verdict(ok=True)
    heights = [one.position_mm[2] for one in native.provenance]
    assert heights == sorted(heights)


def units_in_the_last_place(actual: torch.Tensor, expected: torch.Tensor) -> int:
    """Largest distance of two float32 tensors of one sign, counted in representable values."""
    apart = bits(actual).to(torch.int64) - bits(expected).to(torch.int64)
    return int(apart.abs().max())


@pytest.mark.parametrize(("modality", "ulps"), [("CT", 0), ("MR_T1", 0), ("PET", 1)])
def test_patient_with_nifti(data_dir: Path, backend: Backend, modality: str, ulps: int) -> None:
    folder = data_dir / STS / modality
    image: Any = nibabel.load(folder / "nifti" / "image" / "image.nii.gz")
    expected = np.ascontiguousarray(np.asanyarray(image.dataobj).transpose(2, 1, 0))
    volume = td.load(folder / "dicom" / "image", backend=backend)
    assert units_in_the_last_place(volume.data, torch.from_numpy(expected)) <= ulps
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ image.affine[:, [2, 1, 0, 3]]
    assert np.allclose(affine_of(volume).numpy(), affine, rtol=1e-6, atol=1e-4)


def test_slopes_of_a_pet_differ(data_dir: Path) -> None:
    volume = td.load(data_dir / STS / "PET" / "dicom" / "image")
    assert volume.units == "GML"
    assert len({one.slope for one in volume.provenance}) > 1


@pytest.mark.parametrize(
    "folder",
    [
        "tcia-cmb-crc",
        f"{STS}/CT/dicom/image",
        f"{STS}/MR_T1/dicom/image",
        f"{STS}/PET/dicom/image",
        "mirp/test/data/sts_images/STS_001/PET/dicom/image",
        "mirp/test/data/sts_images_raw/STS_001/FDG_PET/image",
        "dicom2nifti/tests/data/failing/gantrytilting",
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_series_equals_the_reference(data_dir: Path, folder: str, dtype: torch.dtype) -> None:
    native = td.load(data_dir / folder, dtype=dtype)
    assert_volumes_equal(native, td.load(data_dir / folder, dtype=dtype, backend="reference"))


def one_slice(data_dir: Path, suffix: str) -> Path:
    (path,) = (data_dir / SLICES).glob(f"CTImage.dcm*_1.2.840.10008.1.2{suffix}.dcm")
    return path


LOSSLESS = ["", ".1", ".2", ".1.99", ".5", ".4.57", ".4.70", ".4.80", ".4.90"]


@pytest.mark.parametrize("suffix", LOSSLESS)
def test_lossless_syntaxes_are_identical(data_dir: Path, backend: Backend, suffix: str) -> None:
    plain = td.load(data_dir / SLICES / "CTImage.dcm", backend=backend)
    other = td.load(one_slice(data_dir, suffix), backend=backend)
    assert_within(other.data, plain.data, 0)
    stored = [td.decode(data_dir / SLICES / "CTImage.dcm", dtype=torch.int32, backend=backend)]
    stored.append(td.decode(one_slice(data_dir, suffix), dtype=torch.int32, backend=backend))
    assert_within(stored[1], stored[0], 0)


@pytest.mark.parametrize(("suffix", "stored_units"), [(".4.81", 1), (".4.91", 5)])
def test_nearly_lossless_syntaxes(
    data_dir: Path, backend: Backend, suffix: str, stored_units: int
) -> None:
    plain = td.decode(data_dir / SLICES / "CTImage.dcm", dtype=torch.int32, backend=backend)
    other = td.decode(one_slice(data_dir, suffix), dtype=torch.int32, backend=backend)
    assert_within(other, plain, stored_units)


LOSSY = [(".4.50", 65), (".4.51", 36), (".4.53", 36), (".4.55", 36)]


@pytest.mark.parametrize(("suffix", "hu"), LOSSY)
def test_lossy_syntaxes(data_dir: Path, backend: Backend, suffix: str, hu: int) -> None:
    plain = td.load(data_dir / SLICES / "CTImage.dcm", backend=backend)
    assert_within(td.load(one_slice(data_dir, suffix), backend=backend).data, plain.data, hu)


@pytest.mark.parametrize("suffix", [".4.50", ".4.51", ".4.53", ".4.55"])
def test_jpeg_equals_another_decoder(data_dir: Path, backend: Backend, suffix: str) -> None:
    path = one_slice(data_dir, suffix)
    header = read_header(path, backend)
    whole = path.read_bytes()
    stream = b"".join(whole[at : at + size] for at, size in header.frame_ranges[0])
    other = torch.from_numpy(imagecodecs.jpeg_decode(stream).astype(np.int32))
    decoded = td.decode(path, dtype=torch.int32, backend=backend)
    assert_within(decoded[0], other, tolerance(header.transfer_syntax_uid))


BACKENDS: tuple[Backend, Backend] = ("native", "reference")


def load_parts(folder: Path, backend: Backend) -> dict[str, Any]:
    """What comes of the folder, then of every series that it is said to have."""
    loaded: dict[str, Any] = {}
    lax: Any = LAX
    try:
        loaded[""] = td.load(folder, backend=backend)
    except td.DicomError as error:
        loaded[""] = error.code
        policy = td.Policy(**lax)
        for key in keys_in(error):
            call = partial(td.load, folder, series=key, policy=policy, backend=backend)
            loaded[key] = outcome(call)
    return loaded


def assert_parts_equal(native: Any, reference: Any) -> None:
    if isinstance(native, td.Volume) and isinstance(reference, td.Volume):
        uid = str(native.metadata["TransferSyntaxUID"])
        step = max(one.slope for one in native.provenance)
        within = tolerance(uid, 3 if "c" in native.dims else 1)
        assert_volumes_equal(native, reference, within * step)
    else:
        assert native == reference


@pytest.mark.parametrize("source", SOURCES)
def test_backends_agree_on_every_folder(data_dir: Path, source: str) -> None:
    folders = sorted({path.parent for path in files_of(data_dir, source)})
    for folder in folders:
        native, reference = (load_parts(folder, backend) for backend in BACKENDS)
        assert list(native) == list(reference), folder
        for key, part in native.items():
            assert_parts_equal(part, reference[key])


def test_cut_real_file_gives_a_value_or_an_error_of_ours(data_dir: Path, backend: Backend) -> None:
    whole = (data_dir / "pydicom/src/pydicom/data/test_files/MR_small.dcm").read_bytes()
    complete = td.decode(whole, backend=backend)
    for size in range(0, len(whole), 97):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = outcome(partial(td.decode, whole[:size], backend=backend))
        assert isinstance(result, str) or result.tolist() == complete.tolist(), size
