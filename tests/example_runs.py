"""The examples as a person runs them: the first command of the docstring, where nothing lies."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from helpers import ROOT

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


def run_first_command(example: ModuleType, folder: Path) -> str:
    """What it prints, run in the folder; examples are short, and this one has to be."""
    assert len((ROOT / str(example.__file__)).read_text().splitlines()) < 60
    (command, *_) = re.findall(r"^ {4}python (.*)", example.__doc__ or "", re.MULTILINE)
    run = subprocess.run(
        [sys.executable, *command.split()],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert run.returncode == 0, run.stderr
    return run.stdout
