"""The examples as a person runs them: the commands of their docstrings, where nothing lies."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

from helpers import ROOT

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


def commands(example: ModuleType) -> list[list[str]]:
    """The command lines of its docstring, with TORCHDICOM, the checkout, and this Python."""
    lines = re.findall(r"^ {4}python (.*)", example.__doc__ or "", re.MULTILINE)
    return [
        [sys.executable, *shlex.split(line.replace("TORCHDICOM/", f"{ROOT}/"))] for line in lines
    ]


def run_command(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run in the folder, with no other place to import from than those of Python itself."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=folder, env=environment
    )


def run_first_command(example: ModuleType, folder: Path) -> str:
    """What it prints, run in the folder; examples are short, and this one has to be."""
    assert len((ROOT / str(example.__file__)).read_text().splitlines()) < 60
    run = run_command(commands(example)[0], folder)
    assert run.returncode == 0, run.stderr
    return run.stdout
