"""The frequency attack: whoever knows how frequent names are, and no key, reads a column of tokens.

The attacker knows, for the whole population and exactly, how many persons of each class (what is delivered in
clear: sex, birth year, commune) bear each value. Records that share a token share a value: the value of a
token is the one of greatest likelihood given the classes of all its records and how many they are. Without
any token, the best guess is the most frequent value of the record's class.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

MOST_MEMBERS = 40
"""Records of one token that the likelihood looks at: more would not change the winner."""
UNHEARD = 0.02
"""What a value nobody of the class is known to bear counts for: files have slips."""
_BATCH = 400


@dataclass(frozen=True)
class Named:
    """Shares of the probed records given their right value: with the tokens, and by class alone."""

    avec: float
    sans: float
    sondes: int

    @property
    def gain(self) -> float:
        """What the tokens add to the guess."""
        return self.avec - self.sans


def share(found: pl.Series) -> float:
    """Share of true among all, null being false."""
    return int(found.sum()) / max(len(found), 1)


@dataclass(frozen=True)
class Knowledge:
    """``counts``: classe, annee, valeur, n (persons of the population)."""

    counts: pl.DataFrame

    @classmethod
    def of(cls, values: pl.Series, classes: pl.Series, years: pl.Series) -> "Knowledge":
        """Exact knowledge of a population: one value, one class, one year per person; nulls are left out."""
        people = pl.DataFrame({"classe": classes, "annee": years, "valeur": values}).drop_nulls("valeur")
        return cls(people.group_by("classe", "annee", "valeur").agg(n=pl.len().cast(pl.Float64)))

    def favourites(self) -> pl.DataFrame:
        """classe, devinee: the most frequent value of each class."""
        ranked = self.counts.sort("classe", "n", "valeur", descending=[False, True, False])
        return ranked.group_by("classe", maintain_order=True).agg(devinee=pl.col("valeur").first())


def attack(
    tokens: pl.Series,
    truth: pl.Series,
    classes: pl.Series,
    years: pl.Series,
    known: Knowledge,
    sondes: int,
    graine: int,
) -> Named:
    """How many of ``sondes`` records drawn at random the attacker gives their right value (``truth``)."""
    records = pl.DataFrame({"jeton": tokens, "vrai": truth, "classe": classes, "annee": years})
    records = records.drop_nulls(["jeton", "vrai"])
    probed = records.sample(min(sondes, records.height), seed=graine, shuffle=True)
    if probed.is_empty():
        return Named(0.0, 0.0, 0)
    read = likeliest(records, probed["jeton"].unique(maintain_order=True), known)
    judged = probed.join(read, on="jeton", how="left").join(known.favourites(), on="classe", how="left")
    return Named(
        share(judged["lue"] == judged["vrai"]),
        share(judged["devinee"] == judged["vrai"]),
        probed.height,
    )


def likeliest(records: pl.DataFrame, wanted: pl.Series, known: Knowledge) -> pl.DataFrame:
    """jeton, lue: the likeliest value of each wanted token (columns of ``records``: jeton, classe, annee)."""
    expected = expected_of(records, known)
    members = records.join(wanted.to_frame("jeton"), on="jeton", how="semi")
    batches = [
        _winners(members.join(part.to_frame("jeton"), on="jeton", how="semi"), known, expected)
        for part in (wanted[start : start + _BATCH] for start in range(0, len(wanted), _BATCH))
    ]
    return pl.concat(batches)


def scores(members: pl.DataFrame, known: Knowledge, expected: pl.DataFrame) -> pl.DataFrame:
    """jeton, valeur, score: log-likelihood of each value met in the classes of each token's records."""
    few = members.filter(pl.int_range(pl.len()).over("jeton") < MOST_MEMBERS)
    sizes = members.group_by("jeton").agg(pl.col("annee").first(), taille=pl.len())
    scope = sizes.with_columns(facteur=(pl.col("taille") / MOST_MEMBERS).clip(1.0))
    met = few.select("jeton", "classe").join(known.counts.drop("annee"), on="classe")
    found = met.group_by("jeton", "valeur").agg(score=(pl.col("n") / UNHEARD).log().sum())
    by = ["annee", "valeur"] if "annee" in expected.columns else ["valeur"]
    return (
        found.join(scope, on="jeton")
        .join(expected, on=by, how="left")
        .with_columns(score=pl.col("score") * pl.col("facteur") - pl.col("attendus"))
        .select("jeton", "valeur", "score")
    )


def _winners(members: pl.DataFrame, known: Knowledge, expected: pl.DataFrame) -> pl.DataFrame:
    ranked = scores(members, known, expected).sort(
        "jeton", "score", "valeur", descending=[False, True, False]
    )
    return ranked.group_by("jeton", maintain_order=True).agg(lue=pl.col("valeur").first())


def expected_of(records: pl.DataFrame, known: Knowledge) -> pl.DataFrame:
    """How many records a token of each value should have: (annee,) valeur, attendus.

    A token bound to a date spreads the bearers of a value over many tokens. Over how many, the attacker
    learns from the number of different tokens; by year, when no token has records of two years.
    """
    one_year = records.group_by("jeton").agg(pl.col("annee").n_unique())["annee"].max() == 1
    scope = ["annee", "valeur"] if one_year else ["valeur"]
    bearers = known.counts.group_by(scope).agg(pl.col("n").sum())
    sizes = bearers["n"].to_numpy() * (records.height / max(bearers["n"].sum(), 1.0))
    spread = _spread(sizes, records["jeton"].n_unique())
    return bearers.select(*scope, attendus=pl.Series(sizes / spread))


def _spread(sizes: npt.NDArray[np.float64], different: int) -> float:
    """Over how many tokens each value is spread, so that ``different`` tokens are met (bisection)."""
    low, high = 1.0, 1e9
    for _ in range(60):
        middle = (low * high) ** 0.5
        met = float((middle * -np.expm1(-sizes / middle)).sum())
        low, high = (middle, high) if met < different else (low, middle)
    return float((low * high) ** 0.5)
