"""torchdicom itself, through its public functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from benchmarks.case import OURS, Case, Contender, Load

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

_MODULES: Final = ("torch", "torchdicom")


def _volume(threads: int) -> Callable[[Case], Load]:
    def prepare(case: Case) -> Load:
        import torchdicom as td  # noqa: PLC0415

        return lambda: td.load(case.folder, num_threads=threads)

    return prepare


def _single_files(threads: int) -> Callable[[Case], Load]:
    def prepare(case: Case) -> Load:
        import torchdicom as td  # noqa: PLC0415

        return lambda: td.load(case.single, num_threads=threads)

    return prepare


def _first(threads: int) -> Callable[[Case], Load]:
    """As the first load of a process: into memory that was never touched."""

    def prepare(case: Case) -> Load:
        import torchdicom as td  # noqa: PLC0415

        td.load(case.folder, num_threads=threads)

        def load() -> td.Volume:
            td.empty_pool()
            return td.load(case.folder, num_threads=threads)

        return load

    return prepare


def _frames(threads: int) -> Callable[[Case], Load]:
    def prepare(case: Case) -> Load:
        import torch  # noqa: PLC0415

        import torchdicom as td  # noqa: PLC0415

        file = case.files[0]
        return lambda: td.decode(file, dtype=torch.int16, num_threads=threads)

    return prepare


def _codec(name: str | None) -> Callable[[Case], Load]:
    """The type that the stored values call for, on one thread."""

    def prepare(case: Case) -> Load:
        import torchdicom as td  # noqa: PLC0415

        if name is not None:
            (row,) = [r for r in td.codecs() if r.transfer_syntax_uid == case.transfer_syntax]
            if name not in row.codecs:
                raise NotImplementedError
        file = case.files[0]
        return lambda: td.decode(file, num_threads=1, codec=name)

    return prepare


def _volume_values(volume: Any) -> np.ndarray:
    values: np.ndarray = volume.data.numpy()
    return values


VOLUME: Final = (
    *(Contender(OURS, _volume(n), n, _volume_values, _MODULES) for n in (1, 2, 4)),
    Contender("torchdicom, first load", _first(2), 2, _volume_values, _MODULES),
)
MULTIFRAME: Final = (
    *(one for one in VOLUME if one.name == OURS and one.threads <= 2),
    *(
        Contender("torchdicom, single files", _single_files(n), n, _volume_values, _MODULES)
        for n in (1, 2)
    ),
)
FRAMES: Final = tuple(Contender(OURS, _frames(n), n, modules=_MODULES) for n in (1, 2))
CODEC: Final = (
    Contender(OURS, _codec(None), modules=_MODULES),
    Contender("torchdicom, codec gdcm", _codec("gdcm"), modules=_MODULES),
)
