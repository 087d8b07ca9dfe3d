"""Persons as chains of links: duplicates inside a source, best links between sources."""

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Ranks = npt.NDArray[np.int64]


def representatives(size: int, pairs: pl.DataFrame) -> pl.Series:
    """The smallest rank each of ``size`` ranks is chained to by the ``pairs`` (gauche, droite)."""
    return pl.Series("representant", _chained(pairs, size), dtype=pl.Int64)


def best_links(pairs: pl.DataFrame, source_of: Ranks) -> Ranks:
    """Give every record the smallest record of its person, a person having at most one record per source.

    ``pairs`` (gauche, droite, poids): links worth making. ``source_of``: number of the source of each record.
    The heaviest link is made first and a link that would put two records of a source in one person is
    refused: the clusters of Splink's ``cluster_using_single_best_links``, without its passes over the table.
    """
    chained = _chained(pairs, len(source_of))
    contested = _contested(chained, source_of)
    left = pairs["gauche"].to_numpy()
    disputed = pairs.filter(pl.Series(contested[left], dtype=pl.Boolean))
    settled = _heaviest_first(disputed, source_of)
    return np.where(contested, settled, chained)


def _chained(pairs: pl.DataFrame, size: int) -> Ranks:
    """The smallest record each record is chained to, whatever the sources."""
    ends = (pairs["gauche"].to_numpy(), pairs["droite"].to_numpy())
    graph = coo_array((np.ones(pairs.height, np.int8), ends), shape=(size, size))
    number, component = connected_components(graph, directed=False)
    smallest = np.full(number, size, np.int64)
    np.minimum.at(smallest, component, np.arange(size))
    chained: Ranks = smallest[component]
    return chained


def _contested(chained: Ranks, source_of: Ranks) -> npt.NDArray[np.bool_]:
    """Records whose chain holds two records of one source: elsewhere every link can be made."""
    base = int(source_of.max(initial=0)) + 1
    places = np.sort(chained * base + source_of)
    twice = places[1:][places[1:] == places[:-1]]
    contested = np.zeros(len(chained), np.bool_)
    contested[twice // base] = True
    return contested[chained]


def _heaviest_first(pairs: pl.DataFrame, source_of: Ranks) -> Ranks:
    parent = list(range(len(source_of)))
    sources = (1 << source_of.astype(np.int64)).tolist()
    ordered = pairs.sort("poids", "gauche", "droite", descending=[True, False, False])
    for left, right in zip(ordered["gauche"].to_list(), ordered["droite"].to_list(), strict=True):
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
