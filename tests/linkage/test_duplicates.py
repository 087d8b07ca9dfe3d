import polars as pl

from pipelines.linkage.duplicates import merge

SAME = "nir:1 date:2 noms:4"
SOURCES = ["caf", "cpam", "cpam", "cpam", "departement"]
EVERYONE = pl.DataFrame(
    {"source": [*SOURCES, "cpam"], "personne_id": list("abcdef"), "fiche": [0, 1, 2, 3, 4, 3]}
)
RECORDS = pl.DataFrame({"fiche": range(5), "source": SOURCES, "jeton_nir": [1, 1, 1, None, None]})


def _pairs(*rows: tuple[int, int, float, str]) -> pl.DataFrame:
    full = [(a, b, SOURCES[a], SOURCES[b], w, motif, "prenoms:0" in motif) for a, b, w, motif in rows]
    columns = ["gauche", "droite", "source_g", "source_d", "poids", "motif", "a_jumeaux"]
    return pl.DataFrame(full, schema=columns, orient="row")


def test_two_records_of_one_nir_and_date_in_a_source_are_one_and_the_rest_is_renumbered() -> None:
    everyone, records, pairs = merge(
        EVERYONE,
        RECORDS,
        _pairs((1, 2, 30.0, SAME), (0, 2, 35.0, "x"), (0, 1, 20.0, "y"), (3, 4, 9.0, "z")),
        0.95,
    )
    assert everyone["fiche"].to_list() == [0, 1, 1, 2, 3, 2]
    assert records.rows() == [(0, "caf", 1), (1, "cpam", 1), (2, "cpam", None), (3, "departement", None)]
    assert pairs.select("gauche", "droite", "poids", "motif").rows() == [(0, 1, 35.0, "x"), (2, 3, 9.0, "z")]


def test_a_pair_inside_a_source_without_equal_nir_stays_to_tell_how_often_the_model_is_wrong() -> None:
    pairs = _pairs((1, 2, 30.0, "nir:. date:2 noms:4"), (2, 3, 12.0, "nir:1 date:1 noms:."))
    _, records, left = merge(EVERYONE, RECORDS, pairs, 0.95)
    assert records.height == RECORDS.height
    assert left.equals(pairs)


def test_two_records_of_two_sources_are_not_duplicates() -> None:
    assert merge(EVERYONE, RECORDS, _pairs((0, 1, 30.0, SAME)), 0.95)[1].height == RECORDS.height
