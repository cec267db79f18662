"""What the page says of epochs besides times: processor, memory, and where our time goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from benchmarks.case import OURS
from benchmarks.epoch_profile import PARTS
from benchmarks.tables import markdown, times

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Row = Mapping[str, Any]

# The fields of `Loader.stats()` that are seconds of its threads, and what they are.
_PHASES: Final = {
    "read": "read",
    "decode": "decode",
    "transform": "Python of the dataset",
    "place": "place",
    "idle": "idle",
}
_INTRODUCTION: Final = (
    "The same for an epoch of training, all that a loop gets from a `Loader` of two threads, and\n"
    "from the others with two workers (images resized to 224x224; patches of 64x64x64, cut out of\n"
    "whole volumes by the others, out of a mapped file by `.npy`):"
)
_PEERS_OF_README: Final = (
    "pydicom Dataset",
    "MONAI ITKReader",
    "MONAI CacheDataset",
    "TorchIO",
    "converted: .npy",
    "converted: .nii.gz",
)
# What people write now, what they write with torchdicom, and the contenders that do just that.
_SWITCHES: Final = (
    (
        '`LoadImaged(keys, reader="ITKReader")`',
        "`LoadImaged(keys, reader=DicomReader())` of `torchdicom.interop.monai`",
        ("MONAI ITKReader", "MONAI + torchdicom"),
    ),
    (
        "`tio.ScalarImage(folder)`",
        "`scalar_image(folder)` of `torchdicom.interop.torchio`",
        ("TorchIO", "TorchIO + torchdicom"),
    ),
    (
        "`DataLoader(DatasetWithPydicom(folders), num_workers=2)`",
        "`td.Loader(td.VolumeDataset(folders), batch_size=1)`",
        ("pydicom Dataset", OURS),
    ),
    (
        "`DataLoader(CacheDataset(data, LoadImaged(...)), num_workers=2)`",
        "`td.Loader(td.VolumeDataset(folders), batch_size=1)`",
        ("MONAI CacheDataset", OURS),
    ),
)


def switch(rows: Sequence[Row]) -> str:
    """What to write instead, and how many times as fast an epoch of whole volumes is then."""
    case = rows[0]["case"]
    cells = {row["contender"]: row for row in rows if row["case"] == case}
    lines = []
    for before, after, (old, new) in _SWITCHES:
        both = [cells[name]["ratio"] for name in (old, new) if "ratio" in cells.get(name, {})]
        lines.append((before, after, times(both[0] / both[1]) if len(both) == 2 else ""))
    return markdown(("what people write now", "with torchdicom", f"an epoch ({case})"), lines)


def costs(rows: Sequence[Row]) -> str:
    """A line a contender, a column a case: seconds of the processor, and peak memory."""
    cases = list(dict.fromkeys(row["case"] for row in rows))
    names = list(dict.fromkeys(row["contender"] for row in rows))
    cells = {(row["contender"], row["case"]): _cost(row) for row in rows}
    lines = ((name, *(cells.get((name, case), "") for case in cases)) for name in names)
    return markdown(("processor and memory", *cases), lines)


def _cost(row: Row) -> str:
    return f"{row['cpu_s']:.3g} s, {row['peak_mb']:.0f} MB" if "cpu_s" in row else ""


def profile(rows: Sequence[Row]) -> str:
    """Where the time of our Loader goes: of its threads, and where perf was there of the processor.

    Shares of the first kind are of the seconds of both threads, by `Loader.stats()`.
    """
    told = [row for row in rows if row["contender"] == OURS and "parts" in row]
    lines = [_phases(row) for row in told]
    head = ("time of the Loader's threads", *_PHASES.values(), "ms a sample", "largest")
    tables = [markdown(head, lines)]
    seen = [row for row in told if row.get("libraries")]
    if seen:
        names = (*PARTS, "other")
        found = (
            (row["case"], *(_share(row["libraries"].get(n, 0)) for n in names)) for row in seen
        )
        tables.append(markdown(("time of the processor", *names), found))
    return "\n\n".join(tables)


def _phases(row: Row) -> tuple[str, ...]:
    parts = row["parts"]
    total = sum(parts[name] for name in _PHASES)
    busy = {name: parts[name] for name in _PHASES if name != "idle"}
    each = 1e3 * sum(busy.values()) / parts["samples"]
    largest = _PHASES[max(busy, key=lambda name: busy[name])]
    shares = (_share(parts[name] / total) for name in _PHASES)
    return (row["case"], *shares, f"{each:.3g}", largest)


def _share(part: float) -> str:
    return f"{part:.0%}"


def readme(answers: Mapping[str, Mapping[str, Any]]) -> str:
    """A line a case: our time for an epoch, and how many times that the others take.

    Args:
        answers: By what the epochs are of, such as "volumes".
    """
    lines = []
    for of, answer in answers.items():
        rows = answer["rows"]
        for case in dict.fromkeys(row["case"] for row in rows):
            cells = {row["contender"]: row for row in rows if row["case"] == case}
            own = cells[OURS]
            ms = "refused" if own["refused"] else f"{own['ms']:.3g} ms"
            lines.append((f"{of}: {case}", ms, *(_ratio(cells.get(n)) for n in _PEERS_OF_README)))
    return f"{_INTRODUCTION}\n\n{markdown(('an epoch of', OURS, *_PEERS_OF_README), lines)}"


def _ratio(row: Row | None) -> str:
    if row is None:
        return ""
    if row["refused"] or row["wrong"]:
        return "refused" if row["refused"] else "wrong"
    return times(row["ratio"]) if "ratio" in row else ""
