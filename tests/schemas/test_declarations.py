"""One declaration, several readers: tables, Pandera, dictionary, warehouse."""

import json
from pathlib import Path

import pandera.polars as pa
import polars as pl
import pytest

from schemas import RAW_MARKS, TABLES, WAREHOUSE_TABLES, check_table, tables_of
from schemas.dictionary import table_schema, write_dictionary
from schemas.fields import FIELDS, kind_of, list_of
from schemas.nomenclatures import all_lists, label, nomenclature
from schemas.tables import IDENTITY, SAMPLE_ANSWERS, Variant
from schemas.warehouse_tables import TableMismatch

VARIANTS: tuple[Variant, ...] = ("nominative", "delivered", "identite")


def _columns_in_use() -> set[str]:
    contract = {*SAMPLE_ANSWERS.own}
    contract |= {c for table in TABLES.values() for variant in VARIANTS for c in table.columns_of(variant)}
    return contract | set(RAW_MARKS) | {c for table in WAREHOUSE_TABLES.values() for c in table.columns}


def test_every_declared_column_is_used_and_described() -> None:
    assert set(FIELDS) == _columns_in_use()
    assert all(field.description for field in FIELDS.values())


def test_every_code_list_of_a_column_exists_and_every_list_is_used() -> None:
    assert {list_of(name) for name in FIELDS} - {None} == set(all_lists())


def test_a_code_has_its_french_label_and_an_unknown_one_speaks_for_itself() -> None:
    assert (label("ETATDOSRSA", "2"), label("ETATDOSRSA", "9")) == ("Droit ouvert et versable", "9")


def test_only_lists_of_one_width_with_a_leading_zero_are_padded() -> None:
    assert (nomenclature("NATRESS").width, nomenclature("SITFAM").width) == (3, None)


def test_no_identity_column_but_sex_and_commune_is_delivered() -> None:
    clear = {"sexe", "commune_insee"}
    for table in TABLES.values():
        delivered = {*table.delivered_columns, *table.identite_columns}
        assert delivered & set(IDENTITY) <= clear
        assert delivered.isdisjoint(table.vault)


def test_the_identity_file_of_a_table_carries_its_first_key() -> None:
    assert TABLES["caf_personnes"].identite_columns[0] == "personne_id"
    assert TABLES["oppositions"].identite_columns[0] == "consentement_id"
    assert TABLES["dep_rsa"].identite is None


def test_names_in_the_warehouse_follow_the_partner() -> None:
    names = {t: (TABLES[t].raw_name, TABLES[t].core_name) for t in ("caf_foyers", "dep_rsa", "oppositions")}
    assert names == {
        "caf_foyers": ("raw_caf__foyers", "core__caf_foyers"),
        "dep_rsa": ("raw_departement__rsa", "core__departement_rsa"),
        "oppositions": ("raw_cellule__oppositions", "core__cellule_oppositions"),
    }


def test_the_answers_to_a_sample_are_a_form_and_no_extract() -> None:
    assert SAMPLE_ANSWERS.name not in TABLES
    assert not {"personne_id", "volet", *IDENTITY} & set(SAMPLE_ANSWERS.own)


def test_msa_tables_are_those_of_caf_and_cpam_under_another_name() -> None:
    assert TABLES["msa_foyers"].columns == TABLES["caf_foyers"].columns
    assert TABLES["msa_assures"].columns == TABLES["cpam_assures"].columns
    assert all(table.est_optionnelle for table in tables_of("msa"))


@pytest.mark.parametrize("bad", [{"mois": "juin"}, {"montant": -1.0}, {"personne_id": None}])
def test_pandera_refuses_a_known_bad_eager_frame(bad: dict[str, object]) -> None:
    row = {"personne_id": "a" * 32, "mois": "2026-06", "natress": "001", "montant": 1.0} | bad
    schema = {c: kind_of(c).dtype for c in row}
    with pytest.raises(pa.errors.SchemaError):
        TABLES["caf_ressources"].delivered.validate(pl.DataFrame([row], schema=schema))


def _rights(**changes: object) -> pl.DataFrame:
    row = {
        "menage_id": "m1",
        "instrument": "caf",
        "mois": "2026-06",
        "droit": "rsa",
        "eligible": "oui",
        "motif": None,
        "montant_eur_mois": 500.0,
        "poids_eligible": 1.0,
    } | changes
    return pl.DataFrame([row], schema_overrides={"motif": pl.String})


def test_a_table_of_the_warehouse_that_follows_its_declaration_passes() -> None:
    check_table("core__droits", _rights())
    check_table("core__droits", _rights().with_columns(profil=pl.lit("x")))


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (_rights().drop("mois"), "colonne absente mois"),
        (_rights(poids_eligible=1), "poids_eligible est Int64"),
        (_rights(poids_eligible=1.5), "valeurs exclues dans poids_eligible"),
        (pl.concat([_rights(), _rights()]), "clé répétée"),
    ],
)
def test_a_table_that_does_not_is_refused_without_a_value(frame: pl.DataFrame, said: str) -> None:
    with pytest.raises(TableMismatch, match=said) as refusal:
        check_table("core__droits", frame)
    assert "m1" not in str(refusal.value)


def test_a_closed_table_refuses_a_column_too_many() -> None:
    frame = pl.DataFrame({"consentement_id": ["c"], "droit": ["rsa"], "echeance": [None], "score": [0.9]})
    with pytest.raises(TableMismatch, match="colonne en trop score"):
        check_table("out__a_rappeler", frame)


def test_the_dictionary_names_every_table_and_every_contract_column(tmp_path: Path) -> None:
    page, *schemas = write_dictionary(tmp_path)
    text = page.read_text(encoding="utf-8")
    names = (*TABLES, SAMPLE_ANSWERS.name)
    assert [path.name for path in schemas] == [f"{name}.schema.json" for name in names]
    for table in TABLES.values():
        assert f"## `{table.name}`" in text
        assert all(f"`{c}`" in text for c in (*table.columns, *table.delivered_columns))


def test_a_table_schema_states_types_constraints_and_key() -> None:
    schema = table_schema(TABLES["caf_ressources"])
    fields = {field["name"]: field for field in schema["fields"]}
    assert schema["primaryKey"] == ["personne_id", "mois", "natress"]
    assert fields["montant"]["type"] == "number"
    assert fields["montant"]["constraints"] == {"minimum": 0}
    assert fields["mois"] | {"description": ""} == {
        "name": "mois",
        "type": "yearmonth",
        "description": "",
        "constraints": {"required": True},
    }
    assert json.loads(json.dumps(schema)) == schema
