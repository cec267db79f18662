"""What could not be read, and which sample takes its place."""

from __future__ import annotations

import hashlib
import warnings
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from torchdicom._errors import DicomError, DicomWarning
from torchdicom._training._locks import ForkSafeLock

if TYPE_CHECKING:
    from collections.abc import Iterator

# A folder that is not mounted must not take hours to be found out.
_MOST_TRIED: Final = 100


class Quarantined(NamedTuple):
    """A series that is not used.

    Attributes:
        key: Its key.
        code: What is wrong, as in `DicomError.code`; ``"os_error"`` where the system refused.
        message: A sentence for people.
    """

    key: str
    code: str
    message: str


def quarantined_by(key: str, error: DicomError | OSError) -> Quarantined:
    """The series that an error was about."""
    if isinstance(error, DicomError):
        return Quarantined(key, error.code or "", str(error.args[0]))
    return Quarantined(key, "os_error", str(error))


def naming(key: str, error: DicomError | OSError) -> DicomError | OSError:
    """The same error, which names the series."""
    if not isinstance(error, DicomError):
        strerror = f"{error.strerror or error}, in series {key}"
        if error.errno is None:  # raised with words alone, as libraries do
            return type(error)(strerror)
        return type(error)(error.errno, strerror, error.filename)
    return type(error)(
        f"Series {key} can't be read: {error.args[0]}",
        code=error.code,
        path=error.path,
        element=error.element,
        offset=error.offset,
    )


def substitutes(seed: int, i: int, count: int) -> Iterator[int]:
    """The samples that are tried in the place of sample i of so many, one after the other.

    Which these are depends on nothing but the arguments, so that every rank and every worker takes
    the same ones; i is never among them, and none comes twice.
    """
    tried = {i}
    attempt = 0
    while len(tried) < min(count, _MOST_TRIED):
        digest = hashlib.blake2b(f"{seed},{i},{attempt}".encode(), digest_size=8).digest()
        attempt += 1
        j = (i + 1 + int.from_bytes(digest, "little") % (count - 1)) % count
        if j not in tried:
            tried.add(j)
            yield j


class Failures:
    """The samples that could not be read, in this process."""

    def __init__(self) -> None:
        """None yet."""
        self._lock = ForkSafeLock()
        self._by_sample: dict[int, tuple[int, Quarantined]] = {}
        self._warned: set[str] = set()

    def add(self, i: int, what: Quarantined, epoch: int) -> None:
        """Remember that sample i of an epoch can't be read; say so once for each series."""
        with self._lock:
            self._by_sample[i] = epoch, what
            is_new = what.key not in self._warned
            self._warned.add(what.key)
        if is_new:
            message = (
                f"Series {what.key} can't be read, and other samples take its place: "
                f"{what.message} [{what.code}]"
            )
            warnings.warn(message, DicomWarning, stacklevel=2)

    def has(self, i: int, epoch: int) -> bool:
        """Whether sample i of an epoch is known not to be readable."""
        known = self._by_sample.get(i)
        return known is not None and known[0] == epoch

    def to_dict(self) -> dict[int, Quarantined]:
        """By the number of the sample, ascending."""
        with self._lock:
            return {i: what for i, (_, what) in sorted(self._by_sample.items())}

    def __getstate__(self) -> dict[str, Any]:
        """What was found so far goes along to workers, the lock does not."""
        with self._lock:
            return {"_by_sample": dict(self._by_sample), "_warned": set(self._warned)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """With a lock of its own."""
        self.__dict__.update(state, _lock=ForkSafeLock())
