"""The examples with Lightning and with torch alone: as their docstrings have them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

import lightning_ct
import torch_loop
from example_runs import run_first_command

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


@pytest.mark.parametrize("example", [lightning_ct, torch_loop], ids=["lightning_ct", "torch_loop"])
def test_first_command_of_the_docstring(example: ModuleType, tmp_path: Path) -> None:
    printed = run_first_command(example, tmp_path)
    if example is torch_loop:
        steps = re.findall(r"step (\d+): loss 0\.\d+", printed)
        assert steps == [str(k + 1) for k in range(12)]
    else:
        (loss,) = re.findall(r"validation loss (0\.\d+)", printed)
        assert float(loss) < 0.7
