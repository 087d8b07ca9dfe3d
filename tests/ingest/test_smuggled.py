"""A delivery that may name somebody is refused whole: where, what and how many lines, never a value."""

from pathlib import Path

import polars as pl
import pytest

from pipelines.ingest.smuggled import refuse_smuggled
from pipelines.refusals import ContractRefusal
from pipelines.warehouse import Warehouse
from schemas import TABLES
from schemas.reading import LINE
from tests.ingest.depot import Row, deliver, foyer, frame, hexa, sign, three_partners
from tests.ingest.test_deliveries import ingest

JUIN = "2026-06"
NIR, NAME = "180053155500159", "Zébulonde Quirinus"
ROW: dict[str, Row] = {
    "caf_foyers": foyer("f2", JUIN),
    "caf_personnes": {"personne_id": hexa("p2"), "foyer_id": hexa("f2"), "commune_insee": "31483"},
    "caf_ressources": {"personne_id": hexa("p2"), "mois": JUIN, "natress": "001", "montant": 1400.0},
    "dep_suivis": {"personne_id": hexa("p2"), "dispositif": "RSA", "mds": "MDS-31"},
    "enquetes": {"enquete_id": "E1", "repondant": hexa("r"), "question": "Q1", "reponse": "OUI"},
    "actions": {"action_id": hexa("a"), "lieu": "MARCHE", "commune_insee": "31483"},
}


def holding(table: str, column: str, values: list[str]) -> pl.DataFrame:
    """A delivered table: a usual row, and one for each value of this column."""
    usual = frame(table, [ROW[table]]).cast({column: pl.String})
    wrong = usual.drop(column).join(pl.DataFrame({column: values}), how="cross").select(usual.columns)
    return pl.concat([usual, wrong])


def said_of(table: str, rows: pl.DataFrame) -> str:
    """What is said of these rows, refused as they come."""
    strings = rows.cast(pl.String).with_row_index(LINE, offset=1)
    with pytest.raises(ContractRefusal) as caught:
        refuse_smuggled(strings, TABLES[table])
    return caught.value.quoi


def test_a_delivery_that_holds_a_nir_is_refused_before_any_row_enters(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    three_partners(tmp_path / "depot", JUIN)
    folder = deliver(tmp_path / "depot", "caf", JUIN)
    holding("caf_foyers", "foyer_id", [NIR]).write_parquet(folder / "caf_foyers.parquet")
    sign(folder)
    with pytest.raises(ContractRefusal, match=r"foyer_id \(NIR, 1 ligne") as caught:
        ingest(warehouse, tmp_path)
    assert caught.value.ou == f"dépôt, caf/{JUIN}/caf_foyers.parquet"
    assert "sans l'ouvrir" in str(caught.value.que_faire) and NIR not in str(caught.value)
    assert not warehouse.exists("meta__extraits")


@pytest.mark.parametrize(
    ("table", "column", "value", "kind"),
    [
        ("caf_foyers", "foyer_id", NIR, "NIR"),
        ("caf_foyers", "rsa_du", NIR, "NIR"),
        ("caf_ressources", "montant", "698765432", "téléphone"),
        ("caf_foyers", "mois", "06 98 76 54 32", "téléphone"),
        ("caf_personnes", "act", f"voir {NIR}", "NIR"),
        ("enquetes", "repondant", "radegonde@exemple.fr", "courriel"),
        ("dep_suivis", "mds", "FR76 3000 6000 0112 3456 7890 189", "IBAN"),
        ("actions", "lieu", "06.98.76.54.32", "téléphone"),
        ("caf_personnes", "role", NAME, "texte au lieu d'un code"),
        ("caf_personnes", "act", "ZEBULONDE", "texte au lieu d'un code"),
        ("dep_suivis", "dispositif", NAME, "texte au lieu d'un code"),
    ],
)
def test_each_kind_is_refused_wherever_it_hides(table: str, column: str, value: str, kind: str) -> None:
    said = said_of(table, holding(table, column, [value, value]))
    assert f"{column} ({kind}, 2 ligne(s), la première ligne 2)" in said
    assert value not in said


def test_a_name_a_line_is_seen_by_their_number_where_no_list_tells_the_codes() -> None:
    names = [f"ZEBULONDE{n:04}" for n in range(1000)]
    said = said_of("dep_suivis", holding("dep_suivis", "mds", names))
    assert "mds (trop de valeurs pour des codes, 1001 ligne(s))" in said


def test_new_codes_and_codes_of_ones_own_are_no_names(warehouse: Warehouse, tmp_path: Path) -> None:
    three_partners(tmp_path / "depot", JUIN)
    person = ROW["caf_personnes"] | {"act": "NEUF", "role": "???"}
    follow_up = ROW["dep_suivis"] | {"dispositif": "INSERTION", "mds": "Saint-Gaudens"}
    deliver(tmp_path / "depot", "caf", JUIN, {"caf_personnes": [person]})
    deliver(tmp_path / "depot", "departement", JUIN, {"dep_suivis": [follow_up]})
    ingest(warehouse, tmp_path)
    assert warehouse.count("raw_caf__personnes") == warehouse.count("raw_departement__suivis") == 1


def test_an_identity_file_holds_tokens_alone(warehouse: Warehouse, tmp_path: Path) -> None:
    three_partners(tmp_path / "depot", JUIN)
    folder = deliver(tmp_path / "depot", "caf", JUIN, {"caf_personnes": [ROW["caf_personnes"]]})
    path = folder / "caf_personnes__identite.parquet"
    tokens = pl.read_parquet(path).with_columns(jeton_nir=pl.lit(hexa("nir")))
    for wrong, told in (
        (tokens.with_columns(jeton_nir=pl.lit(NIR)), "jeton_nir (1 ligne(s))"),
        (tokens.with_columns(pl.lit(NAME).alias("nom")), f"colonne n° {tokens.width + 1} inconnue"),
    ):
        wrong.write_parquet(path)
        with pytest.raises(ContractRefusal, match="autre chose que des jetons") as caught:
            ingest(warehouse, sign(folder).parents[2])
        assert told in str(caught.value)
        assert not any(value in str(caught.value) for value in (NIR, NAME))
    tokens.write_parquet(path)
    ingest(warehouse, sign(folder).parents[2])
