"""What is a policy: its actions, its tolerances, and what is refused when it is made."""

from __future__ import annotations

import itertools
import math
import pickle
from dataclasses import FrozenInstanceError
from typing import TYPE_CHECKING, Any

import pytest

import torchdicom as td
from builders import axial, ct_slice, write_series
from builders_defects import ACTIONS, CASE_OF
from helpers import Backend, expect_error

if TYPE_CHECKING:
    from pathlib import Path


def policy(**values: Any) -> td.Policy:
    """A policy from values that no type checker has seen."""
    return td.Policy(**values)


def test_defaults_are_those_of_the_table() -> None:
    chosen = td.Policy()
    assert {code: getattr(chosen, code) for code in ACTIONS} == {
        code: actions[0] for code, actions in ACTIONS.items()
    }
    assert (chosen.spacing_tolerance, chosen.position_tolerance_mm) == (0.05, 0.05)
    assert chosen.fill_value is None


def test_a_policy_is_a_value() -> None:
    chosen = td.Policy(missing_slices="allow", spacing_tolerance=0.1)
    assert pickle.loads(pickle.dumps(chosen)) == chosen
    assert chosen != td.Policy()
    assert hash(chosen) == hash(td.Policy(missing_slices="allow", spacing_tolerance=0.1))
    with pytest.raises(FrozenInstanceError):
        chosen.missing_slices = "raise"  # type: ignore[misc]


WORDS = ("raise", "warn", "allow", "drop", "split", "fill", "resample", "ignore", "RAISE", "")
IMPOSSIBLE = [(code, word) for code in ACTIONS for word in WORDS if word not in ACTIONS[code]]


@pytest.mark.parametrize(("code", "action"), IMPOSSIBLE)
def test_impossible_action(code: str, action: str) -> None:
    with pytest.raises(ValueError, match=code) as caught:
        policy(**{code: action})
    text = str(caught.value)
    assert repr(action) in text
    assert all(possible in text for possible in ACTIONS[code])


@pytest.mark.parametrize(("code", "action"), [(c, a) for c in ACTIONS for a in ACTIONS[c]])
def test_possible_action(code: str, action: str) -> None:
    assert getattr(policy(**{code: action}), code) == action


@pytest.mark.parametrize("action", [None, True, 0, b"raise", ["raise"]])
def test_action_that_is_no_text(action: object) -> None:
    with pytest.raises((ValueError, TypeError), match="missing_slices"):
        policy(missing_slices=action)


BAD_TOLERANCES = [
    *itertools.product(["spacing_tolerance"], [0, 0.5, 0.7, -0.1, math.nan, math.inf, -math.inf]),
    *itertools.product(["position_tolerance_mm"], [-0.001, math.nan, math.inf, -math.inf]),
]


@pytest.mark.parametrize(("name", "value"), BAD_TOLERANCES)
def test_bad_tolerance(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        policy(**{name: value})


@pytest.mark.parametrize("name", ["spacing_tolerance", "position_tolerance_mm"])
@pytest.mark.parametrize("value", ["0.1", None, [0.1]])
def test_tolerance_that_is_no_number(name: str, value: object) -> None:
    with pytest.raises((ValueError, TypeError), match=name):
        policy(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("spacing_tolerance", 1e-9),
        ("spacing_tolerance", 0.4999),
        ("position_tolerance_mm", 0),
        ("position_tolerance_mm", 1000.0),
    ],
)
def test_allowed_tolerance(name: str, value: float) -> None:
    assert getattr(policy(**{name: value}), name) == value


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "0", True, [0.0]])
def test_fill_value_that_is_no_finite_number(value: object) -> None:
    with pytest.raises(ValueError, match="fill_value"):
        policy(fill_value=value)


@pytest.mark.parametrize("value", [0, -2000.5, 1e300])
def test_allowed_fill_value(value: float) -> None:
    chosen = td.Policy(fill_value=value)
    assert chosen.fill_value == value
    assert repr(chosen) == f"Policy(fill_value={float(value)!r})"


@pytest.mark.parametrize("name", ["missing_slice", "several_series", "fill"])
def test_unknown_name(name: str) -> None:
    with pytest.raises(TypeError, match=name):
        policy(**{name: "raise"})


@pytest.mark.parametrize("value", ["allow", {"missing_slices": "allow"}, td.Policy, 1])
def test_what_is_no_policy(backend: Backend, value: Any) -> None:
    with pytest.raises(TypeError, match="policy"):
        td.load(ct_slice(), policy=value, backend=backend)


# --- what the tolerances do


JITTER, TENTHS = (0, 4.1, 7.92, 12.04, 16), (0, 0.3, 0.7, 1.0)


@pytest.mark.parametrize(
    ("heights", "tolerances", "code"),
    [
        ((0, 2, 4.6, 6), {"spacing_tolerance": 0.31}, None),
        ((0, 2, 4.6, 6), {"spacing_tolerance": 0.29}, "uneven_spacing"),
        ((0, 2, 4.6, 6), {"position_tolerance_mm": 0.61}, None),
        ((0, 2, 4.6, 6), {"position_tolerance_mm": 0.59}, "uneven_spacing"),
        (JITTER, {}, None),
        (JITTER, {"spacing_tolerance": 0.02}, "uneven_spacing"),
        (TENTHS, {}, None),
        (TENTHS, {"position_tolerance_mm": 0}, "uneven_spacing"),
        # A gap of 1.9 steps is a missing slice for those who tolerate a tenth of a step.
        ((0, 2, 5.8, 7.8, 9.8), {}, "uneven_spacing"),
        ((0, 2, 5.8, 7.8, 9.8), {"spacing_tolerance": 0.11}, "missing_slices"),
    ],
)
def test_tolerances_decide(
    tmp_path: Path,
    backend: Backend,
    heights: tuple[float, ...],
    tolerances: dict[str, float],
    code: str | None,
) -> None:
    write_series(tmp_path, len(heights), ImagePositionPatient=axial(*heights))
    chosen = policy(**tolerances)
    if code is None:
        volume = td.load(tmp_path, policy=chosen, backend=backend)
        assert volume.verdict == td.Verdict(ok=True)
        return
    with expect_error(code):
        td.load(tmp_path, policy=chosen, backend=backend)


@pytest.mark.parametrize(("millimetres", "is_tilted"), [(2.9, True), (3.1, False)])
def test_tilt_within_the_tolerance_is_none(
    tmp_path: Path, backend: Backend, millimetres: float, *, is_tilted: bool
) -> None:
    CASE_OF["gantry_tilt"].write(tmp_path)  # the last slice lies 3 mm aside
    chosen = td.Policy(position_tolerance_mm=millimetres)
    volume = td.load(tmp_path, policy=chosen, backend=backend)
    assert [one.code for one in volume.verdict.defects] == ["gantry_tilt"] * is_tilted


def test_measured_tolerance_is_the_one_that_was_chosen(tmp_path: Path, backend: Backend) -> None:
    CASE_OF["uneven_spacing"].write(tmp_path)
    chosen = td.Policy(uneven_spacing="allow", spacing_tolerance=0.2)
    (defect,) = td.load(tmp_path, policy=chosen, backend=backend).verdict.defects
    assert defect.measured["tolerance_mm"] == pytest.approx(0.4)
