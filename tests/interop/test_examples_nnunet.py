"""The recipe for nnU-Net, from an empty folder as its docstring has it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import nnunet_recipe
from example_runs import run_first_command

if TYPE_CHECKING:
    from pathlib import Path


def test_command_of_the_docstring(tmp_path: Path) -> None:
    printed = run_first_command(nnunet_recipe, tmp_path)
    # nnU-Net prints what is wrong, and goes on.
    assert "verify_dataset_integrity Done" in printed
    assert "Error" not in printed
    assert "Warning" not in printed
    folder = tmp_path / "nnunet_recipe" / "preprocessed" / nnunet_recipe.NAME
    fingerprint = json.loads((folder / "dataset_fingerprint.json").read_text())
    assert fingerprint["spacings"] == [[2.5, 1.5, 1.5]] * 2
    assert fingerprint["shapes_after_crop"] == [[32, 80, 80]] * 2
    # Balls are 100 HU in noise of 40 HU around 0: their median is theirs alone where labels are.
    inside = fingerprint["foreground_intensity_properties_per_channel"]["0"]
    assert inside["median"] == pytest.approx(100, abs=2)
