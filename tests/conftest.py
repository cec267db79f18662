"""Fixtures and the rules about what may be left out of a run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
import torch.utils.data._utils

if TYPE_CHECKING:
    from collections.abc import Generator

    from helpers import Backend

_DATA = "TORCHDICOM_TEST_DATA"
# What a mark needs: the variable that says it is there, and what is said where it is not.
_MARKS = {
    "data": (_DATA, "tests on real files left out: set {} to their folder to run them"),
    "wheel": ("TORCHDICOM_WHEEL", "tests of the wheel left out: `make wheel` runs them"),
}
_CI = os.environ.get("CI") == "true"
_left_out = pytest.StashKey[list[str]]()

hypothesis.settings.register_profile("here", max_examples=25, deadline=None, derandomize=_CI)
hypothesis.settings.load_profile("here")


def pytest_configure() -> None:
    """Refuse a data folder that is not there: its tests would pass by not running."""
    folder = os.environ.get(_DATA)
    if folder and not Path(folder).is_dir():
        msg = f"{_DATA} is {folder!r}, which is not a folder"
        raise pytest.UsageError(msg)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs something that is not there, and count it."""
    said = config.stash.setdefault(_left_out, [])
    for mark, (variable, sentence) in _MARKS.items():
        without = [item for item in items if item.get_closest_marker(mark)]
        if without and not os.environ.get(variable):
            config.hook.pytest_deselected(items=without)
            items[:] = [item for item in items if not item.get_closest_marker(mark)]
            said.append(f"{len(without)} {sentence.format(variable)}")


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what was left out."""
    for sentence in config.stash.get(_left_out, []):
        terminalreporter.write_line(sentence)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where CI=true a skipped test has failed: CI has every tool."""
    report = yield
    if _CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} skipped under CI: {report.longrepr}"
    return report


@pytest.fixture(scope="session", autouse=True)
def _shared_machine() -> None:
    """Where pytest has a worker for each processor, torch takes one thread in each of them."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        torch.set_num_threads(1)
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    # How long torch waits for each worker of a DataLoader that the garbage collector finds.
    torch.utils.data._utils.MP_STATUS_CHECK_INTERVAL = 0.5


@pytest.fixture(params=["native", "reference"])
def backend(request: pytest.FixtureRequest) -> Backend:
    """Both implementations, one after the other."""
    return "native" if request.param == "native" else "reference"


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own for the data that benchmarks make."""
    monkeypatch.setattr("benchmarks.datasets.cache.CACHE", tmp_path / "datasets")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real files."""
    return Path(os.environ[_DATA])
