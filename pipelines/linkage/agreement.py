"""What two blind readers say of the links: their agreement, and the precision of the links made."""

from dataclasses import dataclass
from math import sqrt

import polars as pl
from scipy.special import betaincinv

from pipelines.linkage import review
from pipelines.linkage.classes import EVERYBODY
from pipelines.linkage.intervals import RISK, TWO_SIDED, Bounds
from pipelines.linkage.quality import SCHEMA
from pipelines.warehouse import Warehouse

MEASURE, QUALITY = "precision_relue", "out__qualite_appariement"
BY_WEIGHT = "poids"
"""Class of the rows by band of weight."""


@dataclass(frozen=True)
class Precision:
    """Of ``n`` links read in a band of ``liens``, the share that are right, and its interval."""

    bande: str
    liens: int
    n: int
    valeur: float
    bas: float
    haut: float


@dataclass(frozen=True)
class Kappa:
    """Cohen's kappa of two readers on ``n`` pairs, its interval, and the pairs they answered alike."""

    lecteurs: tuple[str, str]
    n: int
    accords: int
    valeur: float
    bas: float
    haut: float


def kappa(one: pl.Series, other: pl.Series, readers: tuple[str, str]) -> Kappa:
    """Cohen (1960), with his large-sample standard error; 1 when both always give one same answer."""
    n, agreed = one.len(), int((one == other).sum())
    shares = [{a: int((told == a).sum()) / n for a in review.ANSWERS} for told in (one, other)]
    by_chance = sum(shares[0][a] * shares[1][a] for a in review.ANSWERS)
    seen = agreed / n
    if by_chance >= 1:
        return Kappa(readers, n, agreed, 1.0, 1.0, 1.0)
    value = (seen - by_chance) / (1 - by_chance)
    half = TWO_SIDED * sqrt(seen * (1 - seen) / n) / (1 - by_chance)
    return Kappa(readers, n, agreed, value, max(-1.0, value - half), min(1.0, value + half))


def agreement(told: pl.DataFrame) -> Kappa | None:
    """Kappa of the first two readers in the order of their names; None when they share no pair."""
    names = told.filter(pl.col("lecteur") != review.REFEREE)["lecteur"].unique().sort().to_list()[:2]
    if len(names) < 2:
        return None
    one, other = (told.filter(lecteur=name).select("rang", "reponse") for name in names)
    both = one.join(other, on="rang", suffix="_d")
    return kappa(both["reponse"], both["reponse_d"], (names[0], names[1])) if both.height else None


def settled(told: pl.DataFrame) -> pl.DataFrame:
    """rang, reponse: the referee's answer, or the one all readers gave; else, not settled, a doubt."""
    by_pair = told.group_by("rang").agg(
        arbitre=pl.col("reponse").filter(pl.col("lecteur") == review.REFEREE).first(),
        une=pl.col("reponse").filter(pl.col("lecteur") != review.REFEREE).first(),
        plusieurs=pl.col("reponse").filter(pl.col("lecteur") != review.REFEREE).n_unique() > 1,
    )
    agreed = pl.when("plusieurs").then(pl.lit("d")).otherwise("une")
    return by_pair.select("rang", reponse=pl.coalesce("arbitre", agreed)).drop_nulls("reponse")


def precisions(drawn: pl.DataFrame, told: pl.DataFrame) -> list[Precision]:
    """By band of weight, then overall (``ensemble``): links right, weighted by the size of their stratum.

    Exact (Clopper–Pearson) intervals on the number of pairs that weigh as much (Kish); a doubt is wrong at
    the low end, right at the high end, half of each in the middle.
    """
    read = drawn.filter(pl.col("bande") != review.REFUSED).join(settled(told), on="rang")
    weighed = read.with_columns(poids=pl.col("n") / pl.len().over("source_g", "source_d", "bande"))
    sizes = _links(drawn)
    bands = [band for band in review.BANDS if band in set(weighed["bande"])]
    found = [_precision(weighed.filter(bande=band), band, sizes[band]) for band in bands]
    whole = [_precision(weighed, EVERYBODY, sum(sizes.values()))] if found else []
    return found + whole


def refused_judged_same(drawn: pl.DataFrame, told: pl.DataFrame) -> tuple[int, int]:
    """Pairs just refused that were read, and those of them judged one person."""
    read = drawn.filter(bande=review.REFUSED).join(settled(told), on="rang")
    return read.height, read.filter(reponse="o").height


def _links(drawn: pl.DataFrame) -> dict[str, int]:
    strata = drawn.filter(pl.col("bande") != review.REFUSED).unique(["source_g", "source_d", "bande"])
    return dict(strata.group_by("bande").agg(pl.col("n").sum()).rows())


def _precision(read: pl.DataFrame, band: str, links: int) -> Precision:
    total = float(read["poids"].sum())
    right, doubtful = (float(read.filter(reponse=a)["poids"].sum()) / total for a in ("o", "d"))
    effective = total**2 / float((read["poids"] ** 2).sum())
    low, high = clopper(right, effective)[0], clopper(right + doubtful, effective)[1]
    return Precision(band, links, read.height, right + doubtful / 2, low, high)


def clopper(share: float, trials: float) -> Bounds:
    """Clopper–Pearson interval of a share, ``trials`` being a whole number or an effective one."""
    hits, misses = share * trials, (1 - share) * trials
    low = float(betaincinv(hits, misses + 1, RISK / 2)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, misses, 1 - RISK / 2)) if misses > _NOTHING else 1.0
    return low, high


_NOTHING = 1e-9


def publish(warehouse: Warehouse) -> list[Precision]:
    """Put the precision found by the review of the present links in ``out__qualite_appariement``; return it.

    Nothing is said of links nobody read: a new linkage waits for its own review.
    """
    if not warehouse.exists(review.SAMPLE) or not warehouse.count("core__paires"):
        return []
    mark = review.linkage_mark(warehouse)
    drawn = warehouse.read(review.SAMPLE).filter(tirage=mark)
    found = precisions(drawn, review.answers(warehouse, mark))
    kept = warehouse.read(QUALITY).filter(pl.col("mesure") != MEASURE)
    rows = pl.DataFrame([_row(precision) for precision in found], schema=SCHEMA)
    warehouse.replace(QUALITY, pl.concat([kept, rows]))
    return found


def _row(found: Precision) -> dict[str, str | float | int | None]:
    whole = found.bande == EVERYBODY
    return {
        "mesure": MEASURE, "source_g": None, "source_d": None,
        "classe": EVERYBODY if whole else BY_WEIGHT, "modalite": found.bande,
        "valeur": found.valeur, "bas": found.bas, "haut": found.haut, "n": found.n,
    }  # fmt: skip
