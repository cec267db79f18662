"""The examples with Lightning and with torch alone: as their docstrings have them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from examples import lightning_ct, torch_loop
from helpers import ROOT

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


@pytest.mark.parametrize("example", [lightning_ct, torch_loop], ids=["lightning_ct", "torch_loop"])
def test_first_command_of_the_docstring(example: ModuleType, tmp_path: Path) -> None:
    assert len((ROOT / str(example.__file__)).read_text().splitlines()) < 60
    (command, *_) = re.findall(r"^ {4}python (.*)", example.__doc__ or "", re.MULTILINE)
    run = subprocess.run(
        [sys.executable, *command.split()],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert run.returncode == 0, run.stderr
    if example is torch_loop:
        steps = re.findall(r"step (\d+): loss 0\.\d+", run.stdout)
        assert steps == [str(k + 1) for k in range(12)]
    else:
        (loss,) = re.findall(r"validation loss (0\.\d+)", run.stdout)
        assert float(loss) < 0.7
