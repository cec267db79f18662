"""Ask all questions, or those named: `python -m benchmarks.run [question ...]`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from benchmarks import header, native_volume, peak_memory, report

if TYPE_CHECKING:
    from collections.abc import Callable

QUESTIONS: Final[dict[str, Callable[[], report.Answer]]] = {
    "native_volume": native_volume.ask,
    "peak_memory": peak_memory.ask,
    "header": header.ask,
}


def main() -> int:
    """Run, print and keep the answers.

    Returns:
        1 where a bar was missed.
    """
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("questions", nargs="*", metavar="question", help=", ".join(QUESTIONS))
    names: list[str] = parser.parse_args().questions or list(QUESTIONS)
    unknown = sorted(set(names) - set(QUESTIONS))
    if unknown:
        parser.error(f"no such question: {', '.join(unknown)}; there are {', '.join(QUESTIONS)}")
    answers = [QUESTIONS[name]() for name in names]
    for answer in answers:
        report.show(answer)
        report.save(answer)
    return 0 if all(answer.holds for answer in answers) else 1


if __name__ == "__main__":
    raise SystemExit(main())
