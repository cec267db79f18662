"""The examples that train: as their docstrings have them, on generated data."""

from __future__ import annotations

import contextlib
import math
import os
import pty
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import nibabel
import numpy as np
import pydicom
import pytest
import torch
from torchvision.transforms import v2

import torchdicom as td
import train_classifier
import train_segmentation
from example_runs import commands, run_command
from helpers import ROOT
from phantoms import chest_images, labelled_volumes

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

EXAMPLES = (train_classifier, train_segmentation)
# Of the weights of torchvision, as its documentation of ResNet18_Weights has them.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def losses(printed: str, unit: str) -> list[float]:
    return [
        float(loss) for loss in re.findall(rf"^{unit} .*\bloss ([0-9.]+) ", printed, re.MULTILINE)
    ]


def on_terminal(command: list[str]) -> tuple[int, str]:
    """Exit code and all that a program writes on a terminal of 100 columns."""
    ours, theirs = pty.openpty()
    environment = {k: v for k, v in os.environ.items() if k not in {"TTY_COMPATIBLE", "NO_COLOR"}}
    environment |= {"TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT, env=environment
    ) as child:
        os.close(theirs)
        parts = []
        with contextlib.suppress(OSError):  # EIO is how a terminal ends
            while part := os.read(ours, 1 << 16):
                parts.append(part)
        os.close(ours)
    return child.returncode, b"".join(parts).decode()


def test_docstrings_name_their_own_file() -> None:
    """All but the demo, which make runs."""
    found = set()
    for file in sorted((ROOT / "examples").glob("*.py")):
        text = file.read_text()
        if "__main__" in text and file.name != "demo.py":
            commands_of_it = re.findall(r"^ {4}python (TORCHDICOM\S*)", text, re.MULTILINE)
            assert set(commands_of_it) == {f"TORCHDICOM/examples/{file.name}"}
            assert (
                "TORCHDICOM is the checkout" in text or "with the checkout for TORCHDICOM" in text
            )
            found.add(file.stem)
    runs = {"lightning_ct", "monai_pet", "nnunet_recipe", "torch_loop", "torchio_ct"}
    assert found == runs | {example.__name__ for example in EXAMPLES}


@pytest.mark.parametrize(
    ("example", "first", "steps", "rate"),
    [(train_classifier, math.log(2), 4, "images/s"), (train_segmentation, 1.5, 18, "patches/s")],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_first_command_of_the_docstring(
    tmp_path: Path, example: ModuleType, first: float, steps: int, rate: str
) -> None:
    run = run_command(commands(example)[0], tmp_path)
    assert (run.returncode, run.stderr) == (0, ""), run.stderr
    each, epochs = losses(run.stdout, "step"), losses(run.stdout, "epoch")
    assert len(each) == steps
    assert len(re.findall(rf" [0-9.]+ {rate}$", run.stdout, re.MULTILINE)) == steps + len(epochs)
    assert abs(each[0] - first) < 0.4
    # Of classes that are guessed the loss is log 2, however long that goes on.
    assert epochs[-1] < 0.85 * epochs[0]
    size = steps // len(epochs)
    for n, mean in enumerate(epochs):
        assert mean == pytest.approx(np.mean(each[n * size : (n + 1) * size]), abs=1e-3)
    assert re.search(
        r"^loader: Loading keeps up|^loader: \d+% of the time", run.stdout, re.MULTILINE
    )
    assert "\x1b" not in run.stdout


def test_bar_on_a_terminal() -> None:
    options = ["--epochs", "1", "--batch-size", "4", "--patches", "2"]
    command = [sys.executable, "examples/train_segmentation.py", *options]
    code, written = on_terminal(command)
    assert code == 0, written
    for shown in ("0/3", "3/3", "\u2501" * 20):
        assert shown in written
    assert "step 1/3" not in written
    assert len(losses(re.sub(r".*\x1b\[2K", "", written), "epoch")) == 1


def test_classifier_on_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = chest_images(tmp_path, seed=1, count=12, series=1)
    with table.open("a") as file:
        file.write("1.2.3,clear\n")  # of a series that is elsewhere
    command = commands(train_classifier)[1]
    places = {"FOLDER": str(tmp_path), "TABLE.csv": str(table)}
    arguments = [places.get(part, part) for part in command[2:]]
    assert train_classifier.main([*arguments, "--size", "32", "--ct-window", "40", "400"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("13 of 13 series have a class, which are clear, opacity\n20 images\n")
    assert len(losses(printed, "epoch")) == 2


@pytest.mark.parametrize("suffix", ["npy", "nii.gz"])
def test_segmentation_on_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    masks = labelled_volumes(tmp_path, seed=1, count=3)
    files = sorted(masks.iterdir())
    files[2].unlink()
    if suffix != "npy":
        for file in files[:2]:
            to_nifti(file)
    command = commands(train_segmentation)[1]
    places = {"FOLDER": str(tmp_path / "ct"), "MASKS": str(masks)}
    arguments = [places.get(part, part) for part in command[2:]]
    assert train_segmentation.main([*arguments, "--epochs", "1", "--patches", "2"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("2 of 3 volumes have a mask\nPatchDataset(4 samples, 2 series)\n")
    # Patches are about the foreground, so that some of it is found even by guessing.
    assert float(re.findall(r"dice ([0-9.]+)", printed)[0]) > 0.02


def to_nifti(file: Path) -> None:
    """The same mask in NIfTI's order and axes, by the geometry of `phantoms` alone."""
    mask = np.load(file).astype(np.uint8)
    affine = np.diag([-1.5, -1.5, 2.5, 1])
    nibabel.save(nibabel.Nifti1Image(mask.T, affine), file.with_suffix(".nii.gz"))
    file.unlink()


def test_masks_of_either_form_are_the_same(tmp_path: Path) -> None:
    masks = labelled_volumes(tmp_path, seed=2, count=1)
    file = next(masks.iterdir())
    expected = np.load(file)
    assert 1000 < expected.sum() < expected.size / 4
    for change in (lambda _: None, to_nifti):
        change(file)
        dataset = td.VolumeDataset(tmp_path / "ct", label=train_segmentation.Masks(masks))
        assert np.array_equal(dataset[0]["label"][0].numpy(), expected)


@pytest.mark.parametrize("example", EXAMPLES)
def test_keys_of_the_docstring(
    example: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labelled_volumes(tmp_path, seed=0, count=1)
    _, option, code = commands(example)[2]
    assert option == "-c"
    exec(code.replace("FOLDER", str(tmp_path)))
    uid = pydicom.dcmread(next((tmp_path / "ct").rglob("*.dcm"))).SeriesInstanceUID
    assert capsys.readouterr().out == f"{uid}\n"


def test_images_are_what_the_weights_take(tmp_path: Path) -> None:
    chest_images(tmp_path, seed=3, count=2, series=0)
    index = td.scan(tmp_path)
    target = {series.key: 1 for series in index}
    modalities = []
    dataset = train_classifier.images(list(index), target)
    for i in range(len(dataset)):
        sample = dataset[i]
        (series,) = (one for one in index if one.key == sample["series"])
        file = pydicom.dcmread(series.load().provenance[0].path)
        modalities.append(file.Modality)
        # PS3.3 C.11.2.1.2.1 with the window 2048, 4096 of 12 bits.
        gray = torch.from_numpy((file.pixel_array - 2047.5) / 4095 + 0.5).clip(0, 1)
        if file.PhotometricInterpretation == "MONOCHROME1":
            gray = 1 - gray
        resized = v2.functional.resize(gray.expand(3, -1, -1), [224, 224], antialias=True)
        expected = v2.functional.normalize(resized, MEAN, STD)
        torch.testing.assert_close(sample["image"], expected.float(), atol=1e-3, rtol=0)
        assert sample["target"] == 1
    assert sorted(modalities) == ["CR", "DX"]


def test_steps_of_resnet18(tmp_path: Path) -> None:
    table = chest_images(tmp_path, seed=4, count=8, series=1)
    target, names = train_classifier.classes_of(table, "label")
    assert (len(target), names) == (9, ["clear", "opacity"])
    index = td.scan(tmp_path)
    assert {series.modality for series in index} == {"CR", "DX", "CT"}
    dataset = train_classifier.images(list(index), target, ct_window=(40, 400))
    (batch,) = td.Loader(dataset, batch_size=16, shuffle=True)
    assert batch["image"].shape == (16, 3, 224, 224)
    assert set(batch["series"]) == {series.key for series in index}
    torch.manual_seed(0)
    step = train_classifier.learner(2, torch.device("cpu"))
    first, *_, last = [step(batch)["loss"] for _ in range(3)]
    assert abs(first - math.log(2)) < 0.4
    assert last < 0.9 * first
