"""How good the linkage is, told without labels: out__qualite_appariement."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

import polars as pl

from pipelines.linkage.classes import CLASSES, EVERYBODY, INSURER
from pipelines.linkage.holdout import HoldOut
from pipelines.linkage.intervals import (
    Bounds,
    counted_again,
    counted_at_least,
    counted_at_most,
    poisson,
    wilson,
)
from pipelines.linkage.persons import Persons
from pipelines.linkage.scoring import linkable, weight
from pipelines.linkage.sources import EVENTS, OPPOSITION, PERSON_SOURCES, SOURCES

SCHEMA = {
    "mesure": pl.String,
    "source_g": pl.String,
    "source_d": pl.String,
    "classe": pl.String,
    "modalite": pl.String,
    "valeur": pl.Float64,
    "bas": pl.Float64,
    "haut": pl.Float64,
    "n": pl.Int64,
}
AS_MUCH_AGAIN = 2.0
"""A pair without common NIR may be missed this many times more, or less, often than one whose NIR was hidden.

NIRs are not missing at random: who lacks one is written down worse, and a wrong birth date makes a right NIR
be refused. Measured from .8 to 2 on three invented territories (44 000 inhabitants); the intervals it gives
are held against the truth in docs/preuves/appariement.json.
"""
_LEAST_RECALL = 0.01
_NEVER_EXCLUDED = 1.0
"""One false link: what is expected once in forty territories is expected in some."""
_MISSING_NIR = {
    "sans_g": pl.col("jeton_nir").is_null() & pl.col("jeton_nir_d").is_not_null(),
    "sans_d": pl.col("jeton_nir_d").is_null() & pl.col("jeton_nir").is_not_null(),
    "sans": pl.col("jeton_nir").is_null() & pl.col("jeton_nir_d").is_null(),
    "contraires": pl.col("jeton_nir") != pl.col("jeton_nir_d"),
}
"""Why two records of one person may share no NIR."""

Row = dict[str, str | float | int | None]


@dataclass(frozen=True)
class Couple:
    """What is known of two sources, or of one class of them.

    ``links``: linked records and their NIRs. ``same_nir``: records of one NIR, whether they are ``apart``,
    their probability, and whether they come back when the NIR is hidden or wrong. ``inside``: links the model
    would make inside the sources, each end counting half. ``possible``: pairs they were among. ``free``:
    those of records best links leave free; ``every``: those of all records.
    """

    gauche: str
    droite: str
    links: pl.DataFrame
    same_nir: pl.DataFrame
    inside: float
    possible: float
    free: float
    every: float
    classe: str = EVERYBODY
    modalite: str = EVERYBODY

    def row(self, mesure: str, valeur: float | None, n: float, bounds: Bounds | None = None) -> Row:
        """A row of the table about this couple and class."""
        low, high = bounds or (None, None)
        return {
            "mesure": mesure, "source_g": self.gauche, "source_d": self.droite,
            "classe": self.classe, "modalite": self.modalite,
            "valeur": valeur, "bas": low, "haut": high, "n": round(n),
        }  # fmt: skip


def measure(
    everyone: pl.DataFrame, records: pl.DataFrame, pairs: pl.DataFrame, persons: Persons, threshold: float
) -> pl.DataFrame:
    """One row per measure, per source or couple of sources, and per class; intervals at 95 %.

    ``records``: fiche, source, jeton_nir and the columns of :data:`CLASSES` (those absent are not measured).
    ``pairs``: scored pairs, inside sources too. Two estimators that need no label: links the model would make
    inside a source without duplicates are all wrong (false links); pairs of one NIR, linked again as if the
    NIR were hidden, must come back (recall). Intervals are of the numbers themselves, missed or wrong, and
    not of their expectation.
    """
    known = records.with_columns(personne=pl.Series(persons.personne))
    present = records["source"].unique()
    names = [s.nom for s in SOURCES if s.nom in present and s.nom != OPPOSITION]
    crossing = pairs.filter(pl.col("source_g") != pl.col("source_d"))
    hidden = HoldOut(crossing, records["source"], threshold)
    rows = [row for name in names for row in _about_source(name, everyone, records)]
    for couple in combinations(names, 2):
        rows += _about_couple(couple, known, pairs, hidden, threshold)
    return _carried_along(pl.DataFrame(rows, schema=SCHEMA))


def _about_source(name: str, everyone: pl.DataFrame, records: pl.DataFrame) -> Iterator[Row]:
    own = records.filter(pl.col("source") == name)
    delivered = everyone.filter(pl.col("source") == name).height
    with_nir = own.height - own["jeton_nir"].null_count()
    for mesure, valeur, n in (
        ("personnes", own.height, delivered),
        ("doublons_internes", delivered - own.height, delivered),
        ("part_avec_nir", with_nir / max(own.height, 1), own.height),
    ):
        yield {
            "mesure": mesure, "source_g": name, "source_d": None, "classe": EVERYBODY, "modalite": EVERYBODY,
            "valeur": valeur, "bas": None, "haut": None, "n": n,
        }  # fmt: skip


def _about_couple(
    couple: tuple[str, str], known: pl.DataFrame, pairs: pl.DataFrame, hidden: HoldOut, threshold: float
) -> Iterator[Row]:
    sides = [known.filter(pl.col("source") == name) for name in couple]
    inside = _inside(pairs, threshold)
    links = sides[0].join(sides[1], on="personne", suffix="_d")
    same_nir = _same_nir(couple, sides, pairs, hidden)
    whole = _whole(couple, sides, links, same_nir, inside)
    examined = pairs.filter(_between(couple)).height
    yield whole.row("paires_examinees", examined, whole.every)
    yield from _told(whole)
    yield from _only_for_everybody(whole, sides, hidden)
    for classe, modalites in CLASSES.items():
        if classe in known.columns and (classe != "c2s" or INSURER in couple):
            for modalite in modalites:
                part = _part(whole, sides, links, same_nir, inside, classe, modalite)
                if part.every:
                    yield from _told(part)


def _told(couple: Couple) -> Iterator[Row]:
    yield couple.row("liens", couple.links.height, couple.links.height)
    yield from _false_links(couple)
    yield from _recalls(couple)


def _between(couple: tuple[str, str]) -> pl.Expr:
    ends = pl.col("source_g").is_in(couple) & pl.col("source_d").is_in(couple)
    return ends & (pl.col("source_g") != pl.col("source_d"))


def _inside(pairs: pl.DataFrame, threshold: float) -> pl.DataFrame:
    """Both ends (source, fiche) of the links the model would make inside a source; one NIR is a duplicate."""
    own = pairs.filter(
        pl.col("source_g") == pl.col("source_d"), ~pl.col("source_g").is_in(EVENTS), ~_has_one_nir()
    )
    found = linkable(own, "poids", weight(threshold))
    return pl.concat([found.select(source="source_g", fiche=end) for end in ("gauche", "droite")])


def _has_one_nir() -> pl.Expr:
    return pl.col("motif").str.contains("nir:1", literal=True)


def _same_nir(
    couple: tuple[str, str], sides: list[pl.DataFrame], pairs: pl.DataFrame, hidden: HoldOut
) -> pl.DataFrame:
    """Records of one NIR: fiche, fiche_d, apart, probabilite, and one column per way of losing the NIR."""
    left, right = (side.drop_nulls("jeton_nir") for side in sides)
    found = left.join(right, on="jeton_nir", suffix="_d")
    ends = pl.min_horizontal("fiche", "fiche_d"), pl.max_horizontal("fiche", "fiche_d")
    scored = found.with_columns(
        gauche=ends[0], droite=ends[1], apart=pl.col("personne") != pl.col("personne_d")
    )
    scored = scored.join(
        pairs.select("gauche", "droite", "probabilite"),
        on=["gauche", "droite"],
        how="left",
        maintain_order="left",
    )
    if scored.is_empty():
        return scored.with_columns(pl.lit(None, pl.Boolean).alias(way) for way in (*_MISSING_NIR, "cache"))
    return scored.with_columns(
        _back(scored, hidden, hiding, way == "contraires").alias(way)
        for way, hiding in (
            ("sans_g", couple[:1]), ("sans_d", couple[1:]), ("sans", couple), ("contraires", couple[:1]),
            ("cache", [source.nom for source in SOURCES]),
        )
    )  # fmt: skip


def _back(pairs: pl.DataFrame, hidden: HoldOut, hiding: Iterable[str], wrong: bool) -> pl.Series:
    """Whether each pair comes back; null when it is not tried."""
    person = hidden.persons(hiding, wrong)
    ends = pl.DataFrame({"une": person.gather(pairs["fiche"]), "autre": person.gather(pairs["fiche_d"])})
    tried = hidden.tried.gather(pairs["fiche"])
    return ends.select(pl.when(tried).then(pl.col("une") == pl.col("autre"))).to_series()


def _whole(
    couple: tuple[str, str],
    sides: list[pl.DataFrame],
    links: pl.DataFrame,
    same_nir: pl.DataFrame,
    inside: pl.DataFrame,
) -> Couple:
    sizes = [side.height for side in sides]
    teaching = [n for n, name in enumerate(couple) if name not in EVENTS]
    return Couple(
        *couple,
        links,
        same_nir,
        inside=inside.filter(pl.col("source").is_in(couple)).height / 2,
        possible=sum(sizes[n] * (sizes[n] - 1) / 2 for n in teaching),
        free=float((sizes[0] - links.height) * (sizes[1] - links.height)),
        every=float(sizes[0] * sizes[1]),
    )


def _part(
    whole: Couple,
    sides: list[pl.DataFrame],
    links: pl.DataFrame,
    same_nir: pl.DataFrame,
    inside: pl.DataFrame,
    classe: str,
    modalite: str,
) -> Couple:
    """The pairs whose record at the insurer, or else in the first source, is of one class."""
    bears = int(whole.droite == INSURER)
    mine, other = sides[bears], sides[1 - bears]
    members = mine.filter(pl.col(classe) == modalite)["fiche"]
    fiche = ("fiche", "fiche_d")[bears]
    own_links = links.filter(pl.col(fiche).is_in(members.implode()))
    return Couple(
        whole.gauche,
        whole.droite,
        own_links,
        same_nir.filter(pl.col(fiche).is_in(members.implode())),
        inside=inside.filter(pl.col("fiche").is_in(members.implode())).height / 2,
        possible=len(members) * (mine.height - 1) / 2,
        free=float((len(members) - own_links.height) * (other.height - links.height)),
        every=float(len(members) * other.height),
        classe=classe,
        modalite=modalite,
    )


def _only_for_everybody(couple: Couple, sides: list[pl.DataFrame], hidden: HoldOut) -> Iterator[Row]:
    """What shows before best links choose, and the links without NIR that NIRs contradict."""
    if couple.possible and couple.links.height:
        scale = couple.every / couple.possible
        low, high = (scale * bound for bound in poisson(couple.inside))
        yield couple.row("faux_liens_avant_choix", scale * couple.inside, couple.inside, (low, high))
    if couple.same_nir.height:
        person = hidden.persons([source.nom for source in SOURCES])
        left, right = (side.with_columns(personne=person.gather(side["fiche"])) for side in sides)
        both = left.join(right, on="personne", suffix="_d").drop_nulls(["jeton_nir", "jeton_nir_d"])
        wrong = both.filter(pl.col("jeton_nir") != pl.col("jeton_nir_d")).height
        share = wrong / both.height if both.height else None
        yield couple.row("nir_contraires_nir_cache", share, both.height, wilson(wrong, both.height))


def _false_links(couple: Couple) -> Iterator[Row]:
    """Links inside the sources, carried over to the pairs best links leave free; then their share."""
    links = couple.links.height
    if couple.possible <= 0 or not links:
        return
    scale = couple.free / couple.possible
    low, high = counted_again(couple.inside, scale)
    high, expected = max(high, _NEVER_EXCLUDED), scale * couple.inside
    yield couple.row("faux_liens", expected, couple.inside, (low, high))
    shares = [min(number / links, 1.0) for number in (expected, low, high)]
    yield couple.row("part_faux_liens", shares[0], links, (shares[1], shares[2]))


def _carried_along(told: pl.DataFrame) -> pl.DataFrame:
    """A false link brings along the records rightly linked to both its ends.

    So no couple of lists of persons can exclude fewer false links than all of them may have together; a list
    of events makes nobody's person.
    """
    both = pl.col("source_g").is_in(PERSON_SOURCES) & pl.col("source_d").is_in(PERSON_SOURCES)
    false = told.filter(both, mesure="faux_liens")
    together = false.group_by("classe", "modalite").agg(ensemble=pl.col("haut").sum())
    known = told.join(together, on=["classe", "modalite"], how="left", maintain_order="left")
    number, share = (pl.col("mesure") == name for name in ("faux_liens", "part_faux_liens"))
    most = (
        pl.when(both & number)
        .then("ensemble")
        .when(both & share)
        .then(pl.min_horizontal(pl.col("ensemble") / pl.col("n"), pl.lit(1.0)))
        .otherwise("haut")
    )
    return known.with_columns(haut=most).drop("ensemble")


def _recalls(couple: Couple) -> Iterator[Row]:
    """Recall if there were no NIR at all, then recall of the links made."""
    same = couple.same_nir
    if same.is_empty():
        return
    tried, back = same["cache"].count(), int(same["cache"].sum())
    yield couple.row("rappel_nir_cache", back / tried if tried else None, tried, wilson(back, tried))
    links = couple.links.height
    expected, fewest, most = _missed(couple)
    found = [links / max(links + number, 1) for number in (expected, most, fewest)]
    yield couple.row("rappel", found[0], links, (found[1], found[2]))


def _missed(couple: Couple) -> tuple[float, float, float]:
    """True pairs not linked: expected number, fewest, most.

    Those of one NIR left apart are seen, and each is a true pair with the probability the model gives, or all
    of them are. Those without common NIR are missed as often as the pairs whose NIR was hidden or made wrong
    in the same way, ``AS_MUCH_AGAIN`` times more or less.
    """
    apart = couple.same_nir.filter("apart")
    sure = float(apart["probabilite"].sum())
    shares = [_missed_without(couple, way) for way in _MISSING_NIR]
    expected, fewest, most = (sum(share[n] for share in shares) for n in range(3))
    return (
        (sure + apart.height) / 2 + expected,
        counted_at_least(sure + fewest / AS_MUCH_AGAIN),
        counted_at_most(apart.height + most * AS_MUCH_AGAIN),
    )


def _missed_without(couple: Couple, way: str) -> tuple[float, float, float]:
    """Pairs missed where ``way`` kept NIRs from being equal: expected, and at both ends of the recall."""
    made, tried = couple.links.filter(_MISSING_NIR[way]).height, couple.same_nir[way].count()
    back = int(couple.same_nir[way].sum())
    low, high = wilson(back, tried)
    few, many = (made * (1 / max(recall, _LEAST_RECALL) - 1) for recall in (high, low))
    return made * (1 / max(back / max(tried, 1), _LEAST_RECALL) - 1), few, many
