"""The volume converted beforehand: what torchdicom makes unnecessary."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks.case import Case, Contender, Load

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_PAGE: Final = 4096
_NIBABEL: Final = ("nibabel",)


def _path(case: Case, suffix: str) -> Path:
    """Where the converted volume is; it is made from the truth, once."""
    return Path(case.folder).with_name(f"{Path(case.folder).name}-converted{suffix}")


def _reads(suffix: str) -> Callable[[Case], Sequence[Path]]:
    return lambda case: [_path(case, suffix)]


def _converted(case: Case, suffix: str, save: Callable[[np.ndarray, Path], None]) -> Path:
    if case.transfer_syntax != "1.2.840.10008.1.2.1":
        raise NotImplementedError  # the converted file is the same for all syntaxes
    path = _path(case, suffix)
    if not path.is_file():
        partial = path.with_name(f"partial-{path.name}")
        save(np.load(case.truth), partial)
        partial.rename(path)
    return path


def _npy(case: Case) -> Load:
    path = _converted(case, ".npy", lambda values, path: np.save(path, values))
    return lambda: np.load(path)


def _npy_mapped(case: Case) -> Load:
    """Mapped, and copied to memory that a tensor can have."""
    path = _converted(case, ".npy", lambda values, path: np.save(path, values))
    return lambda: np.array(np.load(path, mmap_mode="r"))


def _npy_touched(case: Case) -> Load:
    """Mapped, with one value of each page read: a view of the page cache, not a volume yet."""
    path = _converted(case, ".npy", lambda values, path: np.save(path, values))

    def load() -> np.ndarray:
        values: np.ndarray = np.load(path, mmap_mode="r")
        values.reshape(-1)[:: _PAGE // values.itemsize].sum()
        return values

    return load


def _save_nifti(values: np.ndarray, path: Path) -> None:
    import nibabel  # noqa: PLC0415

    nibabel.save(nibabel.Nifti1Image(values.T, np.eye(4)), path)


def _nifti(suffix: str) -> Callable[[Case], Load]:
    def prepare(case: Case) -> Load:
        import nibabel  # noqa: PLC0415

        path = _converted(case, suffix, _save_nifti)

        def load() -> np.ndarray:
            image: Any = nibabel.load(path)
            # Of an uncompressed file `get_fdata` gives a map; this is a volume in memory.
            return np.array(image.dataobj, dtype=np.float32)

        return load

    return prepare


def _torch_file(*, mmap: bool) -> Callable[[Case], Load]:
    def prepare(case: Case) -> Load:
        import torch  # noqa: PLC0415

        path = _converted(
            case, ".pt", lambda values, path: torch.save(torch.from_numpy(values), path)
        )

        def load() -> torch.Tensor:
            tensor: torch.Tensor = torch.load(path, weights_only=True, mmap=mmap)
            return tensor.clone() if mmap else tensor

        return load

    return prepare


VOLUME: Final = (
    Contender("converted: .npy", _npy, reads=_reads(".npy")),
    Contender("converted: .npy, mapped", _npy_mapped, reads=_reads(".npy")),
    Contender("only mapped: .npy", _npy_touched, reads=_reads(".npy")),
    Contender("converted: .pt", _torch_file(mmap=False), modules=("torch",), reads=_reads(".pt")),
    Contender(
        "converted: .pt, mapped", _torch_file(mmap=True), modules=("torch",), reads=_reads(".pt")
    ),
    *(
        Contender(f"converted: {suffix}", _nifti(suffix), 1, np.transpose, _NIBABEL, _reads(suffix))
        for suffix in (".nii", ".nii.gz")
    ),
)
FRAMES: Final[tuple[Contender, ...]] = ()
