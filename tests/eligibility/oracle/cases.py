"""The YAML cases whose output is the RSA or the PPA, read from the source distribution."""

import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml
from openfisca_core.commons import eval_expression

ROOMS: Final = ("formulas/rsa", "formulas/ppa", "leximpact/2024/")
RIGHTS: Final = ("rsa", "ppa")


@dataclass(frozen=True)
class Case:
    """``expected``: euros per month by right and month (AAAA-MM); ``stated``: every output of the file."""

    name: str
    period: str
    situation: Mapping[str, Any]
    expected: Mapping[tuple[str, str], float]
    stated: Mapping[str, Any]
    absolute: float | None
    relative: float | None

    @property
    def months(self) -> list[str]:
        """Months of right the case speaks of, in order."""
        return sorted({month for _, month in self.expected})

    @property
    def states_everything(self) -> bool:
        """These files state every amount that is not nil; elsewhere, only what the case is about."""
        return self.name.startswith("leximpact")

    @property
    def is_shifted(self) -> bool:
        """True in the départements of the trial of 2024, whose reference quarter was already M-4..M-2."""
        return "'departement_experimentation_rsa': True" in str(self.situation)

    def allows(self, found: float, expected: float) -> bool:
        """Within the margin of the file, and the half cent our amounts are rounded to."""
        gap = abs(found - expected) - 0.005 - 1e-6
        if self.relative is not None and gap > abs(self.relative * expected):
            return False
        return self.relative is not None or gap <= (self.absolute or 0.0)


def cases(archive: Path) -> list[Case]:
    """Every case of the rooms of RSA and PPA that says what one of them is worth, in order."""
    with tarfile.open(archive) as opened:
        members = sorted((m for m in opened.getmembers() if _place(m.name)), key=lambda m: m.name)
        texts = [(_place(member.name), opened.extractfile(member)) for member in members]
        return [case for place, text in texts if text for case in _cases(place, text.read())]


def _place(name: str) -> str:
    """Path inside tests/ of a YAML file of the rooms, else ""."""
    place = name.partition("/tests/")[2]
    return place if place.startswith(ROOMS) and place.endswith((".yml", ".yaml")) else ""


def _cases(place: str, text: bytes) -> Iterator[Case]:
    if not any(f" {right}:".encode() in text for right in RIGHTS):
        return
    documents = yaml.load(text, yaml.CSafeLoader)
    for rank, document in enumerate(documents if isinstance(documents, list) else [documents], 1):
        stated = dict(_flat(document.get("output", {})))
        period = str(document["period"]).removeprefix("month:")
        expected = {
            (right, month): value
            for right in RIGHTS
            if right in stated
            for month, value in by_month(stated[right], period)
        }
        if expected:
            yield Case(
                f"{place} {rank}. {str(document.get('name', '')).strip()}",
                period,
                document["input"],
                expected,
                stated,
                document.get("absolute_error_margin"),
                document.get("relative_error_margin"),
            )


def _flat(outputs: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Outputs by variable, whatever the entities they are nested in (the first one of each wins)."""
    for name, value in reversed(outputs.items()):
        nested = isinstance(value, dict) and not all(str(key)[:2].isdigit() for key in value)
        yield from _flat(value) if nested else [(str(name), value)]


def by_month(value: Any, period: str) -> list[tuple[str, float]]:
    """(month, euros) of an output, written for one period or by period; a value of a year is left out."""
    dated = value if isinstance(value, dict) else {period: value}
    return [(str(month), _euros(one)) for month, one in dated.items() if len(str(month)) == 7]


def _euros(written: Any) -> float:
    """An amount, an arithmetic expression, or a list of them (the first household)."""
    one = written[0] if isinstance(written, list) else written
    return float(np.asarray(eval_expression(str(one))))
