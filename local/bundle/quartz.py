"""Quartz cron expressions, as jobs and alerts are scheduled by them.

Source: Quartz 2.3, "Cron Triggers" and class CronExpression.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
FORM = "seconds minutes hours day-of-month month day-of-week [year], such as 0 0/15 * * * ?"


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    low: int
    high: int
    names: list[str] = field(default_factory=list)  # words for its numbers, from `low` on
    special: str = r"(?!)"  # what else it may say, as a pattern
    wraps: bool = True  # a range may go past the end: 22-2, FRI-MON

    def complaint(self, text: str) -> str | None:
        """Say what is wrong with the field; None if nothing is."""
        for part in text.split(","):
            if re.fullmatch(self.special, part):
                continue
            base, slash, step = part.partition("/")
            if slash and not (step.isdecimal() and 1 <= int(step) <= self.high):
                return f"{self.name} has the step {step!r}, allowed is 1 to {self.high}"
            if base == "*" or (slash and not base):
                continue
            ends = base.split("-")
            numbers = [self._number(end) for end in ends]
            if len(ends) > 2 or None in numbers:  # noqa: PLR2004  # a range has two ends
                return f"{self.name} says {part!r}, allowed is {self._allowed()}"
            if not self.wraps and numbers != sorted(number for number in numbers if number is not None):
                return f"{self.name} says {part!r}, a range that runs backwards"
        return None

    def _number(self, text: str) -> int | None:
        if text.upper() in self.names:
            return self.low + self.names.index(text.upper())
        return int(text) if text.isdecimal() and self.low <= int(text) <= self.high else None

    def _allowed(self) -> str:
        words = f" or {self.names[0]} to {self.names[-1]}" if self.names else ""
        return f"{self.low} to {self.high}{words}, *, a range, a list or a step"


_DAY_OF_MONTH = _Field("day of month", 1, 31, special=r"L(-([1-9]|[12]\d|30))?W?|([1-9]|[12]\d|3[01])W")
_DAY_OF_WEEK = _Field("day of week", 1, 7, _DAYS, special=rf"L|([1-7]|(?i:{'|'.join(_DAYS)}))(L|#[1-5])")
_FIELDS = (
    _Field("seconds", 0, 59),
    _Field("minutes", 0, 59),
    _Field("hours", 0, 23),
    _DAY_OF_MONTH,
    _Field("month", 1, 12, _MONTHS),
    _DAY_OF_WEEK,
    _Field("year", 1970, 2099, wraps=False),
)


def complaint(expression: str) -> str | None:
    """Say what is wrong with a cron expression; None if nothing is."""
    texts = expression.split()
    if len(texts) not in (len(_FIELDS) - 1, len(_FIELDS)):
        return f"it has {len(texts)} fields, allowed are 6 or 7"
    if [texts[3], texts[5]].count("?") != 1:
        return "exactly one of day of month and day of week must be ?"
    for each, text in zip(_FIELDS, texts, strict=False):
        if text == "?" and each in (_DAY_OF_MONTH, _DAY_OF_WEEK):
            continue
        if wrong := each.complaint(text):
            return wrong
    return None
