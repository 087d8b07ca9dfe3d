"""What the linkage would be if NIRs were missing or wrong where they are right: recall without labels."""

from collections.abc import Iterable
from functools import cached_property

import polars as pl

from pipelines.linkage.chains import Ranks
from pipelines.linkage.persons import gather

_LEAST_CONTRADICTION = -8.0
"""Weight in bits of two NIRs that differ, when no pair of the month says it."""


class HoldOut:
    """The persons the model would make if the NIRs of some sources were hidden, or contradicted.

    ``crossing``: scored pairs between sources. Hiding one source at a time does what happens when that source
    lacks a NIR: the others keep theirs, and a person found through a third source is found all the same.
    """

    def __init__(self, crossing: pl.DataFrame, source_of: pl.Series, threshold: float) -> None:
        self._crossing, self._source_of, self._threshold = crossing, source_of, threshold
        self._known: dict[tuple[frozenset[str], bool], Ranks] = {}

    def persons(self, sources: Iterable[str], wrong: bool = False) -> Ranks:
        """Smallest record of each record's person when the NIRs of ``sources`` are hidden, or ``wrong``."""
        key = (frozenset(sources), wrong)
        if key not in self._known:
            pairs = _without_nir(self._crossing, key[0], self._contradiction if wrong else 0.0)
            self._known[key] = gather(pairs, self._source_of, self._threshold).personne
        return self._known[key]

    @cached_property
    def _contradiction(self) -> float:
        differing = self._crossing.filter(pl.col("motif").str.contains("nir:0", literal=True))
        lost = differing.select((pl.col("poids") - pl.col("poids_sans_nir")).median()).item()
        return _LEAST_CONTRADICTION if lost is None else float(lost)


def _without_nir(pairs: pl.DataFrame, sources: frozenset[str], bits: float) -> pl.DataFrame:
    """The scored pairs if ``sources`` had no NIR.

    Those only an equal NIR had brought together are gone, and those it had told from twins. ``bits``: weight
    added to each, that of two NIRs that differ when they are wrong rather than missing.
    """
    touched = pl.any_horizontal(pl.col("source_g", "source_d").is_in(list(sources)))
    kept = pairs.filter(~(touched & (pl.col("a_jumeaux") | pl.col("regle").str.starts_with("nir"))))
    return kept.with_columns(poids=pl.when(touched).then(pl.col("poids_sans_nir") + bits).otherwise("poids"))
