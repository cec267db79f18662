"""What the examples that train say of wrong input: one line, on stderr, and the exit code."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import torchdicom as td
import train_classifier
import train_segmentation
from phantoms import chest_images, labelled_volumes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("{folder}", "--target is missing: a CSV table with the columns series and label"),
        ("{folder} --target {folder}/no.csv", "No such file or directory: '{folder}/no.csv'"),
        ("{folder}/no --target {table}", "No such file or directory: '{folder}/no'"),
        ("{folder} --target {table} --column x", "has no column 'x', only series, label"),
        ("{folder} --target {folder}/cr/000.dcm", "{folder}/cr/000.dcm is no CSV table: "),
        ("{folder} --target {folder}/one.csv", "{folder}/one.csv has 'clear'"),
        ("{folder} --target {folder}/twice.csv", "more than one line for series 1.2"),
        ("{folder} --target {folder}/others.csv", "others.csv names no series of {folder}, which "),
        ("{folder} --target {table} --size 0", "--size: must be at least 1, not 0"),
        ("{folder} --target {table} --size 99999", "99999"),
        ("{folder} --target {table} --epochs x", "--epochs: invalid positive value: 'x'"),
        ("{folder} --target {table} --seed -1", "--seed: must be at least 0, not -1"),
    ],
)
def test_classifier_says_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: str, said: str
) -> None:
    table = chest_images(tmp_path, seed=0, count=4, series=0)
    lines = table.read_text().splitlines()
    for name, some in {
        "one": lines[:3],
        "twice": [*lines, "1.2,clear", "1.2,clear"],
        "others": ["series,label", "1.2,a", "1.3,b"],
    }.items():
        (tmp_path / f"{name}.csv").write_text("\n".join(some))
    check_refused(train_classifier.main, capsys, arguments, said, folder=tmp_path, table=table)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("{folder}/ct", "--masks is missing: a folder with KEY.nii.gz, KEY.nii or KEY.npy"),
        ("{folder}/ct --masks {folder}/no", "No such file or directory: '{folder}/no'"),
        ("{folder}/no --masks {masks}", "No such file or directory: '{folder}/no'"),
        ("{folder}/ct --masks {folder}/ct", "no mask in {folder}/ct is named as a volume of "),
        ("{folder}/ct --masks {folder}/small", "label of shape (2, 3, 4) for series 1.2"),
        ("{folder}/ct --masks {masks} --patch-size 7 8 8", "must be even, as the network halves"),
        ("{folder}/ct --masks {masks} --spacing-mm 0", "spacing_mm must be above 0, not 0"),
        ("{folder}/ct --masks {masks} --patch-size 8 8", "--patch-size: expected 3 arguments"),
    ],
)
def test_segmentation_says_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: str, said: str
) -> None:
    masks = labelled_volumes(tmp_path, seed=0, count=1)
    (tmp_path / "small").mkdir()
    np.save(tmp_path / "small" / next(masks.iterdir()).name, np.ones((2, 3, 4)))
    check_refused(train_segmentation.main, capsys, arguments, said, folder=tmp_path, masks=masks)


def test_series_with_a_defect(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    masks = labelled_volumes(tmp_path, seed=0, count=2)
    (tmp_path / "ct" / "1" / "007.dcm").unlink()
    command = f"{tmp_path}/ct --masks {masks} --epochs 1 --patches 2"
    said = "1 slice is missing (1 after slice 6), the others are 2.5 mm apart"
    check_refused(train_segmentation.main, capsys, command, said)
    with pytest.warns(td.DicomWarning, match=re.escape(said)):
        code = train_segmentation.main([*command.split(), "--on-error", "quarantine"])
    printed = capsys.readouterr().out
    assert code == 0
    assert "PatchDataset(2 samples, 1 series, 1 in quarantine)" in printed
    assert printed.count("step ") == 1


def test_interrupt(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(train_classifier, "fit", interrupted)
    assert train_classifier.main([]) == 130
    assert capsys.readouterr().err == "stopped\n"


def check_refused(
    main: Callable[[list[str]], int],
    capsys: pytest.CaptureFixture[str],
    arguments: str,
    said: str,
    **places: Any,
) -> None:
    """That the program ends with one line about what is wrong, after usage where it is usage."""
    command = shlex.split(arguments.format(**places))
    if said.startswith("--") and "missing" not in said:
        with pytest.raises(SystemExit, match=r"^2$"):
            main(command)
        usage, *_, line = capsys.readouterr().err.splitlines()
        assert usage.startswith("usage: train_")
    else:
        assert main(command) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("error: ")
    assert said.format(**places) in line
