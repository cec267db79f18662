"""The compiled contenders give the right values, or say why not. They need a compiler and GDCM."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pydicom
import pytest
from pydicom.uid import HTJ2KLossless

from benchmarks import datasets
from benchmarks.datasets import codecs
from benchmarks.native import build
from benchmarks.native.codec_peer import CodecFrames, ZlibFrames
from benchmarks.native.gdcm_peer import GdcmImage, GdcmScan, GdcmSeries
from benchmarks.native.limit import Limit, floor

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("own_cache")

_SLICES, _SIZE = 5, 64
_FAILS_WITH = r"failed:\n(.|\n)*error"


@pytest.mark.parametrize("threads", [1, 2])
def test_a_volume_has_the_values_that_truth_tells(threads: int) -> None:
    folder = datasets.ct_series(_SLICES, _SIZE)
    for contender in (
        Limit(folder, threads),
        Limit(folder, threads, mapped=True),
        GdcmSeries(folder, threads),
    ):
        for _ in range(2):  # the memory is used again
            found = contender.load()
            assert np.array_equal(found, datasets.truth(folder))
            found.fill(0)


def test_the_limit_takes_pixels_at_any_address(tmp_path: Path) -> None:
    source = next(datasets.ct_series(1, _SIZE).iterdir())
    expected = datasets.truth(source.parent)
    found = []
    for extra in range(0, 66, 2):
        ds = pydicom.dcmread(source)
        ds.add_new(0x00090010, "LO", "MOVES WHAT FOLLOWS")
        ds.add_new(0x00091000, "OB", bytes(extra))
        folder = tmp_path / f"moved{extra}"
        folder.mkdir()
        ds.save_as(folder / "one.dcm")
        found.append(Limit(folder, 1).load())
    assert all(np.array_equal(one, expected) for one in found)


def test_gdcm_reads_compressed_slices() -> None:
    folder = datasets.ct_series(_SLICES, _SIZE, "jpeg_lossless")
    assert np.array_equal(GdcmSeries(folder, 2).load(), datasets.truth(folder))


def test_gdcm_reads_all_frames_of_a_file() -> None:
    folder = datasets.enhanced_ct("jpeg_lossless", _SLICES, _SIZE)
    (path,) = folder.iterdir()
    found = GdcmImage(path).load()
    assert found.dtype == np.int16
    assert np.array_equal(found - 1024.0, datasets.truth(folder))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"CT": (_SLICES, _SIZE, _SIZE), "MG": (1, 96, 80)}
    monkeypatch.setattr(codecs, "_SIZES", sizes)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("picture", ["CT", "MG"])
@pytest.mark.parametrize("syntax", ["jpeg_8bit", "jpeg_2000", "htj2k", "deflated"])
def test_libraries_decode_frames_directly(syntax: str, picture: codecs.Picture) -> None:
    folder = datasets.codec_frames(syntax, picture)
    (path,) = folder.iterdir()
    work = ZlibFrames(path) if syntax == "deflated" else CodecFrames(path)
    expected = datasets.truth(folder)
    for _ in range(2):
        found = work.load()
        assert found.dtype == expected.dtype or syntax != "jpeg_8bit"
        assert found.shape == expected.shape
        off = np.abs(found.astype(int) - expected)
        # Edges are many in a small picture: the bound is of a picture of full size.
        assert off.max() <= (3 * datasets.CODEC_TOLERANCE[1] if syntax == "jpeg_8bit" else 0)


@pytest.mark.usefixtures("small")
def test_libraries_stand_aside_for_other_syntaxes() -> None:
    (path,) = datasets.codec_frames("rle", "CT").iterdir()
    for work in (CodecFrames, ZlibFrames):
        with pytest.raises(NotImplementedError):
            work(path)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("syntax", ["jpeg_8bit", "jpeg_2000"])
def test_libraries_say_what_they_refuse(syntax: str, tmp_path: Path) -> None:
    (path,) = datasets.codec_frames(syntax, "CT").iterdir()
    damaged = bytearray(path.read_bytes())
    at = damaged.index(b"\xff\xc0" if syntax == "jpeg_8bit" else b"\xff\x51")
    good = CodecFrames(path)
    damaged[at + 1] = 0x01
    copy = tmp_path / "damaged.dcm"
    copy.write_bytes(damaged)
    good._path = copy
    with pytest.raises(RuntimeError, match=r"JPEG"):
        good.load()


def test_gdcm_scans_a_few_tags() -> None:
    paths = sorted(datasets.ct_series(_SLICES, _SIZE).iterdir())
    found = GdcmScan(paths, [0x00080018, 0x00200013, 0x00280301]).load()
    headers = [pydicom.dcmread(path) for path in paths]
    assert found == [(ds.SOPInstanceUID, str(ds.InstanceNumber), "") for ds in headers]


@pytest.mark.parametrize("threads", [1, 2])
def test_the_floor_counts_the_files_of_a_tree(threads: int) -> None:
    assert floor(datasets.header_tree(405, 16), threads) == 405


def test_a_refused_syntax_is_an_error(tmp_path: Path) -> None:
    (source,) = datasets.mammogram("rle", 96, 80).iterdir()
    ds = pydicom.dcmread(source)
    ds.file_meta.TransferSyntaxUID = HTJ2KLossless
    path = tmp_path / "refused.dcm"
    ds.save_as(path)
    with pytest.raises(RuntimeError, match=r"GDCM does not read .*refused\.dcm"):
        GdcmImage(path)
    with pytest.raises(RuntimeError, match=r"Scanner does not read .*pyproject\.toml"):
        GdcmScan([build.BUILD.parents[1] / "pyproject.toml"], [0x00080018]).load()
    with pytest.raises(ValueError, match="no native signed pixels"):
        Limit(datasets.ct_series(_SLICES, _SIZE, "rle"), 1)


def test_a_slice_of_another_size_is_an_error() -> None:
    folder = datasets.ct_series(_SLICES, _SIZE)
    gdcm = GdcmSeries(folder, 2)
    path = folder / "IM00003.dcm"
    ds = pydicom.dcmread(path)
    ds.Rows, ds.PixelData = _SIZE // 2, ds.PixelData[: _SIZE * _SIZE]
    ds.save_as(path)
    with pytest.raises(RuntimeError, match=r"IM00003\.dcm has 4096 bytes .* 8192 are expected"):
        gdcm.load()
    with pytest.raises(ValueError, match="slices of 2 kinds"):
        Limit(folder, 1)


def test_a_file_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        floor(tmp_path / "nowhere", 1)
    folder = datasets.ct_series(_SLICES, _SIZE)
    limit = Limit(folder, 2)
    (folder / "IM00000.dcm").unlink()
    with pytest.raises(FileNotFoundError, match=r"IM00000\.dcm"):
        limit.load()


def test_what_does_not_compile_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "_SOURCES", tmp_path)
    (tmp_path / "broken.c").write_text("int broken( {", encoding="utf-8")
    with pytest.raises(RuntimeError, match=rf"cc .*broken\.c.* {_FAILS_WITH}"):
        build.library("broken.c")
