"""`target=`: what a series is to be learned as."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from torchdicom._series import Series


class Targets:
    """The target of each series: asked when it is needed, or looked up once."""

    def __init__(self, target: object, used: Sequence[Series], known: Iterable[str]) -> None:
        """Look everything up that is there already.

        Args:
            target: A callable, a mapping, a pandas Series, or (table, column).
            used: The series that need one.
            known: The keys of all series of the source, also of those that are not used.

        Raises:
            TypeError: If it is nothing of that kind.
            ValueError: If a series has none, or several.
        """
        self._call: Callable[[Series], Any] | None = None
        self._values: dict[str, Any] = {}
        # A DataFrame is callable in no version of pandas, a Mapping may be.
        if callable(target) and not isinstance(target, Mapping):
            self._call = target
            return
        values = _mapping_of(target)
        parts = Counter(key.partition("#")[0] for key in set(known))
        for series in used:
            self._values[series.key] = as_tensor(_looked_up(values, series, parts))

    def of(self, series: Series) -> Any:
        """The target of a series.

        Raises:
            RuntimeError: If the callable failed; its cause is what it raised.
            ValueError: If it gave None.
        """
        if self._call is None:
            return self._values[series.key]
        found = call_naming("target", self._call, series)
        if found is None:
            msg = f"target= gave None for series {series.key}"
            raise ValueError(msg)
        return as_tensor(found)


def call_naming(name: str, function: Callable[[Any], Any], series: Series) -> Any:
    """What a callable of the user gives for a series.

    Raises:
        RuntimeError: If it failed, with the key of the series; its cause is what it raised.
    """
    try:
        return function(series)
    except Exception as error:
        msg = f"{name}= failed for series {series.key}: {type(error).__name__}: {error}"
        # Were it an error about a file, quarantine would take a mistake in code for a bad file.
        raise RuntimeError(msg) from error


def as_tensor(value: Any) -> Any:
    """Numbers as tensors without dims, which collate stacks; anything else as it is."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    if isinstance(value, (bool, int, float)):
        return torch.tensor(value)
    return value


def _looked_up(values: Mapping[str, Any], series: Series, parts: Mapping[str, int]) -> Any:
    key, uid = series.key, series.series_instance_uid
    found = values.get(key)
    if found is None and uid in values and uid != key:
        if parts[uid] > 1:
            msg = (
                f"target has a value for SeriesInstanceUID {uid}, which is {parts[uid]} series: "
                f"name them by their keys, such as {key!r}"
            )
            raise ValueError(msg)
        found = values[uid]
    if _is_nothing(found):
        msg = f"target has no value for series {key}"
        raise ValueError(msg)
    return found


def _is_nothing(value: Any) -> bool:
    """Whether it is None, or what tables say instead: NaN, NaT or pandas' NA."""
    if value is None or type(value).__name__ == "NAType":
        return True
    if isinstance(value, (float, np.generic)) or type(value).__name__ == "NaTType":
        return bool(value != value)  # noqa: PLR0124 - so are NaN and NaT alone
    return False


def _mapping_of(target: object) -> Mapping[str, Any]:
    """A mapping by key from whatever tables there are."""
    if isinstance(target, Mapping):
        return target
    if isinstance(target, tuple) and len(target) == 2 and isinstance(target[1], str):
        return _column_of(*target)
    if hasattr(target, "index") and hasattr(target, "items") and not hasattr(target, "columns"):
        return _unique(target.items())  # a pandas Series
    msg = (
        "target must be a callable, a mapping by series key, a pandas Series whose index is the "
        f"key, or (table, 'column') of pandas or pyarrow, not {type(target).__name__}"
    )
    raise TypeError(msg)


def _column_of(table: Any, column: str) -> Mapping[str, Any]:
    if hasattr(table, "column_names"):  # pyarrow
        names = list(table.column_names)
        _check_column(column, names)
        if "series" not in names:
            msg = f"the table of target has no column 'series' with the keys, only {names}"
            raise ValueError(msg)
        keys, values = (table.column(name).to_pylist() for name in ("series", column))
        return _unique(zip(keys, values, strict=True))
    if hasattr(table, "columns") and hasattr(table, "index"):  # pandas
        names = list(table.columns)
        _check_column(column, names)
        keys = table["series"] if "series" in names else table.index
        return _unique(zip(keys, table[column], strict=True))
    msg = (
        f"target has a table that is neither of pandas nor of pyarrow, but "
        f"{type(table).__module__}.{type(table).__name__}; most have to_arrow() or to_pandas()"
    )
    raise TypeError(msg)


def _check_column(column: str, names: Sequence[object]) -> None:
    if column not in names:
        msg = f"the table of target has no column {column!r}, only {list(names)}"
        raise ValueError(msg)


def _unique(pairs: Iterable[tuple[Any, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in pairs:
        if key in values:
            msg = f"the table of target has more than one row for series {key}"
            raise ValueError(msg)
        values[key] = value
    return values
