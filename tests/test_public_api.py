"""The public names: documented, versioned, and every option of every one changes something."""

from __future__ import annotations

import contextlib
import dataclasses
import doctest
import importlib
import importlib.metadata
import inspect
import io
import pkgutil
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import torchdicom as td
from builders import axial, ct_slice, write_series
from builders_defects import ACTIONS, CASE_OF
from builders_forms import real_world, real_world_item
from torchdicom import _ext

if TYPE_CHECKING:
    from helpers import Backend

Pair = tuple[Callable[[], object], Callable[[], object]]

ONE = ct_slice()
OTHER = ct_slice(np.ones((3, 4), np.int16), Modality="MR")
FRAMES = ct_slice(np.arange(24, dtype=np.int16).reshape(2, 3, 4))
TWO = ct_slice(np.ones((3, 4), np.int16), SeriesInstanceUID="9.9", SOPInstanceUID="9.9.1")
MAPS = ct_slice(
    extra=[
        real_world(
            real_world_item(first=0, last=9, label="a", slope=2, intercept=0),
            real_world_item(first=0, last=9, label="b", slope=3, intercept=0),
        )
    ]
)
MANY = [ct_slice(ImagePositionPatient=(0, 0, k), SOPInstanceUID=f"1.{k}") for k in range(8)]


def load(**options: Any) -> object:
    volume = td.load(**{"source": ONE, **options})
    return volume.data.dtype, volume.data.tolist()


def outcome(source: object, **options: Any) -> object:
    """What a load gives, what it says, or how it fails."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            volume = td.load(source, **options)  # type: ignore[arg-type]
        except td.DicomError as error:
            return error.code
    return volume.data.tolist(), [str(one.message) for one in said]


def with_action(code: str, action: str) -> object:
    """The outcome for files that have this defect."""
    with tempfile.TemporaryDirectory() as folder:
        CASE_OF[code].write(Path(folder))
        policy = td.Policy(**{code: action})  # type: ignore[arg-type]
        return outcome(folder, series=CASE_OF[code].series, policy=policy)


def with_tolerance(name: str, value: float) -> object:
    """The outcome where a slice lies 0.6 mm from where steps of 2 mm have it."""
    with tempfile.TemporaryDirectory() as folder:
        write_series(Path(folder), 4, ImagePositionPatient=axial(0, 2, 4.6, 6))
        policy = td.Policy(**{name: value})  # type: ignore[arg-type]
        return outcome(folder, policy=policy)


def policy_effects(code: str) -> Pair:
    """The first and the last action that the code has."""
    return (
        lambda: with_action(code, ACTIONS[code][0]),
        lambda: with_action(code, ACTIONS[code][-1]),
    )


def decode(**options: Any) -> object:
    data = td.decode(**{"source": FRAMES, **options})
    return data.dtype, data.tolist()


def threads_used(call: Callable[..., object], source: object, threads: int) -> object:
    call(source, num_threads=threads)
    return _ext.last_load_stats()["threads"]


def is_out(call: Callable[..., Any], source: bytes, out: torch.Tensor | None) -> bool:
    result = call(source, out=out)
    return (result.data if isinstance(result, td.Volume) else result) is out


def listed(data: bytes = ONE, **options: Any) -> object:
    """What the one series of an index loads, or how it fails."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a.dcm").write_bytes(data)
        series = td.scan(folder).series[0]
        try:
            return series.load(**options).data.tolist()
        except td.DicomError as error:
            return error.code


def decoded(data: bytes = ONE, **options: Any) -> object:
    """What is decoded, or how it fails."""
    try:
        return td.decode(data, **options).tolist()
    except td.DicomError as error:
        return error.code


def header(**options: Any) -> object:
    return td.read_header(**options).modality


def threads_after(n: int) -> int:
    try:
        td.set_num_threads(num_threads=n)
        return td.get_num_threads()
    finally:
        td.set_num_threads(None)


def native_loads_counted(call: Callable[..., object], backend: Backend) -> object:
    """The reference does not pass the native counters, which tells who worked."""
    td.load(MANY[:3])
    call(FRAMES if call is td.decode else ONE, backend=backend)
    return _ext.last_load_stats()["files"]


def scanned(*files: bytes, **options: Any) -> object:
    """The series that a folder with these files has, and what is known of them."""
    with tempfile.TemporaryDirectory() as folder:
        for i, data in enumerate(files):
            Path(folder, f"{i}.dcm").write_bytes(data)
        index = td.scan(folder, **options)
        return [(one.key, one.shape, dict(one.metadata)) for one in index.series]


def bar_shown(*, progress: bool) -> bool:
    with contextlib.redirect_stderr(io.StringIO()) as said:
        scanned(ONE, progress=progress)
    return bool(said.getvalue())


def is_saved(name: str | None) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        scanned(ONE, index=None if name is None else Path(folder, name))
        return bool(list(Path(folder).iterdir()))


def threads_of_scan(threads: int) -> object:
    scanned(ONE, num_threads=threads)
    return _ext.last_load_stats()["threads"]


def opened(data: bytes, root: str | None = None) -> object:
    """An index that was saved and opened again: its series, and where they say their files are."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a.dcm").write_bytes(data)
        td.scan(folder).save(Path(folder, "index"))
        index = td.open_index(Path(folder, "index"), root=root)
        return [(one.key, root is not None and one.paths) for one in index.series]


FLOATS, SHORTS = torch.zeros((1, 3, 4)), torch.zeros((2, 3, 4), dtype=torch.int16)

# For every option two calls whose results differ.
EFFECTS: dict[tuple[str, str], Pair] = {
    ("load", "source"): (lambda: load(source=ONE), lambda: load(source=OTHER)),
    ("load", "series"): (
        lambda: load(source=[ONE, TWO], series="1.2.3.4"),
        lambda: load(source=[ONE, TWO], series="9.9"),
    ),
    ("load", "policy"): (
        lambda: outcome(MANY[:3] + MANY[5:]),
        lambda: outcome(MANY[:3] + MANY[5:], policy=td.Policy(missing_slices="allow")),
    ),
    ("load", "slices"): (
        lambda: load(source=MANY, slices=2),
        lambda: load(source=MANY, slices=slice(2, 4)),
    ),
    ("load", "region"): (
        lambda: load(region=(0, 2, 0, 4)),
        lambda: load(region=(1, 3, 0, 4)),
    ),
    ("load", "reduce"): (lambda: load(reduce=0), lambda: load(reduce=1)),
    ("load", "codec"): (lambda: outcome(ONE), lambda: outcome(ONE, codec="gdcm")),
    ("load", "rwvm"): (
        lambda: load(source=MAPS, output="real_world", rwvm="a"),
        lambda: load(source=MAPS, output="real_world", rwvm="b"),
    ),
    ("load", "mask"): (
        lambda: td.load(ONE, mask=True).valid_mask is None,
        lambda: td.load(ONE, mask=False).valid_mask is None,
    ),
    ("load", "output"): (lambda: load(output="stored"), lambda: load(output="modality")),
    ("load", "dtype"): (lambda: load(dtype=torch.int16), lambda: load(dtype=torch.float64)),
    ("load", "out"): (
        lambda: is_out(td.load, ONE, FLOATS),
        lambda: is_out(td.load, ONE, None) or 0,
    ),
    ("load", "num_threads"): (
        lambda: threads_used(td.load, MANY, 1),
        lambda: threads_used(td.load, MANY, 3),
    ),
    ("load", "backend"): (
        lambda: native_loads_counted(td.load, "native"),
        lambda: native_loads_counted(td.load, "reference"),
    ),
    ("decode", "source"): (lambda: decode(source=ONE), lambda: decode(source=OTHER)),
    ("decode", "frames"): (lambda: decode(frames=[0]), lambda: decode(frames=[1])),
    ("decode", "output"): (lambda: decode(output="stored"), lambda: decode(output="modality")),
    ("decode", "dtype"): (lambda: decode(dtype=torch.int16), lambda: decode(dtype=torch.int32)),
    ("decode", "region"): (
        lambda: decode(region=(0, 2, 0, 4)),
        lambda: decode(region=(1, 3, 0, 4)),
    ),
    ("decode", "reduce"): (lambda: decode(reduce=0), lambda: decode(reduce=1)),
    ("decode", "codec"): (decoded, lambda: decoded(codec="gdcm")),
    ("decode", "rwvm"): (
        lambda: decoded(MAPS, output="real_world", rwvm="a"),
        lambda: decoded(MAPS, output="real_world", rwvm="b"),
    ),
    ("decode", "out"): (
        lambda: is_out(td.decode, FRAMES, SHORTS),
        lambda: is_out(td.decode, FRAMES, None) or 0,
    ),
    ("decode", "num_threads"): (
        lambda: threads_used(td.decode, FRAMES, 1),
        lambda: threads_used(td.decode, FRAMES, 2),
    ),
    ("decode", "backend"): (
        lambda: native_loads_counted(td.decode, "native"),
        lambda: native_loads_counted(td.decode, "reference"),
    ),
    ("read_header", "source"): (lambda: header(source=ONE), lambda: header(source=OTHER)),
    ("scan", "paths"): (lambda: scanned(ONE), lambda: scanned(TWO)),
    ("scan", "index"): (lambda: is_saved(None), lambda: is_saved("index")),
    ("scan", "num_threads"): (lambda: threads_of_scan(1), lambda: threads_of_scan(3)),
    ("scan", "progress"): (lambda: bar_shown(progress=False), lambda: bar_shown(progress=True)),
    ("scan", "include_metadata"): (
        lambda: scanned(ONE),
        lambda: scanned(ONE, include_metadata=["SeriesDescription"]),
    ),
    ("open_index", "path"): (lambda: opened(ONE), lambda: opened(TWO)),
    ("open_index", "root"): (lambda: opened(ONE, "/here"), lambda: opened(ONE, "/there")),
    ("set_num_threads", "num_threads"): (lambda: threads_after(1), lambda: threads_after(5)),
    **{("Policy", code): policy_effects(code) for code in ACTIONS},
    ("Policy", "spacing_tolerance"): (
        lambda: with_tolerance("spacing_tolerance", 0.29),
        lambda: with_tolerance("spacing_tolerance", 0.31),
    ),
    ("Policy", "position_tolerance_mm"): (
        lambda: with_tolerance("position_tolerance_mm", 0.59),
        lambda: with_tolerance("position_tolerance_mm", 0.61),
    ),
}


# The same for a series of an index, whose other options `load` has too.
OF_SERIES: dict[str, Pair] = {
    "output": (lambda: listed(output="stored"), lambda: listed(output="modality")),
    "region": (lambda: listed(region=(0, 2, 0, 4)), lambda: listed(region=(1, 3, 0, 4))),
    "reduce": (lambda: listed(reduce=0), lambda: listed(reduce=1)),
    "codec": (listed, lambda: listed(codec="gdcm")),
    "rwvm": (
        lambda: listed(MAPS, output="real_world", rwvm="a"),
        lambda: listed(MAPS, output="real_world", rwvm="b"),
    ),
}


def options() -> list[tuple[str, str]]:
    functions = [name for name in td.__all__ if inspect.isroutine(getattr(td, name))]
    named = [
        (n, option) for n in functions for option in inspect.signature(getattr(td, n)).parameters
    ]
    return named + [("Policy", field.name) for field in dataclasses.fields(td.Policy)]


@pytest.mark.parametrize(("function", "option"), options())
def test_every_option_changes_something(function: str, option: str) -> None:
    first, second = EFFECTS[function, option]
    assert first() != second()


@pytest.mark.parametrize("option", OF_SERIES)
def test_options_of_a_series_change_something(option: str) -> None:
    first, second = OF_SERIES[option]
    assert first() != second()


def test_a_series_has_the_options_of_load() -> None:
    of_load = set(inspect.signature(td.load).parameters) - {"source", "series", "backend"}
    assert set(inspect.signature(td.Series.load).parameters) - {"self"} == of_load


def test_no_effect_is_stale() -> None:
    assert set(EFFECTS) == set(options())


WRONG = [
    (td.load, {"output": "hounsfield"}, "stored"),
    (td.load, {"output": None}, "stored"),
    (td.load, {"backend": "gdcm"}, "reference"),
    (td.load, {"dtype": torch.complex64}, "float32"),
    (td.load, {"dtype": torch.bool}, "float32"),
    (td.load, {"dtype": "float32"}, "dtype"),
    (td.load, {"dtype": np.float32}, "dtype"),
    (td.load, {"out": [1, 2]}, "out"),
    (td.load, {"out": torch.zeros((1, 3, 4), dtype=torch.bool)}, "out"),
    (td.load, {"out": torch.zeros((1, 3, 4), dtype=torch.complex64)}, "out"),
    (td.load, {"series": 1}, "series must be"),
    (td.load, {"series": b"1.2.3.4"}, "series must be"),
    (td.load, {"policy": "allow"}, "Policy, not str"),
    (td.load, {"policy": td.Policy}, "policy"),
    (td.load, {"slices": "0"}, "slices must be an int, a slice"),
    (td.load, {"slices": 0.5}, "slices must be an int, a slice"),
    (td.load, {"slices": True}, "slices"),
    (td.load, {"slices": [0, None]}, "slices must hold integers"),
    (td.load, {"slices": []}, "slices is empty"),
    (td.load, {"slices": slice(0, 1, 0)}, "slices"),
    (td.load, {"slices": slice(0.0, 1.0)}, "slices"),
    (td.load, {"region": (0, 1, 0)}, "four integers"),
    (td.load, {"region": "0101"}, "four integers"),
    (td.load, {"region": 3}, "four integers"),
    (td.load, {"region": (0, 1.0, 0, 1)}, "four integers"),
    (td.load, {"region": (False, True, 0, 1)}, "four integers"),
    (td.load, {"reduce": 9}, "reduce must be 0 to 8, not 9"),
    (td.load, {"reduce": -1}, "reduce must be 0 to 8, not -1"),
    (td.load, {"reduce": 1.0}, "reduce must be an int"),
    (td.load, {"reduce": True}, "reduce must be an int"),
    (td.load, {"codec": "gdcm2"}, "codec must be one of .*'gdcm'"),
    (td.load, {"codec": 1}, "codec must be the name"),
    (td.load, {"rwvm": "a"}, "output='real_world'"),
    (td.load, {"rwvm": 1, "output": "real_world"}, "rwvm must be the label"),
    (td.decode, {"reduce": 9}, "reduce must be 0 to 8, not 9"),
    (td.decode, {"region": (0, 1, 0)}, "four integers"),
    (td.decode, {"codec": "gdcm2"}, "codec must be one of .*'gdcm'"),
    (td.decode, {"rwvm": "a"}, "output='real_world'"),
    (td.load, {"mask": 1}, "mask must be True or False"),
    (td.load, {"mask": None}, "mask must be True or False"),
    (td.decode, {"out": torch.zeros((1, 3, 4), dtype=torch.bool)}, "out"),
    (td.decode, {"output": "hounsfield"}, "stored"),
    (td.decode, {"backend": "gdcm"}, "reference"),
    (td.decode, {"frames": "all"}, "frames"),
    (td.decode, {"frames": [0.5]}, "frames"),
]


@pytest.mark.parametrize(("call", "wrong", "allowed"), WRONG)
def test_wrong_option_is_named_with_what_is_allowed(
    call: Callable[..., object], wrong: dict[str, object], allowed: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=allowed) as caught:
        call(ONE, **wrong)
    assert not isinstance(caught.value, td.DicomError)


ARRAY = np.frombuffer(ONE, np.uint8)


@pytest.mark.parametrize("source", [None, 3, 2.5, ARRAY, {ONE}, [None], [[ONE]], [ONE, ARRAY]])
def test_wrong_source(source: Any) -> None:
    for call in (td.load, td.decode, td.read_header):
        with pytest.raises(TypeError, match="source must be"):
            call(source)


def test_no_source() -> None:
    with pytest.raises(ValueError, match="source is an empty list"):
        td.load([])


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_of_every_kind(backend: Backend, kind: Callable[[bytes], Any]) -> None:
    assert td.load(kind(ONE), backend=backend).data.shape == (1, 3, 4)
    assert td.decode(kind(ONE), backend=backend).shape == (1, 3, 4)
    assert td.read_header(kind(ONE)).rows == 3


def test_numbers_of_numpy(backend: Backend) -> None:
    two: Any = np.int64(2)
    data = td.decode(FRAMES, frames=np.array([1, 0]), num_threads=two, backend=backend)
    assert data[:, 0, 0].tolist() == [12, 0]
    try:
        td.set_num_threads(two)
        assert td.get_num_threads() == 2
    finally:
        td.set_num_threads(None)


def test_options_are_by_keyword_alone() -> None:
    for function in (td.load, td.decode, td.read_header, td.scan, td.open_index):
        kinds = [p.kind for p in inspect.signature(function).parameters.values()]
        assert all(kind is inspect.Parameter.KEYWORD_ONLY for kind in kinds[1:])


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
    wanted |= {"Index", "Series"}
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
    return ["torchdicom", *[m.name for m in found if not m.name.endswith("._ext")]]


@pytest.mark.parametrize("name", modules())
def test_doctests(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Examples name files by paths from the root of the project.
    monkeypatch.chdir(Path(__file__).parent.parent)
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_main_functions_have_an_example() -> None:
    for function in (td.load, td.decode, td.read_header, td.scan, td.open_index, td.Policy):
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
