"""How good the linkage is, told without labels: out__qualite_appariement."""

from collections.abc import Iterator
from itertools import combinations
from math import comb, sqrt

import polars as pl
from scipy.special import gammaincinv

from pipelines.linkage.persons import Persons, gather
from pipelines.linkage.scoring import linkable, weight
from pipelines.linkage.sources import EVENTS, OPPOSITION, SOURCES

SCHEMA = {
    "mesure": pl.String,
    "source_g": pl.String,
    "source_d": pl.String,
    "valeur": pl.Float64,
    "bas": pl.Float64,
    "haut": pl.Float64,
    "n": pl.Int64,
}
_RISK = 0.05
_Z = 1.959964
_WORSE_WITHOUT_NIR = 2.0
"""How many times more often a pair without common NIR may be missed than one whose NIR was hidden."""
_LEAST_RECALL = 0.01
Row = dict[str, str | float | int | None]


def measure(
    everyone: pl.DataFrame, records: pl.DataFrame, pairs: pl.DataFrame, persons: Persons, threshold: float
) -> pl.DataFrame:
    """One row per measure and per source or couple of sources; intervals at 95 %.

    ``records``: fiche, source, jeton_nir. ``pairs``: scored pairs, inside sources too. Two estimators that
    need no label: links the model would make inside a source without duplicates are all wrong (rate of false
    links, Poisson); pairs of one NIR, scored as if the NIR were hidden, must come back (recall, Wilson). The
    second holds if NIRs are missing at random, which is doubtful.
    """
    crossing = pairs.filter(pl.col("source_g") != pl.col("source_d"))
    hidden = _without_nir(crossing, records["source"], threshold)
    names = [s.nom for s in SOURCES if s.nom in set(records["source"]) and s.nom != OPPOSITION]
    rows = [row for name in names for row in _about_source(name, everyone, records)]
    for left, right in combinations(names, 2):
        rows += _about_couple((left, right), records, pairs, persons, hidden, threshold)
    return pl.DataFrame(rows, schema=SCHEMA)


def _row(
    mesure: str,
    couple: tuple[str, str | None],
    valeur: float | None,
    n: int,
    bounds: tuple[float, float] | None = None,
) -> Row:
    low, high = bounds or (None, None)
    return {
        "mesure": mesure, "source_g": couple[0], "source_d": couple[1],
        "valeur": valeur, "bas": low, "haut": high, "n": n,
    }  # fmt: skip


def _about_source(name: str, everyone: pl.DataFrame, records: pl.DataFrame) -> list[Row]:
    own = records.filter(pl.col("source") == name)
    delivered = everyone.filter(pl.col("source") == name).height
    with_nir = own.height - own["jeton_nir"].null_count()
    return [
        _row("personnes", (name, None), own.height, delivered),
        _row("doublons_internes", (name, None), delivered - own.height, delivered),
        _row("part_avec_nir", (name, None), with_nir / max(own.height, 1), own.height),
    ]


def _about_couple(
    couple: tuple[str, str],
    records: pl.DataFrame,
    pairs: pl.DataFrame,
    persons: Persons,
    hidden: Persons,
    threshold: float,
) -> Iterator[Row]:
    sizes = [records.filter(pl.col("source") == name).height for name in couple]
    links = _links(couple, records, persons).height
    examined = _of_couple(pairs, couple)
    yield _row("paires_examinees", couple, examined.height, sizes[0] * sizes[1])
    yield _row("liens", couple, links, min(sizes))
    yield from _false_links(couple, sizes, links, pairs, threshold)
    yield from _with_nir_hidden(couple, records, persons, hidden)


def _links(couple: tuple[str, str], records: pl.DataFrame, persons: Persons) -> pl.DataFrame:
    """The linked records of two sources: their NIR tokens side by side."""
    known = records.select("source", "jeton_nir", personne=pl.Series(persons.personne))
    left, right = (known.filter(pl.col("source") == name).drop("source") for name in couple)
    return left.join(right, on="personne", suffix="_d")


def _of_couple(pairs: pl.DataFrame, couple: tuple[str, str]) -> pl.DataFrame:
    return pairs.filter(pl.col("source_g").is_in(couple) & pl.col("source_d").is_in(couple)).filter(
        pl.col("source_g") != pl.col("source_d")
    )


def _false_links(
    couple: tuple[str, str], sizes: list[int], links: int, pairs: pl.DataFrame, threshold: float
) -> Iterator[Row]:
    """Links inside the sources of the couple, carried over to the pairs of records best links leave free."""
    teaching = [name for name in couple if name not in EVENTS]
    own = pairs.filter((pl.col("source_g") == pl.col("source_d")) & pl.col("source_g").is_in(teaching))
    inside = linkable(own, "poids", weight(threshold)).height
    possible = sum(comb(size, 2) for name, size in zip(couple, sizes, strict=True) if name in teaching)
    if not possible or not links:
        return
    free = (sizes[0] - links) * (sizes[1] - links)
    for mesure, exposed in (("faux_liens_avant_choix", sizes[0] * sizes[1]), ("faux_liens", free)):
        scale = exposed / possible
        bounds = tuple(scale * bound for bound in _poisson(inside))
        yield _row(mesure, couple, scale * inside, inside, (bounds[0], bounds[1]))


def _poisson(count: float) -> tuple[float, float]:
    """Exact (Garwood) interval of a Poisson mean."""
    low = float(gammaincinv(count, _RISK / 2)) if count else 0.0
    return low, float(gammaincinv(count + 1, 1 - _RISK / 2))


def _without_nir(crossing: pl.DataFrame, source_of: pl.Series, threshold: float) -> Persons:
    """The persons the model would make if no record had a NIR."""
    found = crossing.filter(~pl.col("regle").str.starts_with("nir")).drop("poids")
    return gather(found, source_of, threshold, by="poids_sans_nir")


def _with_nir_hidden(
    couple: tuple[str, str], records: pl.DataFrame, persons: Persons, hidden: Persons
) -> Iterator[Row]:
    """Recall and contradictions of the links made without NIR, then recall of all the links."""
    sides = [records.filter(pl.col("source") == name).drop_nulls("jeton_nir") for name in couple]
    same_nir = sides[0].join(sides[1], on="jeton_nir", suffix="_d")
    if same_nir.is_empty():
        return
    back = same_nir.height - _apart(same_nir, hidden)
    recall = back / same_nir.height
    bounds = _wilson(back, same_nir.height)
    yield _row("rappel_nir_cache", couple, recall, same_nir.height, bounds)
    yield _contradictions(couple, _links(couple, records, hidden))
    apart = _apart(same_nir, persons)
    yield _whole_recall(couple, _links(couple, records, persons), apart, (recall, *bounds))


def _contradictions(couple: tuple[str, str], links: pl.DataFrame) -> Row:
    """Share of the links made without NIR whose two NIRs are known and differ."""
    known = links.drop_nulls(["jeton_nir", "jeton_nir_d"])
    wrong = known.filter(pl.col("jeton_nir") != pl.col("jeton_nir_d")).height
    share = wrong / known.height if known.height else None
    return _row("nir_contraires_nir_cache", couple, share, known.height, _wilson(wrong, known.height))


def _apart(same_nir: pl.DataFrame, persons: Persons) -> int:
    """How many pairs of one NIR were not made one person."""
    person = pl.Series(persons.personne)
    return int((person.gather(same_nir["fiche"]) != person.gather(same_nir["fiche_d"])).sum())


def _whole_recall(
    couple: tuple[str, str], links: pl.DataFrame, apart: int, recalls: tuple[float, float, float]
) -> Row:
    """Links made, over links made and missed: pairs of one NIR left apart, and pairs that share no NIR.

    The second are missed as often as pairs whose NIR was hidden. They need not be: who lacks a NIR is written
    down worse, so the low bound takes them ``_WORSE_WITHOUT_NIR`` times as often missed.
    """
    recall, low, high = recalls
    without = links.height - links.filter(pl.col("jeton_nir") == pl.col("jeton_nir_d")).height
    worst = 1 - min(_WORSE_WITHOUT_NIR * (1 - low), 1 - _LEAST_RECALL)
    expected, many, few = (
        apart + without * (1 / max(share, _LEAST_RECALL) - 1) for share in (recall, worst, high)
    )
    missed = (expected, _poisson(many)[1], _poisson(few)[0])
    found = [round(links.height / max(links.height + number, 1), 6) for number in missed]
    return _row("rappel", couple, found[0], links.height, (found[1], found[2]))


def _wilson(successes: int, trials: int) -> tuple[float, float]:
    """Wilson interval of a proportion."""
    if not trials:
        return 0.0, 1.0
    share, z2 = successes / trials, _Z * _Z
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = _Z / (1 + z2 / trials) * sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials))
    return max(0.0, centre - half), min(1.0, centre + half)
