"""Persons as chains of links: duplicates inside a source, best links between sources."""

import numpy as np
import numpy.typing as npt
import polars as pl

Ranks = npt.NDArray[np.int64]


def representatives(size: int, pairs: pl.DataFrame) -> pl.Series:
    """The smallest rank each of ``size`` ranks is chained to by the ``pairs`` (gauche, droite)."""
    parent = list(range(size))
    for left, right in pairs.select("gauche", "droite").iter_rows():
        first, second = _root(parent, left), _root(parent, right)
        parent[max(first, second)] = min(first, second)
    return pl.Series("representant", [_root(parent, rank) for rank in range(size)], dtype=pl.Int64)


def best_links(pairs: pl.DataFrame, source_of: Ranks) -> Ranks:
    """Give every record the smallest record of its person, a person having at most one record per source.

    ``pairs`` (gauche, droite, poids): links worth making. ``source_of``: number of the source of each record.
    The heaviest link is made first and a link that would put two records of a source in one person is
    refused: the clusters of Splink's ``cluster_using_single_best_links``, without its passes over the table.
    """
    parent = list(range(len(source_of)))
    sources = [1 << int(number) for number in source_of]
    ordered = pairs.sort("poids", "gauche", "droite", descending=[True, False, False])
    for left, right in ordered.select("gauche", "droite").iter_rows():
        first, second = _root(parent, left), _root(parent, right)
        if sources[first] & sources[second]:
            continue
        low, high = min(first, second), max(first, second)
        parent[high] = low
        sources[low] |= sources[high]
    return np.fromiter((_root(parent, rank) for rank in range(len(parent))), np.int64, len(parent))


def _root(parent: list[int], rank: int) -> int:
    while parent[rank] != rank:
        parent[rank] = parent[parent[rank]]
        rank = parent[rank]
    return rank
