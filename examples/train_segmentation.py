"""Train a small 3D network to find bright balls in CT series, on patches about them.

    python TORCHDICOM/examples/train_segmentation.py

with the checkout for TORCHDICOM, makes six CT series of 32 slices in a temporary folder, with the
mask of each, and trains on 8 patches of 16 x 32 x 32 of each for 3 epochs of 6 steps: seconds on
two cores. Below each other are seen the dataset, loss and Dice score of each step (on a terminal as
a bar), the means of each epoch, and what the Loader advises. The loss, 1 - Dice and cross-entropy,
falls from about 1.5, and the Dice score rises.

    python TORCHDICOM/examples/train_segmentation.py FOLDER --masks MASKS

trains on your volumes: all series of FOLDER whose mask is in the folder MASKS, as `KEY.nii`,
`KEY.nii.gz` or `KEY.npy`, where KEY is the key of the series or its SeriesInstanceUID. A NIfTI mask
may have a grid of its own; an array has that of the series, (slices, rows, columns), slices in the
order of `Series.load`. What is above 0 is foreground. The keys are seen by

    python -c "import torchdicom as td; [print(one.key) for one in td.scan('FOLDER')]"

`--spacing-mm` brings volumes of different scanners to one voxel size.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

import torchdicom as td
from phantoms import labelled_volumes
from steps import command, fit, parser, positive, run

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

_SUFFIXES = (".nii.gz", ".nii", ".npy")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    options = _parser().parse_args(command(arguments))
    return run(_on_made if options.folder is None else _train, options)


class Masks:
    """A callable for `label=`: the mask of a series, from a folder.

    A class and no lambda, so that it goes along to worker processes.
    """

    def __init__(self, folder: str | Path) -> None:
        """Look which masks there are.

        Raises:
            OSError: If there is no such folder.
        """
        files = sorted(path for path in Path(folder).iterdir() if path.name.endswith(_SUFFIXES))
        self._files = {
            path.name.removesuffix(suffix): path
            for path in files
            for suffix in _SUFFIXES
            if path.name.endswith(suffix)
        }

    def __contains__(self, series: td.Series) -> bool:
        """Whether a series has a mask."""
        return self._file(series) is not None

    def __call__(self, series: td.Series) -> np.ndarray[Any, Any] | Path:
        """The array, or the path of a file that torchdicom reads by itself."""
        path = self._file(series)
        if path is None:
            raise KeyError(series.key)
        return np.load(path).astype(np.uint8) if path.suffix == ".npy" else path

    def _file(self, series: td.Series) -> Path | None:
        return self._files.get(series.key, self._files.get(series.series_instance_uid))


class SmallUNet(nn.Module):
    """Two levels: enough for balls."""

    def __init__(self, width: int = 8) -> None:
        """Start with random weights."""
        super().__init__()
        self.fine = _block(1, width)
        self.down = nn.MaxPool3d(2)
        self.coarse = _block(width, 2 * width)
        self.up = nn.ConvTranspose3d(2 * width, width, 2, stride=2)
        self.last = nn.Sequential(_block(2 * width, width), nn.Conv3d(width, 1, 1))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Scores of the shape of the image; above 0 is foreground."""
        fine = self.fine(image)
        coarse = self.coarse(self.down(fine))
        scores: torch.Tensor = self.last(torch.cat([fine, self.up(coarse)], dim=1))
        return scores


def learner(device: torch.device) -> Callable[[Any], dict[str, float]]:
    """A step of training of a new network."""
    network = SmallUNet().to(device).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-2)

    def step(batch: Any) -> dict[str, float]:
        truth = (batch["label"].to(device) > 0).float()
        scores = network(batch["image"].to(device))
        likely = scores.sigmoid()
        both = (likely * truth).sum()
        soft = (2 * both + 1) / (likely.sum() + truth.sum() + 1)
        loss = 1 - soft + nn.functional.binary_cross_entropy_with_logits(scores, truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found = scores > 0
        dice = (2 * (found * truth).sum() + 1) / (found.sum() + truth.sum() + 1)
        return {"loss": loss.item(), "dice": dice.item()}

    return step


def _block(channels: int, width: int) -> nn.Sequential:
    convolution = nn.Conv3d(channels, width, 3, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm3d(width), nn.ReLU())


def _train(options: argparse.Namespace) -> None:
    if options.masks is None:
        msg = "--masks is missing: a folder with KEY.nii.gz, KEY.nii or KEY.npy for each series"
        raise ValueError(msg)
    if any(length % 2 for length in options.patch_size):
        msg = f"--patch-size must be even, as the network halves it: not {options.patch_size}"
        raise ValueError(msg)
    masks = Masks(options.masks)
    volumes = [one for one in td.scan(options.folder) if one.kind == "volume"]
    labelled = [one for one in volumes if one in masks]
    print(f"{len(labelled)} of {len(volumes)} volumes have a mask")
    if not labelled:
        names = ", ".join(f"{one.key}.nii.gz" for one in volumes[:1])
        msg = f"no mask in {options.masks} is named as a volume of {options.folder}: {names}"
        raise ValueError(msg)
    dataset = td.PatchDataset(
        labelled,
        tuple(options.patch_size),
        mode="foreground",
        patches_per_volume=options.patches,
        # The patches of a volume come of one read, those of four volumes are mixed.
        buffer=4,
        label=masks,
        window=tuple(options.window),
        spacing_mm=options.spacing_mm,
        on_error=options.on_error,
        seed=options.seed,
    )
    print(dataset)
    is_fast = torch.cuda.is_available()
    # No shuffle=True: with a buffer the dataset brings a random order along.
    loader = td.Loader(
        dataset, options.batch_size, num_threads=options.num_threads, pin_memory=is_fast
    )
    step = learner(torch.device("cuda" if is_fast else "cpu"))
    fit(loader, step, epochs=options.epochs, what="patches")


def _on_made(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        options.masks = labelled_volumes(Path(folder), seed=options.seed)
        options.folder = Path(folder) / "ct"
        _train(options)


def _parser() -> argparse.ArgumentParser:
    made = parser("train_segmentation.py", __doc__)
    made.add_argument("folder", nargs="?", help="of DICOM files; without it, some are made")
    made.add_argument("--masks", metavar="MASKS", help="folder with the mask of each series")
    made.add_argument("--batch-size", type=positive, default=8, help="default: %(default)s")
    made.add_argument("--patches", type=positive, default=8, help="of a volume, in an epoch")
    made.add_argument(
        "--patch-size", nargs=3, type=positive, default=(16, 32, 32), metavar=("Z", "Y", "X")
    )
    made.add_argument("--spacing-mm", type=float, help="to resample to; default: as it is")
    made.add_argument(
        "--window",
        nargs=2,
        type=float,
        default=(40, 400),
        metavar=("CENTER", "WIDTH"),
        help="default: soft tissue, %(default)s",
    )
    return made


if __name__ == "__main__":
    raise SystemExit(main())
