"""Fixtures and the rules about what may be left out of a run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

    from helpers import Backend

_DATA = "TORCHDICOM_TEST_DATA"
_CI = os.environ.get("CI") == "true"
_left_out = pytest.StashKey[int]()

hypothesis.settings.register_profile("here", max_examples=25, deadline=None, derandomize=_CI)
hypothesis.settings.load_profile("here")


def pytest_configure() -> None:
    """Refuse a data folder that is not there: its tests would pass by not running."""
    folder = os.environ.get(_DATA)
    if folder and not Path(folder).is_dir():
        msg = f"{_DATA} is {folder!r}, which is not a folder"
        raise pytest.UsageError(msg)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs the data where there is none, and count it."""
    if os.environ.get(_DATA):
        return
    without = [item for item in items if item.get_closest_marker("data")]
    config.stash[_left_out] = len(without)
    if without:
        config.hook.pytest_deselected(items=without)
        items[:] = [item for item in items if not item.get_closest_marker("data")]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what was left out."""
    count = config.stash.get(_left_out, 0)
    if count:
        terminalreporter.write_line(
            f"{count} tests on real files left out: set {_DATA} to their folder to run them"
        )


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


@pytest.fixture(params=["native", "reference"])
def backend(request: pytest.FixtureRequest) -> Backend:
    """Both implementations, one after the other."""
    return "native" if request.param == "native" else "reference"


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real files."""
    return Path(os.environ[_DATA])
