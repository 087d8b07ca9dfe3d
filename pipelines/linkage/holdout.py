"""What the linkage would be if NIRs were missing or wrong where they are right: recall without labels."""

from collections.abc import Iterable
from functools import cached_property

import numpy as np
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pipelines.linkage.chains import Ranks
from pipelines.linkage.persons import gather

MOST_RECORDS = 250_000
"""Records tried: more would not narrow an interval that NIRs missing not at random make wide."""

_LEAST_CONTRADICTION = -8.0
"""Weight in bits of two NIRs that differ, when no pair of the month says it."""


class HoldOut:
    """The persons the model would make if the NIRs of some sources were hidden, or contradicted.

    ``crossing``: scored pairs between sources. Hiding one source at a time does what happens when that source
    lacks a NIR: the others keep theirs, and a person found through a third source is found all the same.
    Above ``most`` records, one chain of pairs in so many is tried, whole: ``tried`` says which records are.
    """

    def __init__(
        self, crossing: pl.DataFrame, source_of: pl.Series, threshold: float, most: int = MOST_RECORDS
    ) -> None:
        self._size, self._threshold = len(source_of), threshold
        chain = _chains(crossing, self._size)
        self.tried = pl.Series(chain % max(1, -(-self._size // most)) == 0)
        self._members = np.flatnonzero(self.tried.to_numpy())
        self._source_of = source_of.gather(self._members)
        self._crossing = self._numbered(crossing.filter(self.tried.gather(crossing["gauche"])))
        self._known: dict[tuple[frozenset[str], bool], Ranks] = {}

    def persons(self, sources: Iterable[str], wrong: bool = False) -> pl.Series:
        """Smallest record of each record's person when the NIRs of ``sources`` are hidden, or ``wrong``.

        A record that is not tried is a person by itself.
        """
        key = (frozenset(sources), wrong)
        if key not in self._known:
            pairs = _without_nir(self._crossing, key[0], self._contradiction if wrong else 0.0)
            self._known[key] = gather(pairs, self._source_of, self._threshold).personne
        person = np.arange(self._size)
        person[self._members] = self._members[self._known[key]]
        return pl.Series(person)

    def _numbered(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """The pairs under the ranks of their records among those tried."""
        rank = pl.Series(np.cumsum(self.tried.to_numpy()) - 1)
        return pairs.with_columns(gauche=rank.gather(pairs["gauche"]), droite=rank.gather(pairs["droite"]))

    @cached_property
    def _contradiction(self) -> float:
        differing = self._crossing.filter(pl.col("motif").str.contains("nir:0", literal=True))
        lost = differing.select((pl.col("poids") - pl.col("poids_sans_nir")).median()).item()
        return _LEAST_CONTRADICTION if lost is None else float(lost)


def _chains(pairs: pl.DataFrame, size: int) -> Ranks:
    """The number of the chain of pairs each record is in."""
    ends = (pairs["gauche"].to_numpy(), pairs["droite"].to_numpy())
    graph = coo_array((np.ones(pairs.height, np.int8), ends), shape=(size, size))
    found: Ranks = connected_components(graph, directed=False)[1]
    return found


def _without_nir(pairs: pl.DataFrame, sources: frozenset[str], bits: float) -> pl.DataFrame:
    """The scored pairs if ``sources`` had no NIR.

    Those only an equal NIR had brought together are gone, and those it had told from twins. ``bits``: weight
    added to each, that of two NIRs that differ when they are wrong rather than missing.
    """
    touched = pl.any_horizontal(pl.col("source_g", "source_d").is_in(list(sources)))
    kept = pairs.filter(~(touched & (pl.col("a_jumeaux") | pl.col("regle").str.starts_with("nir"))))
    return kept.with_columns(poids=pl.when(touched).then(pl.col("poids_sans_nir") + bits).otherwise("poids"))
