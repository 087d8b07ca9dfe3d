import polars as pl

from pipelines.linkage.persons import gather

SOURCES = pl.Series(["caf", "caf", "cpam", "cpam", "cellule"])
COLUMNS = ["gauche", "droite", "source_g", "source_d", "poids"]


def _pairs(*rows: tuple[int, int, float]) -> pl.DataFrame:
    full = [(a, b, SOURCES[a], SOURCES[b], w) for a, b, w in rows]
    schema = dict(zip(COLUMNS, [pl.Int64, pl.Int64, pl.String, pl.String, pl.Float64], strict=True))
    return pl.DataFrame(full, schema=schema, orient="row").with_columns(
        motif=pl.lit("nir:. date:2 noms:3 prenoms:3"), a_jumeaux=pl.lit(False)
    )


def test_twins_are_not_one_person_however_heavy_their_link() -> None:
    twins = _pairs((0, 2, 30.0)).with_columns(motif=pl.lit("nir:. date:2 noms:3 prenoms:0"), a_jumeaux=True)
    assert gather(twins, SOURCES, 0.95).personne.tolist() == [0, 1, 2, 3, 4]


def test_an_equal_nir_tells_a_changed_given_name_from_a_twin() -> None:
    renamed = _pairs((0, 2, 30.0)).with_columns(motif=pl.lit("nir:1 date:2 noms:3 prenoms:0"), a_jumeaux=True)
    assert gather(renamed, SOURCES, 0.95).personne.tolist() == [0, 1, 0, 3, 4]


def test_a_consent_joins_the_person_its_candidates_already_are() -> None:
    persons = gather(_pairs((0, 2, 30.0), (0, 4, 20.0), (2, 4, 21.0)), SOURCES, 0.95)
    assert persons.personne.tolist() == [0, 1, 0, 3, 0]
    assert persons.ambigus.is_empty()


def test_a_consent_with_two_close_persons_is_linked_to_nobody() -> None:
    persons = gather(_pairs((0, 4, 20.0), (1, 4, 15.0)), SOURCES, 0.95)
    assert persons.personne.tolist() == [0, 1, 2, 3, 4]
    assert persons.ambigus.rows() == [(4, 2, 5.0)]


def test_a_far_second_does_not_make_a_consent_ambiguous() -> None:
    persons = gather(_pairs((0, 4, 20.0), (1, 4, 5.0)), SOURCES, 0.95)
    assert persons.personne.tolist() == [0, 1, 2, 3, 0]


def test_a_consent_below_the_threshold_is_neither_linked_nor_ambiguous() -> None:
    persons = gather(_pairs((0, 4, 2.0), (1, 4, 1.0)), SOURCES, 0.95)
    assert persons.personne.tolist() == [0, 1, 2, 3, 4]
    assert persons.ambigus.is_empty()
