"""The installed extension is hardened as its release flags promise, whoever linked it last.

Of the ELF file itself, since a flag that the compiler drops or the linker ignores leaves no trace
anywhere else. The layout is that of the System V ABI, chapters 4 and 5, for 64 bits.
"""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from torchdicom import _ext

PT_LOAD, PT_DYNAMIC, PT_GNU_STACK, PT_GNU_RELRO = 1, 2, 0x6474E551, 0x6474E552
DT_FLAGS, DT_FLAGS_1, DT_TEXTREL = 30, 0x6FFFFFFB, 22
DF_BIND_NOW, DF_1_NOW = 8, 1
SHT_DYNSYM, SHN_UNDEF = 11, 0
PF_X, PF_W = 1, 2


class Elf:
    """What a test asks of a 64-bit little-endian module."""

    def __init__(self, path: Path) -> None:
        self.content = path.read_bytes()
        assert self.content[:6] == b"\x7fELF\x02\x01"
        self.program_at, self.sections_at = struct.unpack_from("<QQ", self.content, 32)
        sizes = struct.unpack_from("<HHHH", self.content, 54)
        self.program_size, self.programs, self.section_size, self.sections = sizes

    def segments(self, kind: int) -> list[tuple[int, int, int]]:
        """(flags, offset, size in the file) of the segments of a kind."""
        found = []
        for i in range(self.programs):
            head = struct.unpack_from(
                "<IIQQQQ", self.content, self.program_at + i * self.program_size
            )
            if head[0] == kind:
                found.append((head[1], head[2], head[5]))
        return found

    def dynamic(self) -> dict[int, int]:
        """The entries of the dynamic section; of those that repeat, the last."""
        ((_, offset, size),) = self.segments(PT_DYNAMIC)
        return dict(struct.iter_unpack("<qQ", self.content[offset : offset + size]))

    def section(self, index: int) -> tuple[int, int, int, int]:
        """(type, offset, size, linked section) of a section."""
        head = struct.unpack_from(
            "<IIQQQQI", self.content, self.sections_at + index * self.section_size
        )
        return head[1], head[4], head[5], head[6]

    def imports(self) -> set[str]:
        """The names that the loader has to find elsewhere."""
        (table,) = (i for i in range(self.sections) if self.section(i)[0] == SHT_DYNSYM)
        _, offset, size, linked = self.section(table)
        names_at = self.section(linked)[1]
        found = set()
        for name, _, _, home, _, _ in struct.iter_unpack(
            "<IBBHQQ", self.content[offset : offset + size]
        ):
            if home == SHN_UNDEF and name:
                end = self.content.index(b"\0", names_at + name)
                found.add(self.content[names_at + name : end].decode())
        return found


@pytest.fixture(scope="module")
def module() -> Elf:
    assert _ext.__file__ is not None
    return Elf(Path(_ext.__file__))


def test_addresses_are_bound_at_once_and_then_read_only(module: Elf) -> None:
    assert len(module.segments(PT_GNU_RELRO)) == 1
    entries = module.dynamic()
    assert entries.get(DT_FLAGS, 0) & DF_BIND_NOW
    assert entries.get(DT_FLAGS_1, 0) & DF_1_NOW
    assert DT_TEXTREL not in entries


def test_nothing_is_both_writable_and_executable(module: Elf) -> None:
    ((stack, _, _),) = module.segments(PT_GNU_STACK)
    assert not stack & PF_X
    loaded = module.segments(PT_LOAD)
    assert loaded
    assert not [flags for flags, _, _ in loaded if flags & PF_X and flags & PF_W]


def test_stack_and_calls_of_the_c_library_are_checked(module: Elf) -> None:
    imports = module.imports()
    assert "__stack_chk_fail" in imports
    # Which calls are checked at run time is the compiler's affair; without the flag none is.
    assert [name for name in imports if name.startswith("__") and name.endswith("_chk")]
