"""Every compared pair with its weight, between the sources and inside them."""

from dataclasses import dataclass
from math import log2
from typing import Any

import polars as pl

from pipelines.linkage.engines import Engine
from pipelines.linkage.model import BLOCKING
from pipelines.linkage.training import Model

_DIGITS = 9
"""Sums made in another order differ past the twelfth digit: what is written must not."""


def score(engine: Engine, model: Model) -> pl.DataFrame:
    """Pairs gauche, droite, source_g, source_d, poids, poids_sans_nir, probabilite, motif, regle, a_jumeaux.

    ``gauche``, ``droite``: record numbers, gauche < droite; weights in bits. Pairs inside a source are scored
    too: they link nobody, they tell how often the model is wrong. ``a_jumeaux``: one birth date and two given
    names. Twins share all the rest, so no weight can tell such a pair from a match; only the NIR can.
    All pairs of the one table ``fiches`` are the pairs between sources and inside them: record numbers are
    then compared as numbers, where several tables would bring texts.
    """
    linker = engine.linker_over_all(model.reglages | {"link_type": "dedupe_only"})
    predicted = linker.inference.predict(warning_mode="never")
    comparisons = [_Levels(learned) for learned in model.reglages["comparisons"]]
    pairs = engine.frame(
        f"SELECT fiche_l AS gauche, fiche_r AS droite, round(match_weight, {_DIGITS}) AS poids, "  # noqa: S608
        f"round(match_weight - mw_nir - mw_prenom_du_nir, {_DIGITS}) AS poids_sans_nir, "
        f"round(match_probability, {_DIGITS}) AS probabilite, "
        f"{_pattern(comparisons)} AS motif, match_key::TINYINT AS regle FROM {predicted.physical_name}"
    )
    predicted.drop_table_from_database_and_remove_from_cache()
    return _in_words(
        pairs.sort("gauche", "droite"),
        comparisons,
        engine.frame("SELECT source FROM fiches ORDER BY fiche")["source"],
    )


_TWINS, _SAME_NIR = "prenoms:0", "nir:1"


def is_no_twin(motif: pl.Expr) -> pl.Expr:
    """True where the agreement pattern may be one person's: not of possible twins, or of equal NIRs."""
    return ~motif.str.contains(_TWINS, literal=True) | motif.str.contains(_SAME_NIR, literal=True)


def linkable(pairs: pl.DataFrame, by: str, least: float) -> pl.DataFrame:
    """The pairs heavy enough to be one person, ``by`` being ``poids`` or ``poids_sans_nir`` (bits).

    Possible twins are left out unless their NIRs are equal and seen.
    """
    same_nir = pl.col("motif").str.contains(_SAME_NIR, literal=True) & (by == "poids")
    return pairs.filter((pl.col(by) >= least) & (~pl.col("a_jumeaux") | same_nir))


def weight(probability: float) -> float:
    """Match weight, in bits, of a probability."""
    return log2(probability / (1 - probability))


@dataclass(frozen=True)
class _Levels:
    """The levels of a learned comparison: Splink gives back the weight of a level, not its number."""

    learned: dict[str, Any]

    @property
    def nom(self) -> str:
        return str(self.learned["output_column_name"])

    @property
    def weights(self) -> list[float]:
        """Bits of each level, from best to worst."""
        levels = [level for level in self.learned["comparison_levels"] if not level.get("is_null_level")]
        return [log2(level["m_probability"] / level["u_probability"]) for level in levels]

    @property
    def digit(self) -> str:
        """SQL giving 0 when absent, 1 for the worst level and so on."""
        weights = self.weights
        whens = [
            f"when abs(mw_{self.nom} - {w}) < 1e-9 then {len(weights) - n}" for n, w in enumerate(weights)
        ]
        return f"(case when mw_{self.nom} = 0 then 0 {' '.join(whens)} else 0 end)"

    def word(self, digit: int) -> str:
        """« nir:1 », « nir:. » when absent."""
        return f"{self.nom}:{digit - 1 if digit else '.'}"


def _pattern(comparisons: list[_Levels]) -> str:
    """SQL writing the levels of a pair as one whole number, a digit per comparison."""
    number = "0"
    for levels in comparisons:
        number = f"({number} * {len(levels.weights) + 1} + {levels.digit})"
    return f"{number}::BIGINT"


def _in_words(pairs: pl.DataFrame, comparisons: list[_Levels], source_of: pl.Series) -> pl.DataFrame:
    patterns = pairs["motif"].unique()
    words = pl.Series([_words(int(number), comparisons) for number in patterns], dtype=pl.String)
    rules = pl.Series([rule.nom for rule in BLOCKING])
    named = pairs.with_columns(
        source_g=source_of.gather(pairs["gauche"]),
        source_d=source_of.gather(pairs["droite"]),
        motif=pairs["motif"].replace_strict(patterns, words, return_dtype=pl.String),
        regle=rules.gather(pairs["regle"]),
    )
    return named.with_columns(a_jumeaux=pl.col("motif").str.contains(_TWINS, literal=True))


def _words(number: int, comparisons: list[_Levels]) -> str:
    """« nir:1 date:2 … » from the number :func:`_pattern` wrote."""
    found = []
    for levels in reversed(comparisons):
        number, digit = divmod(number, len(levels.weights) + 1)
        found.append(levels.word(digit))
    return " ".join(reversed(found))
