"""Every defect with every action: raised, warned of, let pass, or left out."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import torchdicom as td
from builders import ct_slice, write_series
from builders_defects import ACTIONS, CASE_OF, CASES, DROPPED, LAX, Case
from builders_parts import flat, keys_in, part_key, write_more, write_scout
from helpers import Backend, affine_of, codes, expect_error, firsts

if TYPE_CHECKING:
    from pathlib import Path


def policy(**actions: Any) -> td.Policy:
    """A policy from texts that no type checker has seen."""
    return td.Policy(**actions)


def case_id(value: object) -> str:
    return value.code if isinstance(value, Case) else str(value)


def going_on() -> list[tuple[Case, str]]:
    """Every case with every action that is not ``raise``."""
    return [(case, a) for case in CASES for a in ACTIONS[case.code] if a != "raise"]


def load_stored(source: Any, backend: Backend, **options: Any) -> tuple[td.Volume, list[str]]:
    """Stored values, and the texts of the warnings that came with them."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        volume = td.load(source, output="stored", backend=backend, **options)
    assert {one.category for one in caught} <= {td.DicomWarning}
    return volume, [str(one.message) for one in caught]


def load_quietly(source: Any, backend: Backend, **options: Any) -> td.Volume:
    """The same where nothing may be warned of."""
    volume, said = load_stored(source, backend, **options)
    assert said == []
    return volume


def names(*paths: Path) -> tuple[str, ...]:
    return tuple(map(str, paths))


def test_there_is_a_case_for_every_code() -> None:
    assert [case.code for case in CASES] == list(ACTIONS)


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_raise(tmp_path: Path, backend: Backend, case: Case) -> None:
    paths = case.write(tmp_path)
    strict = policy(**{case.code: "raise"})
    with expect_error(case.raised or case.code, element=case.element, path=paths[case.at]):
        td.load(tmp_path, series=case.series, policy=strict, backend=backend)


@pytest.mark.parametrize(("case", "action"), going_on(), ids=case_id)
def test_go_on(tmp_path: Path, backend: Backend, case: Case, action: str) -> None:
    paths = case.write(tmp_path)
    chosen = policy(**{case.code: action})
    volume, said = load_stored(tmp_path, backend, series=case.series, policy=chosen)
    assert firsts(volume) == list(case.values)
    (defect,) = volume.verdict.defects
    assert defect.code == case.code
    assert defect.slices == case.slices
    assert defect.files == names(*(paths[k] for k in case.files))
    assert dict(defect.measured) == pytest.approx(dict(case.measured))
    assert defect.message
    assert volume.verdict.ok is case.is_ok
    assert len(said) == (action == "warn")
    assert all(defect.message in text for text in said)


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_default(tmp_path: Path, backend: Backend, case: Case) -> None:
    case.write(tmp_path)
    action = ACTIONS[case.code][0]
    if action == "raise":
        with expect_error(case.raised or case.code):
            td.load(tmp_path, backend=backend)
        return
    volume, said = load_stored(tmp_path, backend, series=case.series)
    assert (codes(volume), len(said)) == ([case.code], action == "warn")


@pytest.mark.parametrize(
    ("code", "values"),
    [("mixed_orientation", [400, 500]), ("mixed_size", [0, 0]), ("mixed_pixel_format", [400, 500])],
)
def test_split_parts_are_listed_and_each_loads(
    tmp_path: Path, backend: Backend, code: str, values: list[int]
) -> None:
    paths = CASE_OF[code].write(tmp_path)
    # Which part is meant is asked before any part is judged.
    for action in ("split", "raise"):
        with expect_error("several_series") as caught:
            td.load(tmp_path, policy=policy(**{code: action}), backend=backend)
        first, second = keys_in(caught.value)
        assert first == part_key()
    other = load_quietly(tmp_path, backend, series=second)
    assert firsts(other) == values
    (defect,) = other.verdict.defects
    assert (defect.code, defect.files) == (code, names(paths[0]))


def test_parts_are_counted_and_each_of_the_others_is_named(
    tmp_path: Path, backend: Backend
) -> None:
    write_series(tmp_path, 3)
    larger = write_more(tmp_path, 3, 2, pixels=[np.zeros((4, 4), np.int16)] * 2)
    # Two of the others are of one size, and differ in something else.
    again = write_more(tmp_path, 5, 1, pixels=[np.zeros((4, 4), np.int16)], EchoTime="80")
    spaced = write_more(tmp_path, 6, 1, PixelSpacing=(0.5, 0.5))
    write_more(tmp_path, 7, 1, EchoTime="80")
    (defect,) = load_quietly(tmp_path, backend, series=part_key()).verdict.defects
    assert defect.code == "mixed_size"
    assert defect.files == names(larger[0], again[0], spaced[0])
    assert dict(defect.measured) == {"parts": 3}


def test_split_part_keeps_its_own_geometry(tmp_path: Path, backend: Backend) -> None:
    CASE_OF["mixed_orientation"].write(tmp_path)
    coronal = {"orientation": "1.000\\0.000\\0.000\\0.000\\0.000\\-1.000"}
    volume = td.load(tmp_path, series=part_key(coronal), backend=backend)
    assert affine_of(volume).tolist() == [
        [0.0, 0.0, 0.25, 0.0],
        [2.0, 0.0, 0.0, 0.0],
        [0.0, -0.5, 0.0, 0.0],
        [0.0, 0.0, 0.0, 1.0],
    ]


# --- files that are left out


@pytest.mark.parametrize("code", DROPPED)
def test_dropped_slice_is_judged_as_missing(tmp_path: Path, backend: Backend, code: str) -> None:
    paths = DROPPED[code](tmp_path, 2)
    with expect_error("missing_slices", path=paths[1]):
        td.load(tmp_path, policy=policy(**{code: "drop"}), backend=backend)
    both = policy(**{code: "drop", "missing_slices": "allow"})
    volume = load_quietly(tmp_path, backend, policy=both)
    assert firsts(volume) == [0, 100, 300, 400]
    dropped, missing = volume.verdict.defects
    assert (dropped.code, dropped.files) == (code, names(paths[2]))
    assert missing.code == "missing_slices"
    assert (missing.slices, missing.files) == ((1,), names(paths[1]))


def test_dropped_slices_are_named_one_by_one(tmp_path: Path, backend: Backend) -> None:
    paths = write_series(tmp_path, 6, RescaleSlope=["1,5", 1, 1, 1, 1, "x"])
    volume = load_quietly(tmp_path, backend, policy=td.Policy(unreadable_file="drop"))
    assert firsts(volume) == [100, 200, 300, 400]
    assert codes(volume) == ["unreadable_file"] * 2
    assert [one.files for one in volume.verdict.defects] == [names(paths[0]), names(paths[5])]


def test_several_codestreams_are_dropped(tmp_path: Path, backend: Backend) -> None:
    paths = DROPPED["codestream_mismatch"](tmp_path, 4)
    bad = paths[4].read_bytes()
    paths[0].write_bytes(bad.replace(b"1.2.3.4.5", b"1.2.3.4.1").replace(b"\\40.0", b"\\30.0"))
    chosen = td.Policy(codestream_mismatch="drop")
    volume = load_quietly(tmp_path, backend, policy=chosen)
    assert firsts(volume) == [100, 200, 300]
    assert codes(volume) == ["codestream_mismatch"] * 2
    assert [one.files for one in volume.verdict.defects] == [names(paths[0]), names(paths[4])]
    alone = td.load(tmp_path, policy=chosen, num_threads=1, backend=backend)
    assert alone.verdict == volume.verdict


def test_dropping_one_kind_of_damage_does_not_drop_another(
    tmp_path: Path, backend: Backend
) -> None:
    paths = DROPPED["unreadable_file"](tmp_path, 1)
    paths[3].write_bytes(ct_slice()[:-1])
    with expect_error("truncated_pixels", path=paths[3]):
        td.load(tmp_path, policy=td.Policy(unreadable_file="drop"), backend=backend)
    for chosen in (None, td.Policy(truncated_pixels="drop")):
        with expect_error("invalid_decimal_string", path=paths[1]):
            td.load(tmp_path, policy=chosen, backend=backend)


@pytest.mark.parametrize("code", DROPPED)
def test_nothing_is_left_after_dropping(tmp_path: Path, backend: Backend, code: str) -> None:
    (bad, *_) = DROPPED[code](tmp_path, 0)
    # A file that has a header is still a series, whose last frame tells its own error.
    expected = code if code == "codestream_mismatch" else "no_dicom_files"
    with expect_error(expected):
        td.load(bad, policy=policy(**LAX), backend=backend)


# --- what no policy settles


def refusals() -> dict[str, tuple[str, list[bytes]]]:
    two: list[dict[str, Any]] = [
        {"SOPInstanceUID": "1.1", "ImagePositionPatient": (0, 0, z)} for z in (0, 1)
    ]
    segmentation: dict[str, Any] = {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.66.4",
        "Modality": "SEG",
    }
    partial: dict[str, Any] = {"PhotometricInterpretation": "YBR_PARTIAL_420"}
    return {
        "one instance, other bytes": ("duplicate_files", [ct_slice(**one) for one in two]),
        "no grid": ("invalid_geometry", [ct_slice(PixelSpacing=None)]),
        "frames": ("unsupported_multi_frame", [ct_slice(bytes(48), NumberOfFrames=2)]),
        "segmentation": ("not_a_volume", [ct_slice(**segmentation)]),
        "partial": ("unsupported_photometric", [ct_slice(**partial)]),
    }


@pytest.mark.parametrize("name", refusals())
def test_refusals_stand_under_any_policy(backend: Backend, name: str) -> None:
    code, sources = refusals()[name]
    for chosen in (None, policy(**LAX)):
        with expect_error(code):
            td.load(sources, policy=chosen, backend=backend)


# --- several defects at once


def write_everything(folder: Path) -> None:
    """Tilted, with a gap, a repeat, a copy, a larger part, a localizer and a broken file."""
    places = [(0, k, 5 * k) for k in (0, 1, 1, 3, 4, 5)]
    paths = write_series(folder, 6, ImagePositionPatient=places, pixels=[flat(k) for k in range(6)])
    (folder / "copy.dcm").write_bytes(paths[4].read_bytes())
    write_more(folder, 6, 2, pixels=[np.zeros((4, 4), np.int16)] * 2)
    write_scout(folder)
    (folder / "broken.dcm").write_bytes(ct_slice(RescaleSlope="1,5"))


IN_ORDER = """unreadable_file localizer mixed_size duplicate_files duplicate_positions
    missing_slices gantry_tilt""".split()


def test_defects_stand_in_the_order_of_judging(tmp_path: Path, backend: Backend) -> None:
    write_everything(tmp_path)
    volume = load_quietly(tmp_path, backend, series=part_key(), policy=policy(**LAX))
    assert codes(volume) == IN_ORDER
    assert firsts(volume) == [0, 1, 3, 4, 5]
    assert volume.verdict.ok is False


@pytest.mark.parametrize("code", IN_ORDER[1:])
def test_first_defect_that_is_to_raise_is_raised(
    tmp_path: Path, backend: Backend, code: str
) -> None:
    write_everything(tmp_path)
    after = IN_ORDER[IN_ORDER.index(code) :]
    mixed = policy(**(LAX | dict.fromkeys(after, "raise")))
    with expect_error(code):
        td.load(tmp_path, series=part_key(), policy=mixed, backend=backend)


def test_each_defect_warns_for_itself(tmp_path: Path, backend: Backend) -> None:
    places = [(0, k, 5 * k) for k in (0, 1, 3, 4)]
    write_series(tmp_path, 4, ImagePositionPatient=places)
    both = td.Policy(missing_slices="warn", gantry_tilt="warn")
    volume, said = load_stored(tmp_path, backend, policy=both)
    assert codes(volume) == ["missing_slices", "gantry_tilt"]
    assert len(said) == 2
    for defect, text in zip(volume.verdict.defects, said, strict=True):
        assert defect.message in text


def test_a_policy_changes_nothing_of_a_sound_series(tmp_path: Path, backend: Backend) -> None:
    write_series(tmp_path, 4)
    volumes = [load_quietly(tmp_path, backend, policy=one) for one in (None, policy(**LAX))]
    assert volumes[0].data.tolist() == volumes[1].data.tolist()
    assert [one.verdict for one in volumes] == [td.Verdict(ok=True)] * 2
