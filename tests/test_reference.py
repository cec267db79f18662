"""The reference backend alone: against literals, pydicom, NIfTI files and the standard's words."""

from __future__ import annotations

import ast
import json
import math
import os
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import pydicom
import pytest
import torch

import torchdicom
from builders import BIG, EXPLICIT, PIXEL_DATA, Element, ct_slice, write_series
from compare import tolerance
from torchdicom import DecodeError, DicomWarning, ParseError, Policy
from torchdicom import _reference as reference
from torchdicom._metadata import METADATA, decode_text, parse_decimal, typed_metadata
from torchdicom._reference import _codecs, _sources
from torchdicom._reference._codecs import CODECS
from torchdicom._reference._pixel_format import PixelFormat, pixel_format
from torchdicom._reference._syntaxes import ENCAPSULATED, NATIVE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

JPEG_CELLS = np.arange(64, dtype=np.uint8).reshape(8, 8) * 2
PIXELS = PixelFormat(8, 8, bits_allocated=8, bits_stored=8, high_bit=7, is_signed=False)
CORNERSTONE = "cornerstone3D/packages/dicomImageLoader/testImages"
STS_002 = "mirp/test/data/sts_images/STS_002"


def load(source: str | bytes | Path | Sequence[str | bytes | Path], **options: Any) -> Any:
    """`load_series` with the defaults of `torchdicom.load`."""
    chosen: dict[str, Any] = {"output": "modality", "dtype": None, "out": None, "num_threads": 2}
    chosen |= {"series": None, "policy": Policy(), "slices": None, "region": None, "mask": False}
    chosen |= options
    sources = [source] if isinstance(source, (str, bytes, Path)) else source
    named = [one if isinstance(one, bytes) else os.fspath(one) for one in sources]
    return reference.load_series(named, **chosen)


def decode(source: str | bytes | Path, **options: Any) -> torch.Tensor:
    """`decode_frames` with the defaults of `torchdicom.decode`."""
    chosen: dict[str, Any] = {"frames": None, "output": "stored", "dtype": None, "out": None}
    chosen |= {"num_threads": 2, **options}
    named = source if isinstance(source, bytes) else os.fspath(source)
    return reference.decode_frames(named, **chosen)


# --- what it is made of


def _imports(module: Path) -> Iterator[str]:
    """Every module name that a file imports, at any depth of its code."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_imports_nothing_of_the_native_backend() -> None:
    package = Path(reference.__file__).parent
    root = package.parent
    waiting = sorted(package.glob("**/*.py"))
    assert len(waiting) >= 5
    seen: set[Path] = set()
    while waiting:
        module = waiting.pop()
        if module in seen:
            continue
        seen.add(module)
        for name in _imports(module):
            parts = name.split(".")
            if parts[0] != "torchdicom":
                continue
            assert parts[1] not in {"_ext", "_native", "_load"}, f"{module} imports {name}"
            assert len(parts) > 2 or parts[1].startswith("_"), f"{module} imports {name}"
            followed = root / f"{parts[1]}.py"
            waiting += [followed] if followed.is_file() else []
    assert {path.name for path in seen if path.parent == root} == {
        "_errors.py",
        "_finish.py",
        "_header.py",
        "_metadata.py",
        "_policy.py",
        "_volume.py",
        "_window.py",
    }


def _codestream(function: str, uid: str) -> bytes:
    if function == "jpegls_decode":
        return bytes(imagecodecs.jpegls_encode(JPEG_CELLS))
    if function == "jpeg2k_decode":
        return bytes(imagecodecs.jpeg2k_encode(JPEG_CELLS, codecformat="j2k", reversible=True))
    if function == "jpegxl_decode":
        return bytes(imagecodecs.jpegxl_encode(JPEG_CELLS, lossless=True))
    is_lossless = uid.endswith((".57", ".70"))
    return bytes(imagecodecs.jpeg8_encode(JPEG_CELLS, level=100, lossless=is_lossless))


@pytest.mark.parametrize("uid", CODECS)
def test_plugin_of_each_syntax_is_called(uid: str, monkeypatch: pytest.MonkeyPatch) -> None:
    codec = CODECS[uid]
    called: list[str] = []

    def spy(data: bytes, **options: Any) -> Any:
        called.append(codec.function)
        return original(data, **options)

    original = getattr(codec.library, codec.function)
    monkeypatch.setattr(codec.library, codec.function, spy)
    cells = _codecs.decode_cells(_codestream(codec.function, uid), uid, PIXELS).cells
    assert called == [codec.function]
    assert cells.dtype == np.uint8
    assert np.abs(cells.astype(int) - JPEG_CELLS).max() <= tolerance(uid)


@pytest.mark.parametrize("uid", CODECS)
def test_codestream_is_checked_before_the_plugin_sees_it(
    uid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    codec = CODECS[uid]
    codestream = _codestream(codec.function, uid)
    monkeypatch.setattr(codec.library, codec.function, pytest.fail)
    larger = PixelFormat(9, 8, bits_allocated=8, bits_stored=8, high_bit=7, is_signed=False)
    with pytest.raises(DecodeError) as mismatch:
        _codecs.decode_cells(codestream, uid, larger)
    assert mismatch.value.code == "codestream_mismatch"
    # JPEG XL has no marker at its end: only its header tells without the library.
    end = 3 if codec.function == "jpegxl_decode" else -2
    with pytest.raises(DecodeError) as cut:
        _codecs.decode_cells(codestream[:end], uid, PIXELS)
    assert cut.value.code == "invalid_codestream"


def test_jpeg_xl_that_is_cut_off() -> None:
    uid = "1.2.840.10008.1.2.4.110"
    codestream = _codestream("jpegxl_decode", uid)
    for end in (12, len(codestream) - 1):
        with pytest.raises(DecodeError) as caught:
            _codecs.decode_cells(codestream[:end], uid, PIXELS)
        assert caught.value.code == "invalid_codestream"


def test_plugin_that_refuses_is_decoder_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(data: bytes, **_options: Any) -> None:
        msg = f"{len(data)} bytes of nonsense"
        raise RuntimeError(msg)

    uid = "1.2.840.10008.1.2.4.80"
    codestream = _codestream("jpegls_decode", uid)
    monkeypatch.setattr(imagecodecs, "jpegls_decode", refuse)
    with pytest.raises(DecodeError, match="bytes of nonsense") as caught:
        _codecs.decode_cells(codestream, uid, PIXELS)
    assert caught.value.code == "decoder_failed"


def test_syntaxes_are_those_of_the_standard() -> None:
    known = {uid for uid in NATIVE | ENCAPSULATED if pydicom.uid.UID(uid).is_transfer_syntax}
    # PS3.6 Table A-1; pydicom's dictionary may lack those that few files use.
    few = {"1.2.840.10008.1.2.1.98", "1.2.840.10008.1.2.8.1"}
    few |= {f"1.2.840.10008.1.2.4.{number}" for number in (110, 111, 112)}
    assert known | few == NATIVE | ENCAPSULATED
    assert set(CODECS) < ENCAPSULATED


# --- values


def test_slices_values_and_affine_of_a_small_series(tmp_path: Path) -> None:
    # Names in the reverse of the positions, and a slope for each slice, as PET has.
    write_series(
        tmp_path,
        3,
        names=["c.dcm", "b.dcm", "a.dcm"],
        step_mm=3.27,
        RescaleSlope=[0.1, 0.2, 0.3],
        RescaleIntercept=0.7,
        Modality="PT",
        Units="GML",
    )
    volume = load(tmp_path)
    assert [Path(p.path).name for p in volume.provenance] == ["c.dcm", "b.dcm", "a.dcm"]
    assert [p.slope for p in volume.provenance] == [0.1, 0.2, 0.3]
    expected = [
        np.float32(11 * 0.1 + 0.7),
        np.float32(111 * 0.2 + 0.7),
        np.float32(211 * 0.3 + 0.7),
    ]
    assert volume.data[:, 2, 3].tolist() == [float(value) for value in expected]
    step = (30 + 2 * 3.27 - 30) / 2
    assert volume.affine.tolist() == [
        [0, 0, 0.25, -10],
        [0, 0.5, 0, -20],
        [step, 0, 0, 30],
        [0, 0, 0, 1],
    ]
    assert (volume.units, str(volume.verdict)) == ("GML", "ok")
    assert volume.metadata["Modality"] == "PT"


def test_gantry_tilt_is_measured_and_stays_in_the_affine(tmp_path: Path) -> None:
    positions = [(0, i * 2.0 * math.tan(math.radians(14)), i * 2.0) for i in range(4)]
    write_series(tmp_path, 4, ImagePositionPatient=positions)
    volume = load(tmp_path)
    (defect,) = volume.verdict.defects
    assert (volume.verdict.ok, defect.code) == (True, "gantry_tilt")
    assert defect.measured["angle_degrees"] == pytest.approx(14, abs=1e-9)
    assert volume.affine[1, 0].item() == pytest.approx(2.0 * math.tan(math.radians(14)))


def test_bytes_in_big_endian_words_are_put_in_order() -> None:
    # PS3.5 8.1.2: of two 8-bit pixels in a word, the first is the low byte.
    element = Element(PIXEL_DATA, "OW", bytes([2, 1, 4, 3, 6, 5]))
    cells = np.zeros((2, 1, 3), np.uint8)
    data = ct_slice(cells, syntax=BIG, pixel_element=element)
    assert decode(data).tolist() == [[[1, 2, 3]], [[4, 5, 6]]]
    assert decode(data, frames=[-1]).tolist() == [[[4, 5, 6]]]


def test_lowest_slice_wins_whatever_the_threads(tmp_path: Path) -> None:
    paths = write_series(tmp_path, 6, RescaleSlope=[1, 1, 100, 1, 100, 100])
    for threads in (1, 2, 5):
        with pytest.raises(torchdicom.LimitError) as caught:
            load(tmp_path, dtype=torch.int16, num_threads=threads)
        assert (caught.value.code, caught.value.path) == ("value_overflow", str(paths[4]))


def test_file_that_changes_between_header_and_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = write_series(tmp_path, 1)

    def touch(file: Any) -> Any:
        os.utime(path, ns=(1, 1))
        return pixel_format(file)

    monkeypatch.setattr("torchdicom._reference._build.pixel_format", touch)
    with pytest.raises(ParseError) as caught:
        load(path)
    assert (caught.value.code, caught.value.path) == ("file_changed", str(path))


def test_linked_folders_are_walked_once(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "file").write_bytes(b"x")
    (tmp_path / "in" / "back").symlink_to(tmp_path)
    (tmp_path / "gone").symlink_to(tmp_path / "nothing")
    found = _sources.expand([str(tmp_path)])
    assert [Path(source.path).name for source in found] == ["file"]


# --- text and numbers


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.5", 1.5),
        (" +.5 \0", 0.5),
        ("-1.E-2", -0.01),
        ("0e999", 0.0),
        ("5e-324", 5e-324),
        *((bad, None) for bad in ("1,5", "1_0", "nan", "inf", "", ".", "1e", "0x1", "\u0661")),
        *((bad, None) for bad in ("1e309", "1e-400", "1 5", "1\n", "--1")),
    ],
)
def test_decimal_strings(text: str, number: float | None) -> None:
    assert parse_decimal(text) == number


def test_typed_metadata_warns_and_leaves_out() -> None:
    raw = {"KVP": " 120 ", "FlipAngle": "9,0", "Manufacturer": "Some\0", "PatientName": "x"}
    with pytest.warns(DicomWarning, match=r"\(0018,1314\) FlipAngle of a\.dcm"):
        typed = typed_metadata(raw, "a.dcm")
    assert typed == {"Manufacturer": "Some", "KVP": 120.0}


def test_metadata_tags_are_those_of_the_dictionary() -> None:
    assert {keyword: pydicom.datadict.tag_for_keyword(keyword) for keyword in METADATA} == {
        keyword: tag for keyword, (tag, _) in METADATA.items()
    }


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("ISO_IR 100", "M\u00fcnchen"),
        ("ISO_IR 101", "\u0141\u00f3d\u017a"),
        ("ISO_IR 144", "\u041c\u043e\u0441\u043a\u0432\u0430"),
        ("ISO_IR 192", "\u6771\u4eac"),
        ("GB18030", "\u5317\u4eac"),
        ("GBK", "\u5317\u4eac"),
    ],
)
def test_text_reads_the_same_with_and_without_pydicom(charset: str, text: str) -> None:
    codec = pydicom.charset.convert_encodings(charset)[0]
    value = text.encode(codec)
    assert decode_text(value, charset) == text
    extra = [Element(0x00080005, "CS", charset)]
    assert load(ct_slice(extra=extra, Manufacturer=value)).metadata["Manufacturer"] == text


def test_text_without_a_charset_is_ascii() -> None:
    assert decode_text(b"M\xfcnchen", "") == "M\ufffdnchen"
    assert load(ct_slice(Manufacturer=b"M\xfcnchen ")).metadata["Manufacturer"] == "M\ufffdnchen"


# --- real files


@pytest.mark.data
def test_ct_series_has_the_recorded_geometry_and_voxels(data_dir: Path) -> None:
    digest = json.loads((data_dir / "_digests" / "cmb-crc-100.json").read_text())
    volume = load(data_dir / digest["dicom_dir"])
    assert volume.data.double().sum().item() == digest["sum"]
    nifti = np.asarray(digest["affine_RAS"])
    affine = volume.affine.numpy()
    for probe in digest["probes"]:
        ras = nifti @ [*probe["ijk"], 1]
        index = np.linalg.solve(affine, ras * [-1, -1, 1, 1])[:3]
        nearest = index.round().astype(int)
        assert np.abs(index - nearest).max() < 1e-3
        assert volume.data[tuple(nearest)].item() == probe["value"]


@pytest.mark.data
@pytest.mark.parametrize(("name", "ulps"), [("CT", 0), ("MR_T1", 0), ("PET", 1)])
def test_sts_equals_its_nifti(data_dir: Path, name: str, ulps: int) -> None:
    nibabel = pytest.importorskip("nibabel")
    folder = data_dir / STS_002 / name
    volume = load(folder / "dicom" / "image")
    image = nibabel.load(folder / "nifti" / "image" / "image.nii.gz")
    expected = np.asarray(image.dataobj).T.astype(np.float32)
    actual = volume.data.numpy()
    assert actual.shape == expected.shape
    assert (np.abs(actual - expected) <= ulps * np.spacing(np.abs(expected))).all()
    permuted = np.diag([-1.0, -1.0, 1.0, 1.0]) @ volume.affine.numpy()[:, [2, 1, 0, 3]]
    assert np.allclose(permuted, image.affine, atol=1e-3)


@pytest.mark.data
@pytest.mark.parametrize(
    ("suffix", "tolerance"),
    [
        *((suffix, 0) for suffix in ("1.2", "1.2.1", "1.2.2", "1.2.1.99", "1.2.5")),
        *((suffix, 0) for suffix in ("1.2.4.57", "1.2.4.70", "1.2.4.80", "1.2.4.90")),
        ("1.2.4.81", 1),
        ("1.2.4.91", 5),
        ("1.2.4.50", 65),
        *((suffix, 36) for suffix in ("1.2.4.51", "1.2.4.53", "1.2.4.55")),
    ],
)
def test_every_syntax_of_one_slice(data_dir: Path, suffix: str, tolerance: int) -> None:
    folder = data_dir / CORNERSTONE
    paths = {".".join(p.stem.split(".")[-4:]): p for p in folder.glob("*_1.2.840.10008.*.dcm")}
    by_uid = {p.stem.rpartition("_")[2]: p for p in paths.values()}
    base = load(by_uid["1.2.840.10008.1.2.1"])
    other = load(by_uid[f"1.2.840.10008.{suffix}"])
    assert (other.data - base.data).abs().max().item() <= tolerance
    assert other.metadata["TransferSyntaxUID"] == f"1.2.840.10008.{suffix}"


@pytest.mark.data
@pytest.mark.parametrize(
    "folder", ["pydicom/src/pydicom/data/test_files", "dicom2nifti/tests/data", "tcia-cmb-crc"]
)
def test_values_are_those_that_pydicom_reads(data_dir: Path, folder: str) -> None:
    compared = 0
    for path in sorted((data_dir / folder).glob("**/*.dcm"))[:150]:
        try:
            header = reference.read_header(str(path))
        except torchdicom.DicomError:
            continue
        _compare_with_pydicom(header, pydicom.dcmread(path, force=True))
        compared += 1
    assert compared >= 50


def _compare_with_pydicom(header: Any, data_set: pydicom.Dataset) -> None:
    def value(keyword: str) -> Any:
        found = data_set.get(keyword)
        return None if found is None or found == "" else found

    ours = SimpleNamespace(
        Rows=header.rows,
        Columns=header.columns,
        BitsAllocated=header.bits_allocated,
        RescaleSlope=header.rescale_slope,
        RescaleIntercept=header.rescale_intercept,
        SliceThickness=header.slice_thickness,
        Modality=header.modality,
        SOPInstanceUID=header.sop_instance_uid,
        SeriesInstanceUID=header.series_instance_uid,
        InstanceNumber=header.instance_number,
    )
    assert vars(ours) == {keyword: value(keyword) for keyword in vars(ours)}
    for keyword, numbers in (
        ("ImagePositionPatient", header.image_position_patient),
        ("ImageOrientationPatient", header.image_orientation_patient),
        ("PixelSpacing", header.pixel_spacing),
    ):
        assert numbers == tuple(float(part) for part in value(keyword) or ())
    if header.transfer_syntax_uid == EXPLICIT.uid and header.frame_ranges:
        (start, _), *_ = header.frame_ranges[0]
        with Path(header.path).open("rb") as file:
            file.seek(start)
            assert file.read(8) == data_set.PixelData[:8]
