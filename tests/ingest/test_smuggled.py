"""A delivery that may name somebody is refused whole: where, what and how many lines, never a value."""

from pathlib import Path

import polars as pl
import pytest

from pipelines.refusals import ContractRefusal
from pipelines.warehouse import Warehouse
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
PARTNER = {"dep_suivis": "departement", "enquetes": "cellule", "actions": "cellule"}


def refused(warehouse: Warehouse, root: Path, table: str, column: str, values: list[str]) -> str:
    """What ingestion says of a delivery with a usual row, and one for each value of this column."""
    three_partners(root / "depot", JUIN)
    partner = PARTNER.get(table, "caf")
    folder = deliver(root / "depot", partner, JUIN)
    usual = frame(table, [ROW[table]]).cast({column: pl.String})
    wrong = usual.drop(column).join(pl.DataFrame({column: values}), how="cross").select(usual.columns)
    pl.concat([usual, wrong]).write_parquet(folder / f"{table}.parquet")
    sign(folder)
    with pytest.raises(ContractRefusal) as caught:
        ingest(warehouse, root)
    assert caught.value.ou == f"dépôt, {partner}/{JUIN}/{table}.parquet"
    assert "sans l'ouvrir" in str(caught.value.que_faire)
    assert not any(value in str(caught.value) for value in values)
    assert not warehouse.exists("meta__extraits")
    return caught.value.quoi


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
def test_each_kind_is_refused_wherever_it_hides(
    warehouse: Warehouse, tmp_path: Path, table: str, column: str, value: str, kind: str
) -> None:
    said = refused(warehouse, tmp_path, table, column, [value, value])
    assert f"{column} ({kind}, 2 ligne(s), la première ligne 2)" in said


def test_a_name_a_line_is_seen_by_their_number_where_no_list_tells_the_codes(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    names = [f"ZEBULONDE{n:04}" for n in range(1000)]
    said = refused(warehouse, tmp_path, "dep_suivis", "mds", names)
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
