"""The result of one check of a computer, and a table of many with what to do about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """Hold the result of one check.

    Attributes:
        name: What was looked at.
        status: "ok", "note" (worth knowing, nothing to do) or "fault" (has to be mended).
        found: What there is.
        wanted: What the course asks for; empty where it asks for nothing.
        mend: What to type or do about a fault.
    """

    name: str
    status: str
    found: str
    wanted: str = ""
    mend: str = ""


def format_table(checks: Sequence[Check]) -> str:
    """Write the results as a table, with the cures below it, each once.

    Args:
        checks: The results.

    Returns:
        The text, without a newline at its end.
    """
    rows = [("", "what", "found", "wanted")]
    rows += [
        (
            check.status.upper() if check.status == "fault" else check.status,
            check.name,
            check.found,
            check.wanted,
        )
        for check in checks
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "  ".join(row[column].ljust(widths[column]) for column in range(4)).rstrip() for row in rows
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    faults = [check for check in checks if check.status == "fault"]
    if not faults:
        return "\n".join([*lines, "", "No faults: you are ready for the lessons."])
    headline = f"{len(faults)} fault{'s' * (len(faults) > 1)}. What to do:"
    lines += ["", headline]
    names_by_cure: dict[str, list[str]] = {}
    for check in faults:
        names_by_cure.setdefault(check.mend, []).append(check.name)
    for number, (cure, names) in enumerate(names_by_cure.items(), start=1):
        lines.append(f"{number}. {', '.join(names)}")
        lines += [f"   {line}" for line in cure.splitlines()]
    return "\n".join(lines)
