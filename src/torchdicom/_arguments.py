"""What `load`, `decode` and `read_header` accept: each argument checked, in the backends' form."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex, TypeGuard

import numpy as np
import torch

from torchdicom import _ext
from torchdicom._finish import Finish
from torchdicom._policy import Policy
from torchdicom._threads import check_num_threads, get_num_threads
from torchdicom._window import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    File = str | os.PathLike[str] | bytes | bytearray | memoryview
    Source = File | Sequence[File]
    Slices = SupportsIndex | slice | Iterable[SupportsIndex]

Output = Literal["stored", "modality", "real_world", "suv", "philips_fp", "window"]
Backend = Literal["native", "reference"]

OUTPUTS = ("stored", "modality", "real_world", "suv", "philips_fp", "window")
# Quotients of what a file says, which are integers by chance at most.
BETWEEN_INTEGERS = frozenset({"suv", "philips_fp", "window"})
_BACKENDS = ("native", "reference")
_MOST_REDUCED = 8  # 2^8 pixels along an edge become one
_END = 2**63  # what the core counts in
_DTYPES = (
    *(torch.uint8, torch.int8, torch.int16, torch.uint16, torch.int32, torch.int64),
    *(torch.float16, torch.bfloat16, torch.float32, torch.float64),
)
_FLOATS = frozenset({torch.float16, torch.bfloat16, torch.float32, torch.float64})


def load_options(
    *,
    policy: object = None,
    slices: object = None,
    t: object = None,
    mask: object = False,
    **of_frames: Any,
) -> dict[str, Any]:
    """The options of a load, checked, as the keyword arguments that either backend takes.

    Args:
        policy: Of `load` alone, like the next three.
        slices: Which are wanted.
        t: Which times are wanted.
        mask: Whether one is wanted.
        **of_frames: All that `frame_options` takes.

    Raises:
        TypeError: If an argument is of another type than it may be.
        ValueError: If its value is none of the allowed ones.
    """
    return {
        **frame_options(**of_frames),
        "policy": _policy(policy),
        "slices": _places("slices", slices),
        "t": _places("t", t),
        "mask": _mask(mask),
    }


def frame_options(
    *,
    output: object = "modality",
    dtype: object = None,
    region: object = None,
    reduce: object = 0,
    codec: object = None,
    rwvm: object = None,
    out: object = None,
    num_threads: int | None = None,
    finish: Finish | None = None,
) -> dict[str, Any]:
    """Those that `decode` has too.

    An output that is a window is part of `finish` in what comes back, and so is what a dataset adds
    to it.
    """
    chosen, finish = _with_window(output, finish)
    options: dict[str, Any] = {
        "output": chosen,
        "finish": finish,
        "dtype": check_dtype(dtype),
        "region": _region(region),
        "reduce": check_reduce(reduce),
        "codec": _codec(codec),
        "rwvm": _rwvm(rwvm, chosen),
        "out": check_out(out),
        "num_threads": check_threads(num_threads),
    }
    if finish is not None or chosen in BETWEEN_INTEGERS:
        _check_floats(output, options["dtype"], options["out"])
    return options


def check_backend(backend: str) -> str:
    """One of the backends."""
    return _one_of("backend", backend, _BACKENDS)


def check_source(source: object) -> str | bytes:
    """One file: its path or its bytes."""
    if isinstance(source, (str, os.PathLike)):
        return os.fsdecode(source)
    if isinstance(source, bytes):
        return source
    if isinstance(source, (bytearray, memoryview)):
        return bytes(source)
    msg = f"source must be a path or bytes, not {type(source).__name__}"
    raise TypeError(msg)


def check_sources(source: object) -> list[str | bytes]:
    """All that a load is made of, as a list."""
    if isinstance(source, (list, tuple)):
        if not source:
            msg = "source is an empty list: name at least one file or folder"
            raise ValueError(msg)
        return [check_source(one) for one in source]
    return [check_source(source)]


def check_series(series: object) -> str | None:
    """The key of a series, or its SeriesInstanceUID."""
    if series is None or isinstance(series, str):
        return series
    msg = f"series must be the key of a series, a str, not {type(series).__name__}"
    raise TypeError(msg)


def check_frames(frames: Iterable[int] | None) -> list[int] | None:
    """Frames one by one."""
    if frames is None:
        return None
    if isinstance(frames, int):
        msg = f"frames must be a list of int, not an int: frames=[{frames}]"
        raise TypeError(msg)
    return _positions("frame", frames)


def check_dtype(dtype: object) -> torch.dtype | None:
    """A dtype that results have."""
    if dtype is None or dtype in _DTYPES:
        return dtype
    allowed = ", ".join(str(one).removeprefix("torch.") for one in _DTYPES)
    msg = f"dtype must be a torch dtype of {allowed}, not {dtype!r}"
    raise ValueError(msg) if isinstance(dtype, torch.dtype) else TypeError(msg)


def check_threads(num_threads: int | None) -> int:
    """A number of threads."""
    return get_num_threads() if num_threads is None else check_num_threads(num_threads)


def check_out(out: object) -> torch.Tensor | None:
    """Memory that can be filled, as a tensor."""
    if out is None:
        return None
    if isinstance(out, np.ndarray):
        out = _tensor_of(out)
    if not isinstance(out, torch.Tensor):
        msg = f"out must be a torch.Tensor or a NumPy array, not {type(out).__name__}"
        raise TypeError(msg)
    if out.dtype not in _DTYPES:
        msg = f"out is of {out.dtype}, which no result has"
        raise ValueError(msg)
    if out.device.type != "cpu":
        msg = f"out is on {out.device}: hand in a CPU tensor"
        raise ValueError(msg)
    if not out.is_contiguous():
        msg = "out is not contiguous: hand in out.contiguous()"
        raise ValueError(msg)
    if out.requires_grad:
        msg = "out requires grad: hand in out.detach()"
        raise ValueError(msg)
    return out


def _tensor_of(out: NDArray[Any]) -> torch.Tensor:
    if not out.flags.writeable:
        msg = "out is read-only: hand in an array that can be written to"
        raise ValueError(msg)
    if not out.flags.c_contiguous:
        msg = "out is not contiguous: hand in an array in C order"
        raise ValueError(msg)
    return torch.from_numpy(out)


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        msg = f"{name} must be one of {', '.join(map(repr, allowed))}, not {value!r}"
        raise ValueError(msg)
    return value


def _with_window(output: object, finish: Finish | None) -> tuple[str, Finish | None]:
    """The output that a window is of, and the finish with it."""
    if isinstance(output, Window):
        window: tuple[float, float] | Literal["file"] = (output.low, output.width)
    elif isinstance(output, str) and output == "window":
        window = "file"
    else:
        return _value_output(output, finish), finish
    if finish is None:
        return "modality", Finish(window=window)
    if finish.window is not None:
        msg = f"output={output!r} is a window already: there is none to give besides"
        raise ValueError(msg)
    return "modality", replace(finish, window=window)


def _value_output(output: object, finish: Finish | None) -> str:
    """An output that is none of the windows."""
    if not isinstance(output, str) or output not in OUTPUTS:
        allowed = ", ".join(map(repr, OUTPUTS))
        msg = f"output must be one of {allowed}, or a torchdicom.Window, not {output!r}"
        raise ValueError(msg)
    if output != "modality" and finish is not None and finish.window == "file":
        msg = f"the file's window is one of modality values, and output is {output!r}"
        raise ValueError(msg)
    return output


def _check_floats(output: object, dtype: torch.dtype | None, out: torch.Tensor | None) -> None:
    """Refuse integers for what is scaled, or made of several pixels."""
    for one in (dtype, None if out is None else out.dtype):
        if one is None or one in _FLOATS:
            continue
        is_between = isinstance(output, Window) or output in BETWEEN_INTEGERS
        what = f"output={output!r}" if is_between else "what is resized or scaled"
        name = str(one).removeprefix("torch.")
        msg = f"{what} has values between integers, and the dtype is {name}: ask for a float one"
        raise ValueError(msg)


def _policy(policy: object) -> Policy:
    if policy is None:
        return Policy()
    if not isinstance(policy, Policy):
        kind = policy.__name__ if isinstance(policy, type) else type(policy).__name__
        msg = f"policy must be a torchdicom.Policy, not {kind}"
        raise TypeError(msg)
    return policy


def _places(name: str, wanted: object) -> slice | list[int] | None:
    """Positions on an axis, those of the option `name`."""
    if wanted is None:
        return None
    if isinstance(wanted, slice):
        return _slice(name, wanted)
    what = name.removesuffix("s")
    if isinstance(wanted, SupportsIndex) and not isinstance(wanted, Iterable):
        return [_position(what, wanted)]
    if isinstance(wanted, (str, bytes)) or not isinstance(wanted, Iterable):
        kind = type(wanted).__name__
        msg = f"{name} must be an int, a slice, a range or a list of int, not {kind}"
        raise TypeError(msg)
    positions = _positions(what, wanted)
    if not positions:
        msg = f"{name} is empty: name at least one position"
        raise ValueError(msg)
    return positions


def _slice(name: str, wanted: slice) -> slice:
    """The slice in plain numbers that the core can count in: its ends may lie anywhere."""
    parts = [wanted.start, wanted.stop, wanted.step]
    for i, part in enumerate(parts):
        if part is None:
            continue
        if not _is_integer(part):
            msg = f"{name} must be a slice of integers, not of {type(part).__name__}"
            raise TypeError(msg)
        parts[i] = min(max(operator.index(part), -_END), _END - 1)
    if parts[2] == 0:
        msg = f"the step of {name} cannot be 0"
        raise ValueError(msg)
    return slice(*parts)


def _positions(what: str, values: Iterable[object]) -> list[int]:
    return [_position(what, value) for value in values]


def _position(what: str, value: object) -> int:
    if not _is_integer(value):
        msg = f"{what}s must hold integers, not {type(value).__name__}"
        raise TypeError(msg)
    number = operator.index(value)
    if not -_END <= number < _END:
        msg = f"{what} {number} is not there: nothing has so many"
        raise IndexError(msg)
    return number


def _region(region: object) -> tuple[int, int, int, int] | None:
    if region is None:
        return None
    wanted = "region must be four integers, (y0, y1, x0, x1)"
    if isinstance(region, (str, bytes)) or not isinstance(region, Iterable):
        msg = f"{wanted}, not {type(region).__name__}"
        raise TypeError(msg)
    values = list(region)
    if len(values) != 4:
        msg = f"{wanted}, not {len(values)} values"
        raise ValueError(msg)
    for value in values:
        if not _is_integer(value):
            msg = f"{wanted}, not {type(value).__name__}"
            raise TypeError(msg)
    # What is beyond the core's numbers is beyond any image, which the core says with its size.
    y0, y1, x0, x1 = (min(max(operator.index(value), -_END), _END - 1) for value in values)
    return y0, y1, x0, x1


def _is_integer(value: object) -> TypeGuard[SupportsIndex]:
    """Of any kind, and no bool; asked the slow way last, which a patch would feel."""
    if type(value) is int:
        return True
    return isinstance(value, SupportsIndex) and not isinstance(value, bool)


def check_reduce(reduce: object) -> int:
    """How often rows and columns are halved."""
    if not _is_integer(reduce):
        msg = f"reduce must be an int, not {type(reduce).__name__}"
        raise TypeError(msg)
    halvings = operator.index(reduce)
    if not 0 <= halvings <= _MOST_REDUCED:
        msg = f"reduce must be 0 to {_MOST_REDUCED}, not {halvings}"
        raise ValueError(msg)
    return halvings


def _codec(codec: object) -> str | None:
    if codec is None:
        return None
    if not isinstance(codec, str):
        msg = f"codec must be the name of a codec, a str, not {type(codec).__name__}"
        raise TypeError(msg)
    return _one_of("codec", codec, tuple(_ext.codec_names()))


def _rwvm(rwvm: object, output: str) -> str | None:
    if rwvm is None:
        return None
    if not isinstance(rwvm, str):
        msg = f"rwvm must be the label of a real-world value map, a str, not {type(rwvm).__name__}"
        raise TypeError(msg)
    if output != "real_world":
        msg = f"rwvm={rwvm!r} chooses a map for output='real_world', and output is {output!r}"
        raise ValueError(msg)
    return rwvm


def _mask(mask: object) -> bool:
    if isinstance(mask, (bool, np.bool_)):
        return bool(mask)
    msg = f"mask must be True or False, not {mask!r}"
    raise TypeError(msg)
