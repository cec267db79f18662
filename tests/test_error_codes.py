"""Every error code of the core has a test that produces it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import torchdicom as td
from helpers import CLASS_OF, PYTHON_CODES, ROOT

HERE = Path(__file__).parent

# What no test in Python can produce, each with the reason.
ELSEWHERE = {
    "internal_error": "a bug of ours; tests/cpp throws it by hand",
    "os_error": "becomes an OSError without a code: see test_missing_path",
}


def enumerated_codes() -> list[str]:
    text = (ROOT / "cpp" / "base" / "error.hpp").read_text()
    found = re.search(r"enum class ErrorCode[^{]*\{(.*?)\};", text, re.DOTALL)
    assert found is not None
    return re.findall(r"^\s*(\w+),", found[1], re.MULTILINE)


def strings_of_tests() -> set[str]:
    texts: set[str] = set()
    for path in [*HERE.glob("test_*.py"), *HERE.glob("builders_*.py")]:
        if path.name == Path(__file__).name:
            continue
        nodes = ast.walk(ast.parse(path.read_text()))
        texts |= {
            n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)
        }
    return texts


def test_every_code_is_produced() -> None:
    codes = PYTHON_CODES.union(enumerated_codes())
    missing = codes - strings_of_tests() - set(ELSEWHERE)
    assert not missing


def test_list_of_exceptions_is_not_stale() -> None:
    assert set(ELSEWHERE) <= set(enumerated_codes())


def test_every_code_has_a_class() -> None:
    assert set(enumerated_codes()) - set(ELSEWHERE) == set(CLASS_OF) - PYTHON_CODES
    assert all(issubclass(kind, td.DicomError) for kind in CLASS_OF.values())
