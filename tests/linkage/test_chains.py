import duckdb
import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from splink.backends.duckdb import DuckDBAPI
from splink.internals.one_to_one_clustering import one_to_one_clustering

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


@given(graph=_GRAPHS, sources=st.lists(st.integers(0, 2), min_size=20, max_size=20))
@settings(max_examples=60, deadline=None)
def test_a_person_has_at_most_one_record_per_source_and_every_record_one_person(
    graph: list[tuple[int, int, int]], sources: list[int]
) -> None:
    rows = [(min(a, b), max(a, b), float(w)) for a, b, w in graph if sources[a] != sources[b]]
    persons = _clusters(rows, sources)
    assert len(set(zip(persons, sources, strict=True))) == len(sources) == len(persons)
    assert all(persons[person] == person for person in persons)


@pytest.mark.parametrize("seed", [1, 2])
def test_best_links_are_those_of_splink(seed: int) -> None:
    links, sources = _rivals(300, np.random.default_rng(seed))
    assert best_links(links, sources).tolist() == _by_splink(links, sources)


def _rivals(persons: int, rng: np.random.Generator) -> tuple[pl.DataFrame, npt.NDArray[np.int64]]:
    """Records of three sources, linked to their own person and as often to another; weights differ."""
    sources = np.tile(np.arange(3), persons)
    own = [(3 * n + a, 3 * n + b) for n in range(persons) for a, b in ((0, 1), (0, 2), (1, 2))]
    others = rng.integers(0, 3 * persons, (3 * persons, 2)).tolist()
    pairs = {(min(a, b), max(a, b)) for a, b in [*own, *others] if sources[a] != sources[b]}
    left, right = zip(*sorted(pairs), strict=True)
    weights = rng.permutation(len(pairs)) / len(pairs)
    return pl.DataFrame({"gauche": left, "droite": right, "poids": weights}), sources


def _by_splink(links: pl.DataFrame, sources: npt.NDArray[np.int64]) -> list[int]:
    """``cluster_using_single_best_links``; with DuckDB 2.0's join order it does not end."""
    names = pl.Series([f"s{number}" for number in sources])
    nodes = pl.DataFrame({"node_id": range(len(sources)), "source_dataset": names})
    edges = links.select(
        node_id_l="gauche",
        node_id_r="droite",
        source_dataset_l=names.gather(links["gauche"]),
        source_dataset_r=names.gather(links["droite"]),
        match_probability="poids",
    )
    with duckdb.connect() as room:
        room.execute("SET disabled_optimizers = 'join_order'")
        api = DuckDBAPI(room)
        found = one_to_one_clustering(
            api.register(nodes.to_arrow(), table_name="noeuds"),
            api.register(edges.to_arrow(), table_name="aretes"),
            "node_id", "source_dataset", "node_id_l", "node_id_r", ["s0", "s1", "s2"], "lowest_id", api, 0.0,
        )  # fmt: skip
        clusters: pl.DataFrame = found.as_duckdbpyrelation().pl()
    return clusters.sort("node_id")["cluster_id"].to_list()


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
