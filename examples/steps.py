"""What both training examples share: common options, the epochs, and what is shown of them."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING, Any

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import torchdicom as td

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def parser(file: str, doc: str) -> argparse.ArgumentParser:
    """A command line with the options that all training has.

    Args:
        file: Whose it is.
        doc: Its docstring, the first line of which is the description.
    """
    made = argparse.ArgumentParser(prog=file, description=doc.partition("\n")[0])
    made.add_argument("--epochs", type=positive, default=3, help="default: %(default)s")
    made.add_argument("--num-threads", type=positive, help="to read and decode; default: the CPUs")
    made.add_argument("--seed", type=seed, default=0, help="of weights, order and generated data")
    made.add_argument(
        "--on-error",
        choices=("raise", "quarantine"),
        default="raise",
        help="what to make of series that cannot be used; default: %(default)s",
    )
    return made


def positive(text: str) -> int:
    """An option that counts something."""
    number = int(text)
    if number < 1:
        msg = f"must be at least 1, not {number}"
        raise argparse.ArgumentTypeError(msg)
    return number


def seed(text: str) -> int:
    """A seed, 0 or more."""
    number = int(text)
    if number < 0:
        msg = f"must be at least 0, not {number}"
        raise argparse.ArgumentTypeError(msg)
    return number


def run(example: Callable[[argparse.Namespace], None], options: argparse.Namespace) -> int:
    """Run an example; what goes wrong with the data or the options is one line on stderr.

    Returns:
        The exit code.
    """
    torch.manual_seed(options.seed)
    try:
        example(options)
    except (td.DicomError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    return 0


def fit(
    loader: td.Loader, step: Callable[[Any], Mapping[str, float]], *, epochs: int, what: str
) -> None:
    """Go through the batches of some epochs, and say how it goes.

    On a terminal there is a bar and a line for each epoch, elsewhere a line for each step too.

    Args:
        loader: Gives the batches.
        step: Learns from a batch; returns figures by name, the loss among them.
        epochs: How many.
        what: Samples are called this.
    """
    console, total = Console(), epochs * len(loader)
    now = TextColumn("{task.fields[now]}")
    columns = (now, BarColumn(20), MofNCompleteColumn(), TimeRemainingColumn())
    is_shown = sys.stdout.isatty()
    with Progress(*columns, console=console, disable=not is_shown) as bar:
        task = bar.add_task("", total=total, now="first batch")
        done = 0
        for epoch in range(1, epochs + 1):
            every: list[tuple[int, Mapping[str, float]]] = []
            start = last = time.perf_counter()
            for batch in loader:
                size = len(batch["image"])
                every.append((size, step(batch)))
                done += 1
                end = time.perf_counter()
                line = f"{_words(every[-1][1])}  {size / (end - last):.1f} {what}/s"
                last = end
                bar.update(task, completed=done, now=line)
                if not is_shown:
                    print(f"step {done}/{total}  {line}", flush=True)
            count = sum(size for size, _ in every)
            means = {
                name: sum(size * figures[name] for size, figures in every) / count
                for name in every[0][1]
            }
            rate = count / (time.perf_counter() - start)
            print(f"epoch {epoch}/{epochs}  {_words(means)}  {rate:.1f} {what}/s", flush=True)
    print(f"loader: {loader.stats().advice}")


def _words(figures: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:.4f}" for name, value in figures.items())


def command(arguments: Sequence[str] | None) -> list[str]:
    """The arguments of `main`, those of the process where none are given."""
    return sys.argv[1:] if arguments is None else list(arguments)
