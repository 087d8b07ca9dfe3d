"""Code lists of the contract, as data: valid codes, their French labels, the fixes that are safe.

Source: nomenclatures of the monthly CNAF–Département flows (labels as the départements' RSA software shows
them; "libellé non public" where none was found), and the contract for its own lists. An unknown code is
never an error: it is kept, counted and reported.
"""

import csv
from dataclasses import dataclass, field
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class Nomenclature:
    """A code list: ``codes`` maps each valid code to its French label."""

    name: str
    codes: dict[str, str] = field(hash=False)

    @property
    def width(self) -> int | None:
        """Number of characters when every code has the same and one starts with 0, else None.

        A spreadsheet that ate the leading zeros (``1`` for ``001``) is then repaired without a doubt.
        """
        widths = {len(code) for code in self.codes}
        if len(widths) == 1 and any(code.startswith("0") for code in self.codes):
            return widths.pop()
        return None


@cache
def all_lists() -> dict[str, Nomenclature]:
    """Every code list, by name."""
    labels: dict[str, dict[str, str]] = {}
    source = resources.files("schemas").joinpath("nomenclatures.csv")
    for row in csv.DictReader(source.read_text(encoding="utf-8").splitlines()):
        labels.setdefault(row["liste"], {})[row["code"]] = row["libelle"]
    return {name: Nomenclature(name, codes) for name, codes in labels.items()}


def nomenclature(name: str) -> Nomenclature:
    """The code list of this name. Raises :class:`KeyError` when there is none."""
    return all_lists()[name]


def codes(name: str) -> list[str]:
    """Valid codes of a list, in the order of the nomenclature."""
    return list(nomenclature(name).codes)


def label(name: str, code: str) -> str:
    """French label of a code; the code itself when the list does not know it."""
    return nomenclature(name).codes.get(code, code)


COUPLE_SITFAM = ("MAR", "PAC", "RPA", "RVC", "RVM", "VIM")
"""Family situations of a couple; all others are persons alone (CNAF, SITFAM)."""
