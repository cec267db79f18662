"""The examples in the docstrings of the bridges run, and their public names have them."""

from __future__ import annotations

import doctest
import inspect
import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from helpers import ROOT
from torchdicom import interop

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.filterwarnings("ignore")  # of what the libraries do while imported


def modules() -> list[str]:
    return [f"torchdicom.interop.{one.name}" for one in pkgutil.iter_modules(interop.__path__)]


# Volume.to_metatensor is of MONAI, but a method.
@pytest.mark.parametrize("name", ["torchdicom._volume", *modules()])
def test_examples(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert doctest.testmod(import_module(name)).failed == 0


@pytest.mark.parametrize("name", [one for one in modules() if "._" not in one])
def test_public_names_are_documented(name: str) -> None:
    for thing in public(name):
        assert len(inspect.getdoc(thing) or "") > 20, thing
    assert any(">>>" in (inspect.getdoc(thing) or "") for thing in public(name))


def public(name: str) -> Iterator[object]:
    for key, thing in vars(import_module(name)).items():
        is_own = getattr(thing, "__module__", "") == name
        if not key.startswith("_") and is_own and (inspect.isclass(thing) or callable(thing)):
            yield thing
