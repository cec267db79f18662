"""What is said where the library of a bridge is not installed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def needs(extra: str, *packages: str) -> Iterator[None]:
    """Around the imports of a bridge's library.

    Args:
        extra: The name of the bridge and of the extra that installs what it needs.
        packages: Top-level packages that the extra installs, where they have another name.

    Raises:
        ModuleNotFoundError: That names the extra, where one of them is not installed. What such a
            package does not find itself is raised as it is.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in (packages or (extra,)):
            raise
        msg = (
            f"torchdicom.interop.{extra} needs {missing}, which is not installed: "
            f"pip install 'torchdicom[{extra}]'"
        )
        raise ModuleNotFoundError(msg, name=missing) from None
