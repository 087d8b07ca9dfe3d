"""How often an answer is wrong, from pairs of answers about the same person."""

from dataclasses import dataclass

from scipy.stats import beta

from pipelines.warehouse import Warehouse

LEVEL = 0.95


@dataclass(frozen=True)
class Error:
    """The share of wrong answers and its interval, 0 to ½; the pairs compared and those that disagree."""

    valeur: float
    bas: float
    haut: float
    paires: int
    discordances: int


def error_rate(warehouse: Warehouse) -> Error | None:
    """Wrong answers among all, from repeated verifications and partners that contradict each other.

    Two independent readings, each wrong with probability e, disagree with probability d = 2e(1 − e). Jeffreys
    interval on d. None when nobody was verified twice.
    """
    rows = warehouse.query_file("core/echantillon_discordances")
    pairs, disagreed = int(rows["paires"].sum()), int(rows["discordances"].sum())
    if not pairs:
        return None
    tails = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
    low, high = (float(q) for q in beta.ppf(tails, disagreed + 0.5, pairs - disagreed + 0.5))
    return Error(_wrong(disagreed / pairs), _wrong(low), _wrong(high), pairs, disagreed)


def _wrong(disagreement: float) -> float:
    return float((1 - max(1 - 2 * disagreement, 0.0) ** 0.5) / 2)
