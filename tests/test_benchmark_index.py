"""The questions about indexes: the trees, who competes, and what the bars make of the numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pydicom
import pytest

import torchdicom as td
from benchmarks import cases, datasets, report
from benchmarks.bars import BARS
from benchmarks.case import OURS, Case, Contender, Work
from benchmarks.children import Children
from benchmarks.contenders import CONTENDERS, indexes, scanners
from benchmarks.datasets import cache
from benchmarks.memory import Memory
from benchmarks.pairs import Plan
from benchmarks.questions import QUESTIONS
from benchmarks.race import Race


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "CACHE", tmp_path / "datasets")
    monkeypatch.setattr(indexes, "_FOLDER", tmp_path / "indexes")
    indexes.make_index.cache_clear()


def test_many_files_are_sound_series_of_a_hundred() -> None:
    index = td.scan(datasets.many_files(300))
    assert [(series.verdict.ok, series.shape) for series in index] == [(True, (100, 16, 16))] * 3
    table = index.to_arrow()
    assert len(set(table.column("SOPInstanceUID").to_pylist())) == 300
    assert index.skipped == []


def test_each_of_many_files_is_what_its_place_says() -> None:
    folder = datasets.many_files(200)
    paths = sorted(folder.rglob("*.dcm"))
    assert len(paths) == 200
    heights = [pydicom.dcmread(path).ImagePositionPatient[2] for path in paths[:100]]
    assert heights == [1.25 * k for k in range(100)]
    last = pydicom.dcmread(paths[-1])
    assert last.file_meta.MediaStorageSOPInstanceUID == last.SOPInstanceUID
    assert str(last.SOPInstanceUID).endswith(".21.2000200")
    assert str(last.SeriesInstanceUID).endswith(".20.1000002")


def test_an_index_that_is_there_is_not_trusted() -> None:
    folder = datasets.many_files(100)
    path = indexes.saved_index(folder)
    path.parent.mkdir()
    path.write_text("of another version")
    indexes.make_index(folder)
    assert len(td.open_index(path)) == 1
    kept = path.stat().st_mtime_ns
    indexes.make_index(folder)  # once a run is enough
    assert path.stat().st_mtime_ns == kept


@pytest.mark.parametrize("contender", indexes.INDEX, ids=lambda one: one.key)
def test_those_who_make_an_index_are_right(contender: Contender) -> None:
    case = cases.small("index")
    found = contender.values(contender.prepare(case)())
    assert found == (1, 100)
    assert json.loads(Path(case.truth).read_text(encoding="utf-8")) == [1, 100]


@pytest.mark.parametrize("contender", indexes.INDEXED, ids=lambda one: one.key)
def test_a_load_through_an_index_is_the_load_from_paths(contender: Contender) -> None:
    folder = datasets.ct_series(3, 16)
    indexes.make_index(folder)
    case = Case("native", "indexed", str(folder), "", "1.2.840.10008.1.2.1")
    found = contender.values(contender.prepare(case)())
    assert (found == datasets.truth(folder)).all()


def test_a_scan_finds_what_the_other_scanners_find() -> None:
    folder = datasets.header_tree(200, 16)
    case = Case("200 files", "scan", str(folder), "", "1.2.840.10008.1.2.1")
    names = ("torchdicom.scan", "pydicom, specific_tags")
    ours, loop = (next(one for one in scanners.SCAN if one.name == name) for name in names)
    found = ours.values(ours.prepare(case)())
    assert len(found) == 200
    assert found == loop.values(loop.prepare(case)())


def test_an_index_is_raced_and_its_memory_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    # Processes of their own look where the indexes are without this test.
    kept = Path(indexes.__file__).parents[2] / "build" / "indexes"
    monkeypatch.setattr(indexes, "_FOLDER", kept)
    case = cases.small("index")
    with Children() as children:
        race = Race(case, indexes.INDEX, children, plan=Plan(1, 1, 0.025), rounds=1, budget_s=0.5)
        race.run_pass()
        memory = Memory(case, indexes.INDEX, children)
        memory.run_pass()
    indexes.saved_index(case.folder).unlink()
    names = ["torchdicom", "torchdicom", "torchdicom.open_index", "torchdicom, refresh"]
    for sheet, column in ((race, "ratio"), (memory, "mb")):
        rows = report.rows(sheet)
        assert [row["contender"] for row in rows] == names
        assert [(row["wrong"], row["refused"]) for row in rows] == [(None, None)] * 4
        assert all(column in row for row in rows)


def test_no_other_question_has_them() -> None:
    names = {one.name for one in (*indexes.INDEX, *indexes.INDEXED)} - {OURS}
    assert len(names) == 3
    for work, contenders in CONTENDERS.items():
        assert work in {"index", "indexed"} or not names & {one.name for one in contenders}


@pytest.mark.parametrize(
    ("name", "work"), [("index", "index"), ("indexed", "indexed"), ("index_memory", "index")]
)
def test_a_quick_run_asks_all_of_them(name: str, work: Work) -> None:
    case = Case("native", work, "", "", "1.2")
    question = QUESTIONS[name]
    assert question.contenders(case, is_quick=True) == question.contenders(case, is_quick=False)
    assert question.contenders(case, is_quick=True) == list(CONTENDERS[work])


def row(case: str, contender: str, threads: int, **numbers: float) -> dict[str, Any]:
    facts = {"case": case, "contender": contender, "threads": threads}
    return {**facts, "wrong": None, "refused": None, **numbers}


ROWS = {
    "index": [
        row("50,000 files", "torchdicom", 1, ms=1200, ratio=1.2),
        row("50,000 files", "torchdicom", 2, ms=1000, ratio=1),
        row("50,000 files", "torchdicom.open_index", 1, ms=25, ratio=0.025),
        row("50,000 files", "torchdicom, refresh", 2, ms=500, ratio=0.5),
        row("200,000 files", "torchdicom", 1, ms=6000, ratio=1.2),
        row("200,000 files", "torchdicom", 2, ms=5200, ratio=1),
        row("200,000 files", "torchdicom.open_index", 1, ms=170, ratio=0.03),
        row("200,000 files", "torchdicom, refresh", 2, ms=1040, ratio=0.16),
    ],
    "indexed": [
        row("native", "torchdicom", 2, ms=50, ratio=1),
        row("native", "torchdicom, from an index", 2, ms=49, ratio=0.98),
    ],
    "index_memory": [
        row("50,000 files", "torchdicom", 1, mb=230),
        row("50,000 files", "torchdicom", 2, mb=250),
        row("200,000 files", "torchdicom", 1, mb=980),
        row("200,000 files", "torchdicom", 2, mb=990),
    ],
    "headers": [
        row("3000 files", "torchdicom", 1, ms=33, ratio=1.1),
        row("3000 files", "torchdicom", 2, ms=30, ratio=1),
        row("3000 files", "torchdicom.scan", 2, ms=40, ratio=1.25),
        row("3000 files", "limit: walk, open, read", 2, ms=14, ratio=0.5),
        row("3000 files", "fastdicom", 1, ms=200, ratio=6.5),
        row("3000 files", "dicomsdl", 1, ms=180, ratio=6),
    ],
}


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("index", [(170, True), (6.25, True), (1.3, False), (0, True)]),
        ("indexed", [(0.98, True), (0, True)]),
        ("index_memory", [(0.99, True)]),
        ("headers", [(6, True), (11, True), (4.8, False), (0, True)]),
    ],
)
def test_bars_take_the_numbers_that_they_name(
    question: str, expected: list[tuple[float, bool]]
) -> None:
    found = [bar.verdict(ROWS[question], 1.0) for bar in BARS if bar.question == question]
    assert [(bar["measured"], bar["holds"]) for bar in found] == expected
