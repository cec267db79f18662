"""`Series`: what an index knows about one series, and how it is loaded."""

from __future__ import annotations

import math
import os
import weakref
from collections import deque
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from torchdicom import _native
from torchdicom._arguments import load_options
from torchdicom._cached import cached_property
from torchdicom._columns import core_of, full_paths
from torchdicom._frame_files import FrameFiles
from torchdicom._grouping import defects_from_json
from torchdicom._metadata import METADATA, PADDING, decode_text, typed_metadata
from torchdicom._schema import TABLE_NAMES, Header, fail_invalid
from torchdicom._volume import SliceProvenance, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import torch
    from numpy.typing import NDArray

    from torchdicom._arguments import Output, Slices
    from torchdicom._grouping import DefectRow
    from torchdicom._policy import Policy
    from torchdicom._volume import Volume
    from torchdicom._window import Window

# What other parts of a SeriesInstanceUID are to this one: its own rows do not tell.
_ABOUT_SIBLINGS: Final = frozenset(
    {"localizer", "mixed_size", "mixed_pixel_format", "mixed_orientation"}
)
# Records take about 200 bytes a row: a dozen megabytes at most.
_MOST_SERIES_KEPT: Final = 32
_MOST_ROWS_KEPT: Final = 2_048
_kept_series: Final[deque[weakref.ref[Series]]] = deque()
_CORE_NAMES: Final = frozenset(TABLE_NAMES.values())


class Series:
    """One series of an index: what it is, whether it is sound, and how to load it.

    Nothing here opens a file but `load`. Made by an `Index`; immutable.

    Example:
        >>> import torchdicom as td
        >>> series = td.scan("tests/data/sts_002/ct").series[0]
        >>> series.kind, series.modality, series.shape, str(series.verdict)
        ('volume', 'CT', (48, 143, 161), 'ok')
        >>> series.load(slices=range(0, 48, 4)).data.shape
        torch.Size([12, 143, 161])
    """

    def __init__(
        self, rows: pa.Table, header: Header, reduce: Callable[[Series], tuple[object, ...]]
    ) -> None:
        """Not to be called: an `Index` makes its series.

        Args:
            rows: The rows of the series, those set aside at the end.
            header: The header of its index.
            reduce: How it is pickled.
        """
        self._rows = rows
        self._header = header
        self._reduce = reduce
        self._values: dict[str, Any] = {}

    @property
    def key(self) -> str:
        """What chooses this series and no other: the SeriesInstanceUID where that is one series.

        Else the UID, ``#`` and a hash of what tells its parts from each other, which stays the same
        whatever else is scanned.
        """
        return str(self._required("series_key"))

    @property
    def series_instance_uid(self) -> str:
        """SeriesInstanceUID (0020,000E), empty where the files have none."""
        return self._value("SeriesInstanceUID") or ""

    @property
    def kind(self) -> str:
        """``"volume"``, ``"image"``, ``"cine"``, ``"dose"``, ``"localizer"``.

        ``"other"`` cannot be loaded.
        """
        return str(self._required("kind"))

    @property
    def modality(self) -> str | None:
        """Modality (0008,0060), None where the files have none."""
        return self._value("Modality")  # type: ignore[no-any-return]

    @property
    def dims(self) -> tuple[str, ...]:
        """Names of the dims that `load` returns, see `Volume.dims`."""
        return ("t", "z", "y", "x") if self._num_times else ("z", "y", "x")

    @cached_property
    def _num_times(self) -> int:
        """Length of the axis t, 0 where there is none."""
        frames: int = self._kept.num_rows
        if self.kind == "cine":
            return frames
        times: int = self._value("num_times") or 1
        if times < 1 or frames % times:
            self._fail_invalid()
        return times if times > 1 else 0

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape that `load` returns; rows and columns are 0 where the files do not say.

        What is not loaded as a volume has its frames along z. A policy that repairs the series has
        `load` return another.
        """
        size = (self._value("Rows") or 0, self._value("Columns") or 0)
        frames, times = self._kept.num_rows, self._num_times
        return (times, frames // times, *size) if times else (frames, *size)

    @property
    def affine(self) -> torch.Tensor | None:
        """Float64 tensor of shape (4, 4), index ``(z, y, x, 1)`` to millimetres in LPS.

        None where the images have no place in the patient, see `Volume.affine`. It is that of the
        files, whatever a policy repairs.
        """
        columns = self._value("affine")
        if columns is None:
            return None
        if len(columns) != 12:
            self._fail_invalid()
        return _native.to_affine([columns[i : i + 3] for i in range(0, 12, 3)])

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between voxel centres along z, y and x, NaN where unknown."""
        spacing = self._required("spacing_mm")
        if len(spacing) != 3:
            self._fail_invalid()
        return spacing[0], spacing[1], spacing[2]

    @cached_property
    def verdict(self) -> Verdict:
        """What was found about the series when it was scanned; ``ok`` is under ``Policy()``."""
        defects = _native.to_defects(self._defects)
        return Verdict(ok=bool(self._required("series_ok")), defects=defects)

    @cached_property
    def provenance(self) -> tuple[SliceProvenance, ...]:
        """For every slice (for every frame of a cine) where it comes from, in slice order.

        Where there are several times, all slices of the first come first.
        """
        names = ["frame", "SOPInstanceUID", "ImagePositionPatient"]
        names += ["RescaleSlope", "RescaleIntercept"]
        columns = (self._kept.column(name).to_pylist() for name in names)
        unknown = (math.nan, math.nan, math.nan)
        return tuple(
            SliceProvenance(
                path=path,
                frame=frame,
                sop_instance_uid=uid or "",
                position_mm=unknown if position is None else tuple(position),
                slope=1.0 if slope is None else slope,
                intercept=0.0 if intercept is None else intercept,
            )
            for path, frame, uid, position, slope, intercept in zip(
                self._paths, *columns, strict=False
            )
        )

    @property
    def paths(self) -> tuple[str, ...]:
        """The files in slice order, then those that were set aside: copies and repeats."""
        return tuple(dict.fromkeys(self._paths))

    @property
    def transfer_syntaxes(self) -> tuple[str, ...]:
        """The TransferSyntaxUIDs of the files, each once, sorted."""
        uids = self._kept.column("TransferSyntaxUID").unique().to_pylist()
        return tuple(sorted(uid for uid in uids if uid is not None))

    @cached_property
    def metadata(self) -> Mapping[str, object]:
        """Technical attributes of the first slice by DICOM keyword, as in `Volume.metadata`.

        Nothing that identifies a person, but what `scan` was told to include.
        """
        names = [*METADATA, *(one.name for one in self._header.include)]
        values = {name: self._attribute(name) for name in dict.fromkeys(names)}
        values["spacing_source"] = self._value("spacing_source")
        return MappingProxyType({k: v for k, v in values.items() if v is not None})

    def load(
        self,
        *,
        output: Output | Window = "modality",
        dtype: torch.dtype | None = None,
        policy: Policy | None = None,
        slices: Slices | None = None,
        t: Slices | None = None,
        region: tuple[int, int, int, int] | None = None,
        reduce: int = 0,
        mask: bool = False,
        rwvm: str | None = None,
        out: torch.Tensor | NDArray[Any] | None = None,
        num_threads: int | None = None,
        codec: str | None = None,
    ) -> Volume:
        """Load the series as `torchdicom.load` does, without reading its headers again.

        Each file is opened once, and only its pixels are read.

        Args:
            output: As in `torchdicom.load`, like the rest.
            dtype: Type of the values.
            policy: What to make of defects.
            slices: Positions along z.
            t: Positions along t.
            region: Part of the images.
            reduce: How often to halve rows and columns.
            mask: Whether to make `Volume.valid_mask`.
            rwvm: Which real-world value map to apply.
            out: Memory to fill.
            num_threads: Threads for this call.
            codec: Which codec decodes.

        Returns:
            Volume: What `torchdicom.load` returns for the same files.

        Raises:
            FileNotFoundError: If a file is not there any more.
            ParseError: If a file has changed since it was scanned (``file_changed``): refresh the
                index. Or the index is damaged (``invalid_index``).
            DicomError: As in `torchdicom.load`.

        Example:
            >>> import torchdicom as td
            >>> series = td.scan("tests/data/sts_002/ct").series[0]
            >>> series.load(region=(0, 64, 0, 64)).data.shape
            torch.Size([48, 64, 64])
        """
        options = load_options(
            output=output,
            dtype=dtype,
            policy=policy,
            slices=slices,
            t=t,
            region=region,
            reduce=reduce,
            codec=codec,
            rwvm=rwvm,
            mask=mask,
            out=out,
            num_threads=num_threads,
        )
        return _native.load_rows(self._known(), **options)

    def __repr__(self) -> str:
        """One line: what it is, its size, its verdict and its key."""
        spacing = ", ".join(f"{value:.4g}" for value in self.spacing_mm)
        return (
            f"Series({self.kind}, {self.modality}, shape={self.shape}, spacing_mm=({spacing}), "
            f"verdict={self.verdict}, key={self.key!r})"
        )

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by the file of the index where there is one, else by its own rows."""
        return self._reduce(self)

    def _value(self, name: str) -> Any:
        """Of the first row, which has what is said of the whole series."""
        if name not in self._values:
            self._values[name] = self._rows.column(name)[0].as_py()
        return self._values[name]

    def _required(self, name: str) -> Any:
        """The same of a column that a scan fills in for every series."""
        value = self._value(name)
        if value is None or self._value("position") != 0:
            self._fail_invalid()
        return value

    @cached_property
    def _kept(self) -> pa.Table:
        """The rows of slices that are loaded: those set aside stand behind them."""
        position = self._rows.column("position").to_numpy()
        return self._rows.slice(0, int(np.count_nonzero(position >= 0)))

    @cached_property
    def _files(self) -> FrameFiles:
        """The file of each frame that is loaded."""
        return FrameFiles(self.key, self._kept, self._header.roots)

    @cached_property
    def _paths(self) -> list[str]:
        """The file of each row."""
        paths = full_paths(self._rows, self._header.roots)
        return [os.fsdecode(path) for path in paths.to_pylist()]

    @cached_property
    def _defects(self) -> list[DefectRow]:
        try:
            return defects_from_json(self._required("defects"), self._header.roots.prefixes())
        except (ValueError, KeyError, TypeError, IndexError):
            self._fail_invalid()

    def _fail_invalid(self) -> NoReturn:
        key = self._rows.column("series_key")[0].as_py()
        fail_invalid(f"The index is damaged: what it has of series {key} can't be read", None)

    def _attribute(self, name: str) -> object:
        """An attribute of the first slice, None where absent; texts of the core are decoded."""
        value = self._value(name)
        if isinstance(value, list):
            return tuple(value)
        if name not in _CORE_NAMES or not isinstance(value, str):
            return value
        try:
            charset = (self._value("SpecificCharacterSet") or "").encode("latin-1")
            raw = value.encode("latin-1")
        except UnicodeEncodeError:  # no text of the core is like that
            self._fail_invalid()
        return decode_text(raw, charset.decode("ascii", "replace")).strip(PADDING) or None

    def _known(self) -> _native.Listed:
        """What a load needs to know of the series."""
        metadata = dict(self.metadata)
        # For its warning about patients on four legs, which has no place in a listing.
        orientation = str(metadata.get("AnatomicalOrientationType", ""))
        typed_metadata({"AnatomicalOrientationType": orientation}, self._paths[0])
        context = [defect for defect in self._defects if _is_about_siblings(defect)]
        return _native.Listed(self._core(), self.key, context, metadata)

    def _core(self) -> dict[str, Any]:
        """The records of all its files; kept for the loads to come of few slices each."""
        known: dict[str, Any] | None = self.__dict__.get("_records")
        if known is None:
            known = self._records_of_files()
            if self._rows.num_rows <= _MOST_ROWS_KEPT:
                self.__dict__["_records"] = known
                _keep_records(self)
        return known

    def _records_of_files(self) -> dict[str, Any]:
        paths, frames = full_paths(self._rows, self._header.roots), self._rows.column("frame")
        if not frames.to_numpy().any():  # a file a row, or a tile
            return core_of(self._rows, paths)
        keys = pa.table({"path": paths, "frame": frames})
        order = pc.sort_indices(keys, [("path", "ascending"), ("frame", "ascending")])
        return core_of(self._rows.take(order), paths.take(order))


def _keep_records(series: Series) -> None:
    """Forget those of the series that was the first to be kept, where they are too many."""
    _kept_series.append(weakref.ref(series))
    while len(_kept_series) > _MOST_SERIES_KEPT:
        try:
            oldest = _kept_series.popleft()()
        except IndexError:  # another thread was faster
            return
        if oldest is not None:
            oldest.__dict__.pop("_records", None)


def load_checked(series: Series, options: dict[str, Any]) -> Volume:
    """Load a series with what `load_options` gives: a `Finish` may be among it."""
    return _native.load_rows(series._known(), **options)  # noqa: SLF001 - of this module


def count_missing_files(series: Series) -> int:
    """How many files its concatenations lack: parts of them may be other series of the index."""
    defects = [one for one in series._defects if _is_about_files(one)]  # noqa: SLF001 - of this module
    return sum(int(measured["missing"]) for *_, measured in defects)


def _is_about_siblings(defect: DefectRow) -> bool:
    """Whether a defect follows from other parts too."""
    return defect[0] in _ABOUT_SIBLINGS or _is_about_files(defect)


def _is_about_files(defect: DefectRow) -> bool:
    """Whether files are missing that were one with those there: no slices show where."""
    code, _, slices, *_ = defect
    return code == "missing_slices" and not slices
