"""The two backends against each other: damaged files that both refuse, or that both read alike.

Where the pixels are a JPEG, JPEG-LS or JPEG 2000 codestream, the backends decode it with different
libraries, so nothing inside one is damaged here: the target ``codestream`` does that. Text with
characters beyond ASCII is not compared: its character set decides what it is. A deflated stream
that zlib refuses may be legal to libdeflate: there, code lengths may repeat beyond their number.
"""

from __future__ import annotations

import argparse
import json
import mmap
import sys
import time
import warnings
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from random import Random, SystemRandom
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import torch

import torchdicom as td
from builders import JPEG_2000, JPEG_LOSSLESS, JPEG_LS, PET_IMAGE, ct_elements
from builders_enhanced import ENHANCED_PET
from builders_frames import encapsulated, even
from compare import assert_volumes_equal, bits
from fuzz import mutation, seeds, seeds_slices
from torchdicom import _reference

if TYPE_CHECKING:
    from collections.abc import Callable

    from torchdicom._arguments import Backend, Output

HERE = Path(__file__).resolve().parent
_LARGEST = 1 << 16
# Values that follow from others, and what a file has in it that they are asked of.
_OUTPUTS: tuple[tuple[Output, tuple[bytes, ...]], ...] = (
    ("suv", (PET_IMAGE.encode(), ENHANCED_PET.encode())),
    ("philips_fp", (b"Philips MR Imaging DD 00",)),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one call gave: a value, or an error.

    Attributes:
        value: Where there is no error.
        error: Code and element of an error of ours, or what any other exception says.
        is_bug: It was another exception.
    """

    value: Any = None
    error: str | None = None
    is_bug: bool = False


def outcome(call: Callable[[], Any]) -> Outcome:
    """Errors of ours are answers; any other exception is a bug."""
    try:
        return Outcome(value=call())
    except td.DicomError as error:
        # By keyword: a damaged tag would make a kind of its own of every number.
        keyword = (error.element or "").partition(" ")[2] or "no attribute"
        return Outcome(error=f"{error.code} ({keyword})")
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        return Outcome(error=f"{type(error).__name__}: {error}", is_bug=True)


def difference(data: bytes) -> str | None:
    """How the backends differ about a file, in words that are the same for the same kind."""
    comparisons: tuple[tuple[str, Any, Any], ...] = (
        ("read_header", _header, headers_differ),
        ("decode", _decode, _bits_differ),
        ("load", _load, volumes_differ),
        *(
            (output, partial(_load, output=output), volumes_differ)
            for output, marks in _OUTPUTS
            if any(mark in data for mark in marks)
        ),
    )
    for name, call, differ in comparisons:
        native = outcome(partial(call, data, "native"))
        reference = outcome(partial(call, data, "reference"))
        what = outcomes_differ(native, reference)
        if what is None and native.error is None and reference.error is None:
            what = differ(native.value, reference.value)
        if what is not None:
            return f"{name}: {what}"
        if name == "read_header" and (native.error or reference.error):
            return None  # what has no header has no pixels
    return None


def outcomes_differ(native: Outcome, reference: Outcome) -> str | None:
    """Which code each has, where only one has any; or the bug."""
    if native.error is None and (reference.error or "").startswith("invalid_deflate "):
        return None
    if native.is_bug or reference.is_bug or (native.error is None) != (reference.error is None):
        told = [one.error or "reads it" for one in (native, reference)]
        return f"native {told[0]}, reference {told[1]}"
    return None


def _decode(data: bytes, backend: Backend) -> torch.Tensor:
    return td.decode(data, num_threads=1, backend=backend)


def _load(data: bytes, backend: Backend, output: Output = "modality") -> td.Volume:
    return td.load(data, output=output, num_threads=1, backend=backend)


def _header(data: bytes, backend: Backend) -> td.Header:
    return td.read_header(data) if backend == "native" else _reference.read_header(data)


def headers_differ(native: td.Header, reference: td.Header) -> str | None:
    """The first field that is not the same."""
    for field in (one for one in fields(td.Header) if one.compare):  # notes are sentences
        mine, other = getattr(native, field.name), getattr(reference, field.name)
        if mine != other and str(mine).isascii() and str(other).isascii():
            return f"{field.name} differs"
    return None


def _bits_differ(native: torch.Tensor, reference: torch.Tensor) -> str | None:
    if (native.dtype, native.shape) != (reference.dtype, reference.shape):
        return "dtype or shape differ"
    return None if torch.equal(bits(native), bits(reference)) else "values differ"


def volumes_differ(native: td.Volume, reference: td.Volume) -> str | None:
    """What is not the same of two volumes."""
    texts = str([(one.metadata, one.provenance, one.units) for one in (native, reference)])
    if not texts.isascii() or "\\x" in texts:
        return _bits_differ(native.data, reference.data)
    try:
        assert_volumes_equal(native, reference)
    except AssertionError as error:
        return f"volumes differ: {str(error).splitlines()[0] if str(error) else ''}"
    return None


def recipes() -> list[mutation.Recipe]:
    """What is damaged: a file for each way to write one."""
    made = list(seeds.recipes())
    cells = (np.arange(12, dtype=np.uint16) * 997).reshape(3, 4)
    coded = {
        JPEG_LOSSLESS: imagecodecs.ljpeg_encode(cells, bitspersample=16),
        JPEG_LS: imagecodecs.jpegls_encode(cells),
        JPEG_2000: imagecodecs.jpeg2k_encode(cells, codecformat="j2k", level=0, reversible=True),
    }
    for syntax, codestream in coded.items():
        pixels = encapsulated([[even(bytes(codestream))]])
        elements = ct_elements(cells, syntax=syntax, pixel_element=pixels, **seeds.FEW)
        made.append(mutation.Recipe(tuple(elements), syntax, has_codestream=True))
    return made


def corpus() -> list[bytes]:
    """The files of the target ``header`` that have no codestream in them, and what SUV are of."""
    found = [path.read_bytes() for path in sorted((HERE / "corpus" / "header").iterdir())]
    found += [*seeds.pet(), *seeds_slices.quantities()]
    return [data for data in found if data and b"1.2.840.10008.1.2.4." not in data]


class Search:
    """A run: as many damaged files as its time allows, each made from the seed and a number."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.seed = seed
        self.folder = folder
        self.executions = 0
        self.loaded = 0
        self.findings: dict[str, Path] = {}
        self.recipes = recipes()
        self.corpus = corpus()
        folder.mkdir(parents=True, exist_ok=True)
        self.current = folder / f"current-{seed}"

    def case(self, number: int) -> bytes:
        """Input `number` of this seed."""
        random = Random(f"{self.seed} {number}")
        if random.random() < 0.3:
            return mutation.damaged(random.choice(self.corpus), random)
        return mutation.mutated(random.choice(self.recipes), random)

    def run(self, seconds: float) -> None:
        """Search for so long."""
        end = time.monotonic() + seconds
        with self.current.open("wb+") as file:
            file.truncate(_LARGEST)
            # What is worked on stays in the file if a crash ends the process.
            with mmap.mmap(file.fileno(), _LARGEST) as kept:
                while time.monotonic() < end:
                    self._one(kept)
        self.current.unlink()

    def _one(self, kept: mmap.mmap) -> None:
        data = self.case(self.executions)
        kept[: min(len(data), _LARGEST)] = data[:_LARGEST]
        self.executions += 1
        what = difference(data)
        self.loaded += outcome(partial(_decode, data, "native")).error is None
        if what is None or what in self.findings:
            return
        path = self.folder / f"{self.seed}-{self.executions - 1}"
        path.write_bytes(data)
        self.findings[what] = path
        print(f"differential: {what}: {path}", file=sys.stderr)


def main() -> int:
    """Search, or replay files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10**6))
    parser.add_argument("--save", type=Path, default=Path("build/fuzz/work/findings/differential"))
    parser.add_argument("--replay", type=Path, nargs="+", help="files, instead of a search")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # about metadata that is left out
    if arguments.replay:
        differences = {path: difference(path.read_bytes()) for path in arguments.replay}
        print(
            *(f"{path}: {what or 'no difference'}" for path, what in differences.items()), sep="\n"
        )
        return 1 if any(differences.values()) else 0
    search = Search(arguments.seed, arguments.save)
    search.run(arguments.seconds)
    told = {
        "executions": search.executions,
        "seconds": arguments.seconds,
        "seed": arguments.seed,
        "seeds": len(search.recipes) + len(search.corpus),
        "loaded": search.loaded / max(search.executions, 1),
        "findings": [str(path) for path in search.findings.values()],
    }
    print(json.dumps(told))
    return 1 if search.findings else 0


if __name__ == "__main__":
    sys.exit(main())
