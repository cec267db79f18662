"""The results page, its plots, and the README's table, from the JSON alone.

`make bench` ends with this. The words around the tables are in `page.md`, where a line such as
`{results volume}` or `{traps}` stands for a table. A section whose answers are not there is left
out.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks import epoch_page, report, tables, traps_page
from benchmarks.questions import QUESTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HERE: Final = Path(__file__).resolve().parent
PAGE: Final = HERE / "README.md"
README: Final = HERE.parent / "README.md"
_TEMPLATE: Final = HERE / "page.md"
_EPOCHS: Final = {f"epoch_{of}": of for of in ("volumes", "images", "patches")}
_PLACEHOLDER: Final = re.compile(r"^\{(\w+)(?: (\w+))?\}$", re.MULTILINE)
_SECTION: Final = re.compile(r"^(?=## )", re.MULTILINE)


def _question(name: str) -> str:
    return f"{QUESTIONS[name].text}\n\n![{QUESTIONS[name].title}](plots/{name}.svg)"


def _machine(name: str) -> str:
    """Where and when an answer was got."""
    answer = tables.read(report.RESULTS, name)
    machine = answer["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in answer["versions"].items())
    return (
        f"{machine['processor']}, {machine['cpus']} processors, {machine['system']}, Python "
        f"{machine['python']}; {answer['date'][:10]}, commit {answer['commit']}.\n\n{versions}."
    )


_PARTS: Final[Mapping[str, Callable[[str], str]]] = {
    "machine": _machine,
    "question": _question,
    "bars": lambda name: tables.bars(tables.read(report.RESULTS, name)),
    "results": lambda name: tables.results(tables.read(report.RESULTS, name)["rows"]),
    "traps": lambda name: traps_page.page(tables.read(report.RESULTS, name)),
    "costs": lambda name: epoch_page.costs(tables.read(report.RESULTS, name)["rows"]),
    "profile": lambda name: epoch_page.profile(tables.read(report.RESULTS, name)["rows"]),
    "slower": lambda name: tables.slower(tables.read(report.RESULTS, name)["rows"]),
}


def page() -> str:
    """The results page."""
    template = _TEMPLATE.read_text(encoding="utf-8")
    note = "<!-- Rendered by benchmarks/render.py from page.md and results/*.json. -->\n"
    return note + "".join(rendered(part) for part in _SECTION.split(template) if is_answered(part))


def is_answered(section: str) -> bool:
    """Whether all the answers that it shows are there."""
    names = {found[2] or found[1] for found in _PLACEHOLDER.finditer(section)}
    return all((report.RESULTS / f"{name}.json").is_file() for name in names)


def answered() -> list[str]:
    """The questions whose answers are there."""
    return [name for name in QUESTIONS if (report.RESULTS / f"{name}.json").is_file()]


def rendered(template: str) -> str:
    """The text with a table in each of its places."""
    return _PLACEHOLDER.sub(lambda found: _PARTS[found[1]](found[2] or found[1]), template)


def readme(text: str) -> str:
    """The README with its tables made anew; that of training appears with its answers."""
    text = _marked(text, "benchmarks", tables.readme(tables.read(report.RESULTS, "volume")))
    if not set(_EPOCHS) <= set(answered()):
        return text
    answers = {of: tables.read(report.RESULTS, name) for name, of in _EPOCHS.items()}
    text = _marked(text, "switch", epoch_page.switch(answers["volumes"]["rows"]))
    return _marked(text, "training", epoch_page.readme(answers))


def _marked(text: str, mark: str, table: str) -> str:
    """The text with a table in the place of that name."""
    begin, end = f"<!-- {mark} -->\n", f"<!-- /{mark} -->"
    place = re.compile(f"(?<={begin}).*?(?={end})", re.DOTALL)
    rendered, count = place.subn(lambda _: table + "\n", text)
    if count != 1:
        msg = f"{README} has {count} places for the table of {mark} instead of one"
        raise ValueError(msg)
    return rendered


def main() -> None:
    """Write all of it."""
    from benchmarks import plots  # noqa: PLC0415 - matplotlib only where plots are made

    PAGE.write_text(page(), encoding="utf-8")
    README.write_text(readme(README.read_text(encoding="utf-8")), encoding="utf-8")
    for name in answered():
        answer: dict[str, Any] = tables.read(report.RESULTS, name)
        plots.draw(QUESTIONS[name].title, answer["rows"], plots.FOLDER / f"{name}.svg")


if __name__ == "__main__":
    main()
