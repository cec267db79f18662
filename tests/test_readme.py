"""Every example of the README runs and prints what stands under it."""

from __future__ import annotations

import contextlib
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from helpers import ROOT

if TYPE_CHECKING:
    import pytest

README = ROOT / "README.md"


@dataclass(frozen=True)
class Block:
    """A python block, and the text block that follows it directly, if one does."""

    line: int
    code: str
    expected: str | None


def blocks() -> list[Block]:
    text = README.read_text() if README.is_file() else ""
    pattern = r"^```python\n(?P<code>.*?)^```\n(?:\s*^```text\n(?P<text>.*?)^```\n)?"
    found = re.finditer(pattern, text, re.DOTALL | re.MULTILINE)
    return [Block(text.count("\n", 0, m.start()) + 2, m["code"], m["text"]) for m in found]


def run(block: Block, names: dict[str, Any]) -> str:
    """What the block prints; an error shows as the last line of its traceback."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(block.code, f"README.md:{block.line}", "exec"), names)
        except Exception as error:  # noqa: BLE001 - shown as the interpreter shows it
            kind = type(error)
            name = (
                kind.__name__
                if kind.__module__ == "builtins"
                else f"{kind.__module__}.{kind.__name__}"
            )
            print(f"{name}: {error}")  # noqa: T201 - into the block's own output
    return printed.getvalue()


def same_but_for_space(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def test_readme_has_examples() -> None:
    assert len(blocks()) >= 2
    assert any(block.expected for block in blocks())


def test_examples_print_what_the_page_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {"__name__": "readme"}
    for block in blocks():
        actual, expected = run(block, names), block.expected or ""
        assert same_but_for_space(actual) == same_but_for_space(expected), f"line {block.line}"


def test_pydicom_loop_is_the_one_that_is_measured() -> None:
    loops = [block.code.strip() for block in blocks() if "dcmread(" in block.code]
    contenders = (ROOT / "benchmarks" / "contenders" / "pydicom_loop.py").read_text()
    assert loops, "the README shows no pydicom loop"
    for loop in loops:
        function = loop[loop.index("def ") :]
        assert function in contenders
