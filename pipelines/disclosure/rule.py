"""The publication rule: small cells, certain cells, and the cells that would give them back.

Règles de diffusion de la statistique publique (loi du 7 juin 1951): no cell under the threshold, no rate
that says what everyone in a group does, no hidden cell found again by subtraction from a published total.
"""

from dataclasses import dataclass
from itertools import groupby
from typing import Literal

Reason = Literal["", "seuil", "certitude", "complementaire", "detail"]


@dataclass(frozen=True)
class Thresholds:
    """Smallest published counts: people of any cell, and entitled households behind a rate."""

    seuil: int
    seuil_eligibles: int


@dataclass(frozen=True)
class Cell:
    """One rate of a partition: entitled households and those who do not take up."""

    code: str
    eligibles: float
    non_recourants: float
    est_diffusable: bool


def own_reason(cell: Cell, limits: Thresholds) -> Reason:
    """Why the cell alone may not be shown; empty when it may."""
    complement = cell.eligibles - cell.non_recourants
    if not cell.est_diffusable or cell.eligibles < limits.seuil_eligibles:
        return "seuil"
    if cell.non_recourants <= 0 or complement <= 0:
        return "certitude"
    return "seuil" if min(cell.non_recourants, complement) < limits.seuil else ""


def decide(cells: list[Cell], limits: Thresholds) -> dict[str, Reason]:
    """Reason of hiding of every cell of a partition whose total is published.

    Cells are hidden one after the other, the next smallest first, until what the total gives back is the
    sum of at least two cells, itself large enough to be published.
    """
    reasons = {cell.code: own_reason(cell, limits) for cell in cells}
    shown = sorted((c for c in cells if not reasons[c.code]), key=lambda c: (c.eligibles, c.code))
    while shown and _gives_back([c for c in cells if reasons[c.code]], limits):
        reasons[shown.pop(0).code] = "complementaire"
    return reasons


def _gives_back(hidden: list[Cell], limits: Thresholds) -> bool:
    """True when subtraction from the total would reveal a hidden cell, or a sum that is itself too small."""
    if not hidden:
        return False
    together = Cell(
        code="",
        eligibles=sum(cell.eligibles for cell in hidden),
        non_recourants=sum(cell.non_recourants for cell in hidden),
        est_diffusable=True,
    )
    is_alone = sum(cell.eligibles > 0 for cell in hidden) < 2
    return is_alone or own_reason(together, limits) != ""


def decide_counts(counts: dict[str, float], seuil: int) -> set[str]:
    """Names of the counts to hide in a partition of known total: the small ones, and company for them.

    The sum hidden is never small: one small count never stays alone.
    """
    hidden = {name for name, count in counts.items() if 0 < count < seuil}
    others = sorted((count, name) for name, count in counts.items() if count >= seuil)
    while hidden and others and sum(counts[name] for name in hidden) < seuil:
        hidden.add(others.pop(0)[1])
    return hidden


def partitions(groupes: list[str]) -> dict[str, str]:
    """The partition each group of a profile belongs to: its dimension, cut where another publishes its sums.

    ``chemin:*`` publishes the sums of ``etape:*``: never asked or refused, closed or declaration missing.
    ``age:50+`` beside ``age:50-64`` publishes both sides of fifty as totals: each side is then protected by
    itself, and ``age:50+`` is one of the two sides.
    """
    overlaps = "age:50+" in groupes and any(_starts_at(g) >= 50 for g in groupes if g != "age:50+")
    return {groupe: _partition(groupe, overlaps) for groupe in groupes}


SIDES = {
    "etape:jamais_demande": "chemin:primaire",
    "etape:refuse": "chemin:primaire",
    "etape:clos": "chemin:secondaire",
    "etape:declaration_manquante": "chemin:secondaire",
}
"""The path each step belongs to: a published path is the sum of its steps."""


def _partition(groupe: str, overlaps: bool) -> str:
    dimension = groupe.split(":")[0]
    if dimension == "etape":
        return f"etape, {SIDES[groupe]}"
    if dimension != "age" or not overlaps:
        return dimension
    if groupe == "age:50+":
        return "age, deux côtés"
    return "age, 50 et plus" if _starts_at(groupe) >= 50 else "age, moins de 50"


def _starts_at(groupe: str) -> int:
    dimension, _, band = groupe.partition(":")
    digits = "".join(character for character in band.split("-")[0] if character.isdigit())
    return int(digits) if dimension == "age" and digits and not band.startswith(("<", "-")) else 0


def by_partition(cells: list[Cell], partition_of: dict[str, str]) -> list[list[Cell]]:
    """The cells gathered by partition, in the order of the partitions' names."""
    ordered = sorted(cells, key=lambda cell: (partition_of[cell.code], cell.code))
    return [list(group) for _, group in groupby(ordered, key=lambda cell: partition_of[cell.code])]
