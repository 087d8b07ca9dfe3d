"""What the contract refuses, sets aside, keeps and counts."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.refusals import ContractRefusal
from schemas import TABLES
from schemas.check import check
from tests.schemas.lines import COMMUNES, checked, rejected, table

FOYER = "foyer_id=f1 mois=2026-06 commune_insee=31483"
HEX = "0123456789abcdef0123456789abcdef"


def test_a_missing_column_is_refused_by_name() -> None:
    frame = table("caf_ressources", "personne_id=p1").drop("montant")
    with pytest.raises(ContractRefusal, match="Colonne absente : montant"):
        check(frame, TABLES["caf_ressources"], "nominative", "2026-06", COMMUNES)


def test_an_unknown_column_is_refused_by_name() -> None:
    frame = table("caf_ressources", "personne_id=p1").with_columns(telephone_2=pl.lit("x"))
    with pytest.raises(ContractRefusal, match="« telephone_2 »"):
        check(frame, TABLES["caf_ressources"], "nominative", "2026-06", COMMUNES)


@pytest.mark.parametrize("name", ["1850231483001", "jeanne@exemple.fr", "x" * 60])
def test_an_unknown_column_that_may_be_an_identifier_is_told_by_its_number(name: str) -> None:
    frame = table("caf_ressources", "personne_id=p1").with_columns(pl.lit("x").alias(name))
    with pytest.raises(ContractRefusal, match="n° 5") as refusal:
        check(frame, TABLES["caf_ressources"], "nominative", "2026-06", COMMUNES)
    assert name not in str(refusal.value)


def test_a_file_without_header_is_refused_without_quoting_its_first_line() -> None:
    frame = pl.DataFrame({"DUPONT": ["x"], "Jeanne": ["y"], "ligne": [2]})
    with pytest.raises(ContractRefusal, match="en-tête") as refusal:
        check(frame, TABLES["caf_ressources"], "nominative", "2026-06", COMMUNES)
    assert "DUPONT" not in str(refusal.value)


def test_column_order_is_free() -> None:
    frame = table("caf_ressources", "personne_id=p1 mois=2026-06 natress=001 montant=10")
    shuffled = frame.select(reversed(frame.columns))
    result = check(shuffled, TABLES["caf_ressources"], "nominative", "2026-06", COMMUNES)
    assert result.accepted.rows() == [("p1", "2026-06", "001", 10.0)]


def test_empty_is_unknown_never_zero() -> None:
    row = checked("caf_foyers", FOYER).accepted
    assert row.select("rsa_du", "rsa_etat", "af").row(0) == (None, None, None)


@pytest.mark.parametrize("written", ["1234.5", "1234,5", "1 234,5", "1\u202f234,5", "1234.50"])
def test_a_decimal_comma_and_thousands_spaces_are_read(written: str) -> None:
    frame = table("caf_ressources", "personne_id=p1 mois=2026-06 natress=001")
    frame = frame.with_columns(montant=pl.lit(written))
    result = check(frame, TABLES["caf_ressources"], "nominative", "2026-06", COMMUNES)
    assert result.accepted["montant"].to_list() == [1234.5]


@pytest.mark.parametrize(
    ("name", "line", "rule"),
    [
        ("caf_foyers", f"{FOYER} rsa_du=abc", "type:rsa_du"),
        ("caf_foyers", f"{FOYER} rsa_du=inf", "type:rsa_du"),
        ("caf_foyers", f"{FOYER} rsa_du=-1", "negatif:rsa_du"),
        ("caf_foyers", "foyer_id=f1 mois=2026-07 commune_insee=31483", "fenetre:mois"),
        ("caf_foyers", "foyer_id=f1 mois=2024-06 commune_insee=31483", "fenetre:mois"),
        ("caf_foyers", "foyer_id=f1 mois=06/2026 commune_insee=31483", "type:mois"),
        ("caf_foyers", "foyer_id=f1 commune_insee=31483", "cle_vide:mois"),
        ("caf_foyers", "mois=2026-06 commune_insee=31483", "cle_vide:foyer_id"),
        ("caf_foyers", "foyer_id=f1 mois=2026-06 commune_insee=99999", "commune:commune_insee"),
        ("caf_foyers", f"{FOYER} rsa_etat=5 rsa_du=100", "rsa_du_dossier_clos"),
        ("caf_foyers", f"{FOYER} ppa_etat=5 ppa_due=100", "ppa_due_dossier_clos"),
        ("caf_foyers", f"{FOYER} dtr_phase=4", "hors_bornes:dtr_phase"),
        ("caf_personnes", "personne_id=p1 foyer_id=f1 etudiant=2", "type:etudiant"),
        (
            "caf_personnes",
            "personne_id=p1 foyer_id=f1 present_du=2026-02 present_au=2026-01",
            "periode_inversee:present_au",
        ),
        ("caf_ressources", "personne_id=p1 mois=2026-06 natress=000 montant=5", "nul_avec_montant"),
        ("cpam_rattachements", "enfant_id=p1 ouvrant_droit_id=p1", "rattache_a_soi"),
        ("actions", "action_id=a1 date=12/06/2026", "type:date"),
    ],
)
def test_a_row_that_breaks_a_rule_is_set_aside_with_its_line(name: str, line: str, rule: str) -> None:
    assert rejected(name, line) == {2: rule}


def test_the_first_month_of_the_window_is_inside() -> None:
    assert rejected("caf_foyers", "foyer_id=f1 mois=2024-07 commune_insee=31483") == {}


def test_an_amount_beside_state_6_belongs_to_an_earlier_month_and_is_kept() -> None:
    assert rejected("caf_foyers", f"{FOYER} rsa_etat=6 rsa_du=100") == {}


def test_two_different_rows_of_one_key_are_both_set_aside() -> None:
    one, other = f"{FOYER} rsa_du=1", f"{FOYER} rsa_du=2"
    assert rejected("caf_foyers", one, other) == {2: "cle_double", 3: "cle_double"}


def test_an_exact_repetition_is_set_aside_and_the_first_kept() -> None:
    assert rejected("caf_foyers", FOYER, FOYER, FOYER) == {3: "doublon", 4: "doublon"}


def test_a_row_already_set_aside_does_not_double_a_sound_one() -> None:
    assert rejected("caf_foyers", FOYER, f"{FOYER} rsa_du=-1") == {3: "negatif:rsa_du"}


def test_a_person_who_left_and_came_back_has_two_rows() -> None:
    person = "personne_id=p1 foyer_id=f1"
    stays = (f"{person} present_du=2024-01 present_au=2024-09", f"{person} present_du=2025-03")
    assert rejected("caf_personnes", *stays) == {}


def test_a_merged_commune_becomes_the_present_one() -> None:
    result = checked("caf_foyers", "foyer_id=f1 mois=2026-06 commune_insee=31999")
    assert result.accepted["commune_insee"].to_list() == ["31483"]


def test_a_leading_zero_eaten_by_a_spreadsheet_comes_back() -> None:
    result = checked("caf_ressources", "personne_id=p1 mois=2026-06 natress=1 montant=5")
    assert result.accepted["natress"].to_list() == ["001"]


def test_an_unknown_code_is_kept_and_counted() -> None:
    result = checked("caf_foyers", f"{FOYER} sitfam=ZZZ", "foyer_id=f2 mois=2026-06 sitfam=MAR")
    assert (result.accepted.height, result.unknown_codes) == (2, {"sitfam": {"ZZZ": 1}})


def test_an_unknown_code_that_looks_like_no_code_is_counted_but_not_told() -> None:
    result = checked("caf_foyers", f"{FOYER} sitfam=1850231483001")
    assert result.unknown_codes == {"sitfam": {"(autre)": 1}}


def test_an_implausible_identity_field_is_missing_and_the_row_stays() -> None:
    line = (
        "personne_id=p1 foyer_id=f1 date_naissance=1028-05-03 sexe=9 lieu_naissance=TOULOUSE "
        "commune_insee=00000 nir=12"
    )
    result = checked("caf_personnes", line)
    fields = ("date_naissance", "sexe", "lieu_naissance", "commune_insee", "nir")
    assert result.accepted.select(fields).row(0) == (None,) * 5
    assert result.implausible == dict.fromkeys(("nir", "date_naissance", "sexe"), 1) | dict.fromkeys(
        ("lieu_naissance", "commune_insee"), 1
    )


@pytest.mark.parametrize("date", ["1980-00-00", "1980-99-99", "1980-05-00"])
def test_an_unknown_day_or_month_of_birth_is_kept(date: str) -> None:
    result = checked("caf_personnes", f"personne_id=p1 foyer_id=f1 date_naissance={date}")
    assert result.accepted["date_naissance"].to_list() == [date]


def test_a_doubtful_event_takes_its_whole_consent_with_it() -> None:
    given_ = "consentement_id=c1 evenement=DONNE evenement_le=2026-05-02"
    withdrawn = "consentement_id=c1 evenement=RETIRE evenement_le=demain"
    other = "consentement_id=c2 evenement=DONNE evenement_le=2026-05-02"
    assert rejected("consentements", given_, withdrawn, other) == {2: "solidaire", 3: "type:evenement_le"}


def test_an_opposition_with_a_bad_date_stays() -> None:
    assert rejected("oppositions", "objet=TRAITEMENT depuis_le=hier") == {}


def test_a_clear_identifier_in_a_delivered_file_is_set_aside() -> None:
    line = "mois=2026-06 natress=001 montant=1"
    clear, keyed = f"personne_id=1850231483001 {line}", f"personne_id={HEX} {line}"
    assert rejected("caf_ressources", clear, keyed, variant="delivered") == {2: "type:personne_id"}


def test_printing_a_result_shows_no_row() -> None:
    assert "f1" not in repr(checked("caf_foyers", FOYER, f"{FOYER} rsa_du=-1"))


_VALUE = st.sampled_from(["", "p1", "p2", "2026-06", "2020-01", "000", "001", "ZZZ", "12,5", "-3", "x", "é;"])


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.tuples(_VALUE, _VALUE, _VALUE, _VALUE), max_size=12))
def test_rows_in_are_rows_accepted_plus_rows_set_aside(rows: list[tuple[str, ...]]) -> None:
    columns = TABLES["caf_ressources"].columns
    frame = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
    numbered = frame.with_columns(pl.int_range(2, pl.len() + 2, dtype=pl.Int64).alias("ligne"))
    result = check(numbered, TABLES["caf_ressources"], "nominative", "2026-06", COMMUNES)
    assert result.accepted.height + result.rejected.height == len(rows)
    assert result.rejected["ligne"].is_unique().all()
    assert not result.accepted.select(TABLES["caf_ressources"].key).is_duplicated().any()
