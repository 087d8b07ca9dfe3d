import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.linkage.chains import best_links, representatives

PAIRS = {"gauche": pl.Int64, "droite": pl.Int64, "poids": pl.Float64}


def _clusters(rows: list[tuple[int, int, float]], sources: list[int]) -> list[int]:
    pairs = pl.DataFrame(rows, schema=PAIRS, orient="row")
    return [int(n) for n in best_links(pairs, np.array(sources))]


def test_a_chain_of_duplicates_has_one_representative() -> None:
    pairs = pl.DataFrame({"gauche": [3, 1], "droite": [4, 3]})
    assert representatives(6, pairs).to_list() == [0, 1, 2, 1, 1, 5]


def test_the_heaviest_link_wins_over_its_rival() -> None:
    rows = [(0, 2, 10.0), (1, 2, 20.0)]
    assert _clusters(rows, [0, 0, 1]) == [0, 1, 1]


def test_two_records_of_a_source_are_not_joined_through_a_third_source() -> None:
    rows = [(0, 2, 20.0), (1, 2, 10.0), (1, 3, 15.0), (2, 3, 12.0)]
    assert _clusters(rows, [0, 0, 1, 2]) == [0, 1, 0, 1]


def test_a_person_of_three_sources_needs_only_two_links() -> None:
    assert _clusters([(0, 1, 9.0), (1, 2, 8.0)], [0, 1, 2]) == [0, 0, 0]


_GRAPHS = st.lists(
    st.tuples(st.integers(0, 19), st.integers(0, 19), st.integers(0, 10_000)),
    max_size=60,
    unique_by=lambda t: t[2],
)


@given(graph=_GRAPHS, sources=st.lists(st.integers(0, 2), min_size=20, max_size=20))
@settings(max_examples=60, deadline=None)
def test_best_links_are_those_of_mutual_best_clusters(
    graph: list[tuple[int, int, int]], sources: list[int]
) -> None:
    rows = [(min(a, b), max(a, b), float(w)) for a, b, w in graph if sources[a] != sources[b]]
    assert _clusters(rows, sources) == _mutual_best(rows, sources)


def _mutual_best(rows: list[tuple[int, int, float]], sources: list[int]) -> list[int]:
    """The published definition: merge clusters that are each other's best, until none is left."""
    clusters = [{n} for n in range(len(sources))]
    while True:
        best: dict[int, tuple[float, int]] = {}
        of = {n: i for i, members in enumerate(clusters) for n in members}
        for a, b, w in rows:
            i, j = of[a], of[b]
            if i == j or {sources[n] for n in clusters[i]} & {sources[n] for n in clusters[j]}:
                continue
            best[i], best[j] = max(best.get(i, (-1.0, -1)), (w, j)), max(best.get(j, (-1.0, -1)), (w, i))
        mutual = [(i, j) for i, (_, j) in best.items() if best[j][1] == i and i < j]
        if not mutual:
            return [min(next(c for c in clusters if n in c)) for n in range(len(sources))]
        for i, j in mutual:
            clusters[i] |= clusters[j]
        gone = {j for _, j in mutual}
        clusters = [c for n, c in enumerate(clusters) if n not in gone]
