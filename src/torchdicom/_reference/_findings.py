"""What is found about a series: each an error that a policy may raise, say or pass over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from torchdicom._errors import DicomError, SeriesError
from torchdicom._policy import Policy
from torchdicom._reference._tags import element_name
from torchdicom._volume import Defect, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torchdicom._reference._header import FileHeader

_DEFAULT: Final = Policy()

# Of the errors that one file alone has, those that a policy can settle by a name of their own.
_OWN_CODES: Final = frozenset({"truncated_pixels", "frame_count_mismatch", "codestream_mismatch"})


@dataclass(frozen=True, slots=True)
class Finding:
    """A defect, with the error that it is where the policy says so.

    Attributes:
        code: What the policy is asked by.
        error: What is raised.
        slices: The positions in sorted order that are concerned.
        files: The files that are to blame.
        measured: The numbers behind it.
        is_refusal: No policy settles it.
    """

    code: str
    error: DicomError
    slices: tuple[int, ...] = ()
    files: tuple[str, ...] = ()
    measured: Mapping[str, float] = field(default_factory=dict)
    is_refusal: bool = False

    @property
    def defect(self) -> Defect:
        """What the verdict says of it."""
        message = str(self.error.args[0])
        # A file is to blame once, however many of its frames are.
        files = tuple(dict.fromkeys(self.files))
        return Defect(self.code, message, self.slices, files, dict(self.measured))


def series_error(code: str, text: str, file: FileHeader, keyword: str) -> SeriesError:
    """An error about an attribute of a file among others."""
    return SeriesError(text, code=code, path=file.path, element=element_name(keyword))


def refusal(error: DicomError, files: Sequence[FileHeader]) -> Finding:
    """What no policy settles."""
    paths = tuple(file.path for file in files)
    return Finding(error.code or "", error, files=paths, is_refusal=True)


def dropped(error: DicomError, path: str, policy: Policy) -> Finding:
    """A file that is left out because of its error.

    Raises:
        DicomError: The error itself, unless the policy is to drop such files.
    """
    code = error.code if error.code in _OWN_CODES else "unreadable_file"
    if policy.action(code) != "drop":
        raise error
    return Finding(code, error, files=(path,))


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    """All findings as data; ok is what the default policy would load."""
    findings = tuple(findings)
    is_ok = not any(one.is_refusal or _DEFAULT.action(one.code) == "raise" for one in findings)
    return Verdict(ok=is_ok, defects=tuple(one.defect for one in findings))


def apply_policy(findings: Iterable[Finding], policy: Policy) -> list[str]:
    """What to warn of.

    Raises:
        DicomError: The first finding that the policy does not let pass.
    """
    warnings = []
    for one in findings:
        action = "raise" if one.is_refusal else policy.action(one.code)
        if action == "fill" and not one.slices:
            raise _not_fillable(one)
        if action == "raise":
            raise one.error
        if action == "warn":
            warnings.append(str(one.error))
    return warnings


def _not_fillable(finding: Finding) -> DicomError:
    """The error of an object of which files are missing: no gap shows where."""
    error = finding.error
    text = f"{error.args[0]}; missing_slices='fill' cannot tell where their slices were"
    return SeriesError(
        text, code=finding.code, path=error.path, element=error.element, offset=error.offset
    )
