"""Bridges whose library is missing, and the series that all bridges are held against."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

import torchdicom as td
from landmarks import INDEX, LPS_MM, RAS_MM, SHAPE, VALUE, brightest, place, write_landmark
from torchdicom.interop._extras import needs

if TYPE_CHECKING:
    from pathlib import Path


def test_a_missing_library_names_its_extra() -> None:
    said = r"torchdicom.interop.nowhere needs nowhere.* pip install 'torchdicom\[nowhere\]'"
    with pytest.raises(ModuleNotFoundError, match=said) as told, needs("nowhere"):
        import_module("nowhere.inside")
    assert told.value.name == "nowhere"


def test_what_a_library_misses_itself_is_told_as_it_is() -> None:
    with pytest.raises(ModuleNotFoundError, match="No module named 'nowhere'"), needs("other"):
        import_module("nowhere")


def test_torchdicom_alone_imports_no_bridge() -> None:
    code = "import sys, torchdicom; print([n for n in sys.modules if 'interop' in n])"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stdout == "[]\n"


def test_landmark(tmp_path: Path) -> None:
    volume = td.load(write_landmark(tmp_path))
    assert tuple(volume.data.shape) == SHAPE
    assert brightest(volume.data) == INDEX
    assert volume.data.max() == VALUE
    assert place(volume.affine, INDEX) == LPS_MM
    data, affine = volume.to_ras_xyz()
    assert place(affine, brightest(data)) == RAS_MM
