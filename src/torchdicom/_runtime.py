"""What this build decodes, and the memory that it keeps."""

from __future__ import annotations

from dataclasses import dataclass

from torchdicom import _ext


@dataclass(frozen=True, slots=True)
class Codec:
    """Which library decodes a transfer syntax.

    Attributes:
        transfer_syntax_uid: The UID (PS3.6 Annex A).
        name: What PS3.6 calls it.
        library: What decodes it, or all but the frames that the first of `codecs` leaves to the
            next; None where it is not read.
        version: The library's version, None where it is not read.
        codecs: What ``codec=`` may name for it, the first choice first; the next is taken for
            frames that the first does not read: of lossy JPEG, libjpeg-turbo reads 8 bits, and 12
            bits in gray; 12 bits in colour are GDCM's alone. Empty where no codec is needed, as in
            native syntaxes, and where the syntax is not read.
    """

    transfer_syntax_uid: str
    name: str
    library: str | None
    version: str | None
    codecs: tuple[str, ...]


def codecs() -> tuple[Codec, ...]:
    """Which library and version decodes each transfer syntax in this build.

    Returns:
        A row for each transfer syntax that is known by name, those that are not read included.

    Example:
        >>> import torchdicom as td
        >>> [row.library for row in td.codecs() if row.name == "Explicit VR Little Endian"]
        ['torchdicom']
        >>> [row.codecs for row in td.codecs() if row.name == "JPEG Baseline (Process 1)"]
        [('libjpeg-turbo', 'gdcm')]
    """
    return tuple(
        Codec(uid, name, library or None, version or None, names)
        for uid, name, library, version, names in _ext.codec_table()
    )


def empty_pool() -> int:
    """Give the output memory that no tensor uses any more back to the system.

    Memory of a volume returns to a pool when the last tensor over it dies, since pages that were
    used before are filled two to four times as fast.

    Returns:
        The bytes that were given back.

    Example:
        >>> import torchdicom as td
        >>> td.empty_pool() >= 0
        True
    """
    return _ext.empty_pool()
