"""The examples with MONAI and TorchIO: as their docstrings have them, where nothing lies."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

import monai_pet
import torchdicom as td
import torchio_ct
from example_runs import run_first_command
from pet_phantom import pet_series
from phantoms import labelled_volumes

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

pytestmark = [
    pytest.mark.filterwarnings("ignore:builtin type:DeprecationWarning"),  # itk's, once imported
    pytest.mark.filterwarnings("ignore:NvImgCodecPydicomReader:UserWarning"),  # no GPU
]
PET = "to the network: (1, 1, 63, 63, 39)\nSUV 8.00 at 84, 40, 48 mm (LPS)\n"


def test_the_phantom_is_what_it_says(tmp_path: Path) -> None:
    pet_series(tmp_path, count=1)
    volume = td.load(tmp_path, output="suv")
    assert volume.units == "SUVbw"
    assert tuple(np.argwhere(volume.data.numpy() > 3)[0]) == (12, 10, 21)
    assert volume.data.max().item() == pytest.approx(8, rel=1e-3)


@pytest.mark.parametrize("example", [monai_pet, torchio_ct], ids=["monai_pet", "torchio_ct"])
def test_first_command_of_the_docstring(example: ModuleType, tmp_path: Path) -> None:
    printed = run_first_command(example, tmp_path)
    if example is monai_pet:
        assert printed == f"2 PET series\n{PET * 2}"
    else:
        first, *rest = printed.splitlines()
        assert first == "6 subjects"
        assert len(rest) == 3
        assert all(re.fullmatch(r"\(8, 1, 32, 32, 16\), [1-9]\d?% of it labelled", r) for r in rest)


def test_pet_on_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pet_series(tmp_path / "pet", count=1)
    labelled_volumes(tmp_path, seed=0, count=1)
    monai_pet.main(tmp_path)
    assert capsys.readouterr().out == f"1 PET series\n{PET}"


def test_ct_on_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    masks = labelled_volumes(tmp_path, seed=1, count=2)
    torchio_ct.main(tmp_path / "ct", masks)
    first, only = capsys.readouterr().out.splitlines()
    assert (first, only[:19]) == ("2 subjects", "(8, 1, 32, 32, 16),")
