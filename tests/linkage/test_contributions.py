import duckdb
import polars as pl

from pipelines.linkage.contributions import contributions
from pipelines.linkage.sources import FILTER_COLUMNS, TOKENS


def test_a_rule_is_told_what_it_finds_and_what_it_alone_finds() -> None:
    nothing = dict.fromkeys((*TOKENS, *FILTER_COLUMNS)) | {"commune_insee": 31, "sexe": None, "source": "caf"}
    fiches = pl.DataFrame(
        [
            nothing | {"fiche": 0, "jeton_nir": 1, "jeton_naissance_prenom_date": 2},
            nothing | {"fiche": 1, "jeton_nir": 1, "jeton_naissance_prenom_date": 2},
            nothing | {"fiche": 2, "jeton_nir": 1},
        ],
        schema=dict.fromkeys(nothing, pl.Int64) | {"source": pl.String, "fiche": pl.Int64},
    )
    pairs = pl.DataFrame(
        {
            "gauche": [0, 0, 1], "droite": [1, 2, 2], "poids": [30.0, 20.0, 1.0], "a_jumeaux": False,
            "motif": "nir:1", "source_g": "caf", "source_d": ["cpam", "cpam", "caf"],
        }
    )  # fmt: skip
    with duckdb.connect() as room:
        room.register("fiches", fiches.to_arrow())
        told = contributions(room, pairs, 0.95).filter(pl.col("liens") > 0)
    assert told.select("famille", "liens", "liens_seule").sort("famille").rows() == [
        ("NIR", 2, 1),
        ("nom, prénom et date", 1, 0),
    ]


def test_nothing_is_told_where_nothing_is_linked() -> None:
    nobody = dict.fromkeys(("source_g", "source_d", "motif"), pl.String) | {"poids": pl.Float64}
    nobody |= {"gauche": pl.Int64, "droite": pl.Int64, "a_jumeaux": pl.Boolean}
    with duckdb.connect() as room:
        assert contributions(room, pl.DataFrame(schema=nobody), 0.95).is_empty()
