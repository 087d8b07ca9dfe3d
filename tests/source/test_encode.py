"""Tokens and filters: what they equal, what they hide, and their frozen values."""

import hmac

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.source import keys
from pipelines.source.encode import Encoder, Mac, bigrams, filters, identities, masks, tokens
from schemas import TABLES
from tests.source.conftest import PATIENT, PERSON

KEY = bytes(range(32))
ENCODER = Encoder(KEY, "caf", "2026")
MOIS = "2026-06"


def encoded(*people: dict[str, str], encoder: Encoder = ENCODER) -> list[dict[str, object]]:
    return identities(pl.DataFrame([PERSON | p for p in people]), encoder, MOIS).to_dicts()


JEAN = {"nom_naissance": "Le Goff", "prenoms": "Jean-Yves", "date_naissance": "1980-05-03"}


@PATIENT
@given(st.binary(min_size=32, max_size=32), st.lists(st.text(max_size=80), max_size=5))
def test_the_fast_loop_is_hmac_sha256(key: bytes, messages: list[str]) -> None:
    expected = [hmac.digest(key, message.encode(), "sha256") for message in messages]
    assert Mac(key).digests(pl.Series(messages, dtype=pl.String)) == expected


def independent_filter(key: bytes, date: str, words: str) -> tuple[int, ...]:
    bits = 0
    for word in (f"_{word}_" for word in words.split()):
        for i in range(len(word) - 1):
            digest = hmac.digest(key, f"{date}|{word[i : i + 2]}".encode(), "sha256")
            for j in range(15):
                bits |= 1 << int.from_bytes(digest[2 * j : 2 * j + 2], "little") % 512
    raw = bits.to_bytes(64, "little")
    words64 = (int.from_bytes(raw[8 * i : 8 * i + 8], "little", signed=True) for i in range(8))
    return (*words64, bits.bit_count())


WORDS = st.lists(st.text("ABCXYZ", min_size=1, max_size=6), min_size=1, max_size=4).map(" ".join)


@PATIENT
@given(st.lists(st.tuples(st.sampled_from(["1980-05-03", "1999-12-31"]), WORDS), max_size=6))
def test_a_filter_holds_fifteen_positions_per_salted_bigram(people: list[tuple[str, str]]) -> None:
    dates = pl.Series([date for date, _ in people], dtype=pl.String)
    words = pl.Series([word for _, word in people], dtype=pl.String)
    found = filters(Mac(KEY), "f", dates, words).rows()
    assert found == [independent_filter(KEY, date, word) for date, word in people]


def test_positions_are_spread_over_all_the_filter() -> None:
    digests = pl.Series(Mac(KEY).digests(pl.Series([f"x{i}" for i in range(2000)])), dtype=pl.Binary)
    mean_bits = masks(digests).select(pl.sum_horizontal(pl.all().bitwise_count_ones())).to_series().mean()
    assert mean_bits == pytest.approx(512 * (1 - (511 / 512) ** 15), abs=0.05)


def test_bigrams_mark_the_borders_of_each_word() -> None:
    found = pl.DataFrame({"m": ["LE GOFF"]}).select(bigrams(pl.col("m"))).item()
    assert set(found) == {"_L", "LE", "E_", "_G", "GO", "OF", "FF", "F_"}


@PATIENT
@given(st.lists(st.one_of(st.none(), st.sampled_from(["a", "b", "c"])), max_size=20))
def test_equal_texts_have_equal_tokens_and_missing_stays_missing(texts: list[str | None]) -> None:
    found = tokens(Mac(KEY), pl.Series(texts, dtype=pl.String)).to_list()
    expected = [
        None if text is None else hmac.digest(KEY, text.encode(), "sha256")[:16].hex() for text in texts
    ]
    assert found == expected


def test_the_columns_are_those_the_contract_declares() -> None:
    frame = identities(pl.DataFrame([PERSON]), ENCODER, MOIS)
    declared = TABLES["caf_personnes"].identite_columns[4:]
    assert tuple(frame.columns) == declared


def test_without_a_birth_date_no_filter_and_no_dated_token() -> None:
    (person,) = encoded(JEAN | {"date_naissance": "1980-00-00"})
    given = {name for name, value in person.items() if value is not None}
    assert given == {"jeton_phon_naissance_annee"}


def test_without_a_name_no_token_of_a_name() -> None:
    (person,) = encoded({"date_naissance": "1980-05-03"})
    assert {name for name, value in person.items() if value is not None} == {"jeton_lieu_date"}


def test_a_birth_name_here_equals_a_used_name_there() -> None:
    here, there = encoded(JEAN, JEAN | {"nom_naissance": "Martin", "nom_usage": "LE GOFF"})
    assert here["jeton_naissance_prenom_date"] == there["jeton_usage_prenom_date"]
    assert here["jeton_phon_naissance_annee"] == there["jeton_phon_usage_annee"]
    assert here["jeton_phon_naissance_date"] == there["jeton_phon_usage_date"]
    assert [here[f"filtre_naissance_{i}"] for i in range(8)] == [there[f"filtre_usage_{i}"] for i in range(8)]


@pytest.mark.parametrize(
    "variant", [{"nom_naissance": "LEGOFF"}, {"nom_naissance": "le  goff"}, {"prenoms": "JEAN YVES"}]
)
def test_spelling_habits_do_not_change_tokens(variant: dict[str, str]) -> None:
    one, other = encoded(JEAN, JEAN | variant)
    assert one == other


def test_one_letter_apart_filters_are_close_and_one_day_apart_they_are_not() -> None:
    base, typo, day = encoded(
        JEAN | {"nom_naissance": "Capdeville"},
        JEAN | {"nom_naissance": "Capdevile"},
        JEAN | {"nom_naissance": "Capdeville", "date_naissance": "1980-05-04"},
    )
    assert dice(base, typo) > 0.85
    assert dice(base, day) < 0.45


def dice(one: dict[str, object], other: dict[str, object]) -> float:
    common = sum(
        (
            int(str(one[f"filtre_naissance_{i}"])) & int(str(other[f"filtre_naissance_{i}"])) & (2**64 - 1)
        ).bit_count()
        for i in range(8)
    )
    return 2 * common / (int(str(one["filtre_naissance_bits"])) + int(str(other["filtre_naissance_bits"])))


@pytest.mark.parametrize("mistyped", ["1980-03-05", "1908-05-03", "1908-03-05"])
def test_swapped_parts_of_a_date_leave_a_token_of_its_digits(mistyped: str) -> None:
    right, wrong = encoded(JEAN, JEAN | {"date_naissance": mistyped})
    token = "jeton_phon_naissance_chiffres"
    assert right[token] == wrong[token]
    assert right["jeton_phon_naissance_date"] != wrong["jeton_phon_naissance_date"]


def test_a_mistyped_year_leaves_a_token_of_day_and_month() -> None:
    right, wrong = encoded(JEAN, JEAN | {"date_naissance": "1981-05-03"})
    assert right["jeton_phon_naissance_jour"] == wrong["jeton_phon_naissance_jour"]


def test_a_right_nir_bound_to_the_first_name_survives_a_wrong_date() -> None:
    person = JEAN | {"nir": "180053155500159", "sexe": "1"}
    right, wrong = encoded(person, person | {"date_naissance": "1908-03-05"})
    assert right["jeton_nir_prenom"] == wrong["jeton_nir_prenom"] is not None


def test_a_child_does_not_bear_the_number_of_its_parent() -> None:
    parent = JEAN | {"nir": "180053155500159", "sexe": "1"}
    child = parent | {"prenoms": "Malo", "date_naissance": "2010-02-01"}
    insured, covered = encoded(parent, child)
    assert insured["jeton_nir"] is not None
    assert covered["jeton_nir"] is covered["jeton_nir_prenom"] is None


def test_no_token_is_of_a_date_alone() -> None:
    (person,) = encoded({"date_naissance": "1980-05-03", "lieu_naissance": ""})
    assert {name for name, value in person.items() if value is not None} == set()


def test_partners_share_identity_tokens_and_no_identifier() -> None:
    cpam = Encoder(KEY, "cpam", "2026")
    assert encoded(JEAN) == encoded(JEAN, encoder=cpam)
    text = pl.Series(["123"])
    assert tokens(ENCODER.identifier("personne"), text)[0] != tokens(cpam.identifier("personne"), text)[0]


def test_a_new_epoch_changes_tokens_and_keeps_identifiers() -> None:
    later = Encoder(KEY, "caf", "2027")
    one, other = encoded(JEAN)[0], encoded(JEAN, encoder=later)[0]
    given = [name for name, value in one.items() if value is not None and not name.endswith("_bits")]
    assert given and all(one[name] != other[name] for name in given)
    text = pl.Series(["123"])
    assert tokens(ENCODER.identifier("personne"), text)[0] == tokens(later.identifier("personne"), text)[0]


def test_a_dwelling_is_keyed_for_one_delivery() -> None:
    text = pl.Series(["1 RUE X|31483"])
    found = {tokens(ENCODER.dwelling(mois), text)[0] for mois in ("2026-05", "2026-06")}
    assert len(found) == 2


FROZEN_PERSON = {
    "nir": "180053155500159",
    "nom_naissance": "de La Tour-d'Auvergne",
    "nom_usage": "Cœuret",
    "prenoms": "Théophile, Malo",
    "date_naissance": "1980-05-03",
}
FROZEN: dict[str, object] = {
    "jeton_nir": "93ecfe55e747dff0d3a6fe6b7c403c6b",
    "jeton_nir_prenom": "c720367446eb89f562c64c512e924db6",
    "jeton_nir_provisoire": None,
    "jeton_naissance_prenom_date": "884fbd0a9c2a016f7f14d5ccb1b20d4c",
    "jeton_usage_prenom_date": "3133dcf35555606053ef995b067bdd76",
    "jeton_prenom_date": "52b77726a29d3da59caafb8f4836fe75",
    "jeton_phon_naissance_annee": "df2222a9dcc178016cee613529dbc944",
    "jeton_phon_usage_annee": "cab8a85255a69984f411d4c11fd62fb2",
    "jeton_phon_naissance_chiffres": "497993201ffa6e3d53a6d72454ce7440",
    "jeton_phon_usage_chiffres": "b2226745c3cc30cf11b83ac7d8b20694",
    "jeton_phon_naissance_jour": "138d70512dd9b426357792bc8c3b5591",
    "jeton_phon_usage_jour": "e0c3fecf58be891d7277d44794b20c28",
    "jeton_phon_naissance_date": "37bdf35a6f4c9f489ed5291320315111",
    "jeton_phon_usage_date": "ec1466a8b755f893d23cbd9817d91be2",
    "jeton_lieu_date": "02ce30ddea701fb2e132f2a5090f4159",
    "filtre_naissance_0": -2692717048491891325,
    "filtre_naissance_1": 1501637187217844846,
    "filtre_naissance_2": -4323300909434371912,
    "filtre_naissance_3": -3885119672056764114,
    "filtre_naissance_4": 7394129149493819066,
    "filtre_naissance_5": -1420697665872067514,
    "filtre_naissance_6": 8508542836531254419,
    "filtre_naissance_7": -3334580782765733781,
    "filtre_naissance_bits": 217,
    "filtre_usage_0": -7782148273912926200,
    "filtre_usage_1": 1155458150947653666,
    "filtre_usage_2": 180858942816276496,
    "filtre_usage_3": 831002379209408528,
    "filtre_usage_4": 4107468824096407857,
    "filtre_usage_5": -8493365773399425020,
    "filtre_usage_6": 3459899252782793801,
    "filtre_usage_7": -9220557243051654784,
    "filtre_usage_bits": 112,
    "filtre_prenoms_0": -7734541938891469988,
    "filtre_prenoms_1": 955634099636477952,
    "filtre_prenoms_2": 8422014737861059862,
    "filtre_prenoms_3": -4030815913357966313,
    "filtre_prenoms_4": -4457999855531974399,
    "filtre_prenoms_5": -1866647860107534271,
    "filtre_prenoms_6": 81609072306104842,
    "filtre_prenoms_7": 6981153957562581918,
    "filtre_prenoms_bits": 181,
}


def test_frozen_values() -> None:
    """Two partners with two versions of the software must make the same tokens: never edit these."""
    (person,) = encoded(FROZEN_PERSON)
    assert {name: person[name] for name in FROZEN} == FROZEN
    assert tokens(ENCODER.identifier("personne"), pl.Series(["123"]))[0] == "4da5cf19a5960eef3ea8d293b19feeee"
    assert (
        tokens(ENCODER.dwelling(MOIS), pl.Series(["1 RUE X|31483"]))[0] == "67fb5f24b708208d3779ae128beab588"
    )
    assert keys.check_value(KEY, "2026") == "56d9b1a234b40aaf"
    assert keys.fingerprint(KEY) == "46a3efe2e6d80fac"
