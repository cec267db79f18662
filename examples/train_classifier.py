"""Train a resnet18 of torchvision on radiographs and CT slices.

    python TORCHDICOM/examples/train_classifier.py

with the checkout for TORCHDICOM, makes 48 radiographs (CR and DX) and two CT series of 8 slices in
a temporary folder, with two classes, and trains on these 64 images, 3 x 224 x 224, for 2 epochs of
two steps: seconds on two cores. Below each other are seen the dataset, loss, accuracy and images a
second of each step (on a terminal as a bar), the means of each epoch, and what the Loader advises.
The loss falls from about 0.7, which is guessing between two classes.

    python TORCHDICOM/examples/train_classifier.py FOLDER --target TABLE.csv

trains on your images: all radiographs and slices of the series that the table names. It has a line
for each, the key or SeriesInstanceUID in a column "series", the class in a column "label"
(`--column` names another), and a line of these names at the top. The keys are seen by

    python -c "import torchdicom as td; [print(one.key) for one in td.scan('FOLDER')]"

Values are taken through the window of each file, those of CT through `--ct-window CENTER WIDTH`
where that is given, then the mean and standard deviation that the weights of torchvision were
trained with. Weights start random here: nothing is downloaded. Keep patients apart when you hold
images back for validation.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import torch
from pyarrow import csv
from torch.utils.data import ConcatDataset
from torchvision.models import ResNet18_Weights, resnet18

import torchdicom as td
from phantoms import chest_images
from steps import command, fit, parser, positive, run

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence

    from torchdicom import ImageDataset, Series

_KINDS = ("image", "volume")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    options = _parser().parse_args(command(arguments))
    return run(_on_made if options.folder is None else _train, options)


def images(
    series: Sequence[Series],
    target: Mapping[str, int],
    *,
    ct_window: Sequence[float] | None = None,
    size: int = 224,
    **options: Any,
) -> ImageDataset | ConcatDataset[Any]:
    """What resnet18 takes: 3 x size x size, normalised as for its weights.

    Args:
        series: Radiographs, volumes of slices, or both.
        target: The class of each.
        ct_window: Center and width of those of CT; None takes the window of the files.
        size: Rows and columns.
        **options: More of `ImageDataset`.
    """
    preset = ResNet18_Weights.DEFAULT.transforms()
    common = {"kinds": _KINDS, "target": target, "channels": 3, "size": (size, size), **options}
    common |= {"mean": preset.mean, "std": preset.std}
    ct = [one for one in series if ct_window and one.modality == "CT"]
    others = [one for one in series if not (ct_window and one.modality == "CT")]
    parts = []
    if others:
        parts.append(td.ImageDataset(others, output="window", **common))
    if ct_window and ct:
        parts.append(td.ImageDataset(ct, output=td.Window(*ct_window), **common))
    return parts[0] if len(parts) == 1 else ConcatDataset(parts)


def learner(classes: int, device: torch.device) -> Callable[[Any], dict[str, float]]:
    """A step of training of a new network."""
    network = resnet18(weights=None, num_classes=classes).to(device).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-4)

    def step(batch: Any) -> dict[str, float]:
        truth = batch["target"].to(device)
        scores = network(batch["image"].to(device))
        loss = torch.nn.functional.cross_entropy(scores, truth)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        hits = (scores.argmax(1) == truth).float().mean()
        return {"loss": loss.item(), "accuracy": hits.item()}

    return step


def classes_of(table: str | Path, column: str) -> tuple[dict[str, int], list[str]]:
    """The class of each series as a number, and the names of the classes.

    Raises:
        ValueError: If the table has not got the columns, or a series twice.
    """
    # Both as text: a UID of two numbers would become a floating-point number.
    kinds = {"series": pa.string(), column: pa.string()}
    try:
        with Path(table).open("rb") as file:
            read = csv.read_csv(file, convert_options=csv.ConvertOptions(column_types=kinds))
    except pa.ArrowInvalid as error:
        why = "".join(c if c.isprintable() else "?" for c in str(error)[:120])
        msg = f"{table} is no CSV table: {why}"
        raise ValueError(msg) from error
    for name in kinds:
        if name not in read.column_names:
            msg = f"{table} has no column {name!r}, only {', '.join(read.column_names)}"
            raise ValueError(msg)
    keys, labels = (read.column(name).to_pylist() for name in kinds)
    names = sorted({label for label in labels if label})
    if len(names) < 2:
        found = ", ".join(map(repr, names)) or "none"
        msg = f"it takes two classes to tell apart: column {column!r} of {table} has {found}"
        raise ValueError(msg)
    if len(set(keys)) < len(keys):
        twice = next(key for i, key in enumerate(keys) if key in keys[:i])
        msg = f"{table} has more than one line for series {twice}"
        raise ValueError(msg)
    numbers = {key: names.index(label) for key, label in zip(keys, labels, strict=True) if label}
    return numbers, names


def _train(options: argparse.Namespace) -> None:
    if options.target is None:
        msg = "--target is missing: a CSV table with the columns series and label"
        raise ValueError(msg)
    target, names = classes_of(options.target, options.column)
    known = [one for one in td.scan(options.folder) if one.kind in _KINDS]
    chosen = [one for one in known if one.key in target or one.series_instance_uid in target]
    print(f"{len(chosen)} of {len(known)} series have a class, which are {', '.join(names)}")
    if not chosen:
        keys = ", ".join(one.key for one in known[:1]) or "no radiographs and no slices"
        msg = f"{options.target} names no series of {options.folder}, which has {keys}"
        raise ValueError(msg)
    dataset = images(
        chosen,
        target,
        ct_window=options.ct_window,
        size=options.size,
        on_error=options.on_error,
        seed=options.seed,
    )
    count = len(dataset)
    print(f"{count} images")
    is_fast = torch.cuda.is_available()
    loader = td.Loader(
        dataset,
        options.batch_size,
        shuffle=True,
        # A rest of one image has no variance, which batch normalisation needs.
        drop_last=count > options.batch_size,
        num_threads=options.num_threads,
        pin_memory=is_fast,
        seed=options.seed,
    )
    step = learner(len(names), torch.device("cuda" if is_fast else "cpu"))
    fit(loader, step, epochs=options.epochs, what="images")


def _on_made(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        options.folder = Path(folder)
        options.target, options.column = chest_images(options.folder, seed=options.seed), "label"
        _train(options)


def _parser() -> argparse.ArgumentParser:
    made = parser("train_classifier.py", __doc__)
    made.set_defaults(epochs=2)
    made.add_argument("folder", nargs="?", help="of DICOM files; without it, some are made")
    made.add_argument("--target", metavar="TABLE", help="CSV with the class of each series")
    made.add_argument("--column", default="label", help="of the classes; default: %(default)s")
    made.add_argument("--batch-size", type=positive, default=32, help="default: %(default)s")
    made.add_argument("--size", type=positive, default=224, help="of images; default: %(default)s")
    made.add_argument(
        "--ct-window", nargs=2, type=float, metavar=("CENTER", "WIDTH"), help="such as 40 400"
    )
    return made


if __name__ == "__main__":
    raise SystemExit(main())
