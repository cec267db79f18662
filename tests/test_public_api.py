"""The public names: there, documented, with examples that run, and versioned."""

from __future__ import annotations

import doctest
import importlib
import importlib.metadata
import inspect
import pkgutil
from pathlib import Path

import pytest

import torchdicom as td
from effects import ONE
from torchdicom import _ext


@pytest.mark.parametrize("name", td.__all__)
def test_public_name_is_there_and_documented(name: str) -> None:
    thing = getattr(td, name)
    if not (inspect.isclass(thing) or inspect.isroutine(thing)):
        return
    assert len(inspect.getdoc(thing) or "") > 20
    assert thing.__module__.split(".")[0] == "torchdicom"
    if inspect.isclass(thing):
        members = {k: v for k, v in vars(thing).items() if not k.startswith("_")}
        methods = {k: v for k, v in members.items() if callable(v) or isinstance(v, property)}
        assert all(inspect.getdoc(v) for v in methods.values())


def test_all_is_complete_and_sorted_names_only() -> None:
    wanted = {"load", "decode", "read_header", "codecs", "set_num_threads", "get_num_threads"}
    wanted |= {"Codec", "empty_pool", "Volume", "Verdict", "Defect", "SliceProvenance", "Header"}
    wanted |= {"DicomError", "ParseError", "UnsupportedError", "DecodeError", "SeriesError"}
    wanted |= {"LimitError", "DicomWarning", "Policy", "scan", "open_index"}
    wanted |= {"Index", "Series", "Window"}
    wanted |= {"VolumeDataset", "ImageDataset", "PatchDataset"}
    wanted |= {"Loader", "collate"}
    assert wanted <= set(td.__all__)
    assert len(td.__all__) == len(set(td.__all__))
    assert set(td.__all__) <= set(dir(td))


def test_version() -> None:
    assert td.__version__ == importlib.metadata.version("torchdicom")
    assert td.__version__ == _ext.__version__


def test_codecs_names_every_syntax() -> None:
    text = repr(td.codecs())
    uids = ["2", "2.1", "2.2", "2.1.98", "2.1.99", "2.5"]
    uids += ["2.4." + n for n in ("50", "51", "53", "55", "57", "70", "80", "81", "90", "91")]
    assert [uid for uid in uids if f"1.2.840.10008.1.{uid}" not in text] == []


@pytest.mark.parametrize(
    ("uid", "library", "names"),
    [
        ("2", "torchdicom", ()),
        ("2.1.99", "libdeflate + torchdicom", ()),
        ("2.4.51", "libjpeg-turbo", ("libjpeg-turbo", "gdcm")),
        ("2.4.102", None, ()),
        ("2.5", "torchdicom", ("torchdicom",)),
        ("2.8.1", "libdeflate", ("libdeflate",)),
    ],
)
def test_codecs_tells_the_library_and_the_names(
    uid: str, library: str | None, names: tuple[str, ...]
) -> None:
    (row,) = [one for one in td.codecs() if one.transfer_syntax_uid == f"1.2.840.10008.1.{uid}"]
    assert (row.library, row.codecs) == (library, names)
    assert (row.version is None) == (library is None)


def test_every_codec_that_a_syntax_names_is_one_of_the_core() -> None:
    named = {name for row in td.codecs() for name in row.codecs}
    assert named == set(_ext.codec_names())
    assert len(_ext.codec_names()) == len(named)
    assert {"torchdicom", "libdeflate", "libjpeg-turbo", "gdcm"} <= named


def modules() -> list[str]:
    folder = Path(inspect.getfile(td)).parent
    found = pkgutil.walk_packages([str(folder)], "torchdicom.")
    names = [m.name for m in found if not m.name.endswith("._ext")]
    return ["torchdicom", *[name for name in names if ".interop." not in name]]


@pytest.mark.parametrize("name", modules())
def test_doctests(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Examples name files by paths from the root of the project.
    monkeypatch.chdir(Path(__file__).parent.parent)
    found = doctest.DocTestFinder().find(importlib.import_module(name))
    runner = doctest.DocTestRunner()
    for examples in found:
        # Needs MONAI, as the bridges need their libraries: tests/interop runs it with them.
        if not examples.name.endswith(".Volume.to_metatensor"):
            assert runner.run(examples).failed == 0


def test_main_functions_have_an_example() -> None:
    datasets = (td.VolumeDataset, td.ImageDataset, td.PatchDataset)
    classes = (td.Policy, td.Window, *datasets, td.Loader, td.collate)
    for function in (td.load, td.decode, td.read_header, td.scan, td.open_index, *classes):
        assert ">>>" in (inspect.getdoc(function) or "")


def test_what_people_print() -> None:
    volume = td.load(ONE)
    assert repr(volume) == (
        "Volume(shape=(1, 3, 4), dims=zyx, dtype=float32, spacing_mm=(1, 0.5, 0.25), units=HU, "
        "verdict=ok (assumed_spacing))"
    )
    with pytest.raises(AttributeError):
        volume.units = "GY"  # type: ignore[misc]
    with pytest.raises(TypeError):
        volume.metadata["Modality"] = "MR"  # type: ignore[index]
