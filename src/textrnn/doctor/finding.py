"""What a check says, and how it is written down."""

import textwrap
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

Severity = Literal["problem", "warning", "note", "fine"]
SEVERITIES: tuple[Severity, ...] = ("problem", "warning", "note", "fine")
"""What should be put right, what may cost accuracy, what should be known, and what was looked at and is well."""
WIDTH = 110


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    check: str
    """Which check, by its name in `CHECKS`."""
    severity: Severity
    message: str
    """What was found, in one or two sentences with its figures."""
    advice: str = ""
    """What to do, and which setting to change; empty where nothing is to be done."""
    numbers: dict[str, Any] = {}
    """The figures behind it, by name; shares are 0 to 1."""


def sorted_by_severity(findings: Sequence[Finding]) -> list[Finding]:
    """The worst first; among equals in the order in which they came."""
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def to_text(findings: Sequence[Finding]) -> str:
    """For a terminal."""
    lines = []
    for finding in findings:
        head = f"{finding.severity:8} {finding.check}: "
        lines += textwrap.wrap(head + finding.message, WIDTH, subsequent_indent=" " * 9, break_on_hyphens=False)
        if finding.advice:
            indent = " " * 9 + "-> "
            lines += textwrap.wrap(
                finding.advice, WIDTH, initial_indent=indent, subsequent_indent=" " * 12, break_on_hyphens=False
            )
    counts = {severity: sum(one.severity == severity for one in findings) for severity in SEVERITIES}
    words = {"problem": "problems", "warning": "warnings", "note": "notes", "fine": "checks without a finding"}
    summary = ", ".join(f"{counts[severity]} {words[severity]}" for severity in SEVERITIES)
    return "\n".join([*lines, "", summary])


def to_json(findings: Sequence[Finding]) -> bytes:
    """For programs."""
    return msgspec.json.format(msgspec.json.encode({"findings": findings})) + b"\n"


def percent(share: float) -> str:
    """A share as it is read: no tiny one looks like none."""
    return "0 %" if share == 0 else "under 0.1 %" if share < 0.001 else f"{100 * share:.1f} %"


def some(words: Sequence[str], most: int = 8) -> str:
    """The first of many."""
    quoted = [repr(word[:60]) for word in words[:most]]
    return ", ".join(quoted) + (f" and {len(words) - most} more" if len(words) > most else "")
