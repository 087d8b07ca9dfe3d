"""Tokens and filters: what they equal, what they hide. Frozen values: test_vecteurs."""

import hmac

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    assert given == {"jeton_naissance_prenom_commune"}


def test_without_a_name_no_token_of_a_name() -> None:
    (person,) = encoded({"date_naissance": "1980-05-03"})
    assert {name for name, value in person.items() if value is not None} == {"jeton_date_commune"}


def test_a_birth_name_here_equals_a_used_name_there() -> None:
    here, there = encoded(JEAN, JEAN | {"nom_naissance": "Martin", "nom_usage": "LE GOFF"})
    assert here["jeton_naissance_prenom_date"] == there["jeton_usage_prenom_date"]
    assert here["jeton_naissance_prenom_commune"] == there["jeton_usage_prenom_commune"]
    assert here["jeton_naissance_initiale_date"] == there["jeton_usage_initiale_date"]
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
    token = "jeton_naissance_prenom_chiffres"
    assert right[token] == wrong[token]
    assert right["jeton_naissance_initiale_date"] != wrong["jeton_naissance_initiale_date"]


def test_a_wrong_date_leaves_a_token_of_the_names_where_they_live() -> None:
    right, wrong = encoded(JEAN, JEAN | {"date_naissance": "1981-05-07"})
    assert right["jeton_naissance_prenom_commune"] == wrong["jeton_naissance_prenom_commune"]


def test_a_name_and_a_first_name_in_each_others_place_leave_one_token() -> None:
    right, turned = encoded(
        JEAN | {"nom_naissance": "Thomas", "prenoms": "Martin"},
        JEAN | {"nom_naissance": "Martin", "prenoms": "Thomas"},
    )
    assert right["jeton_naissance_prenom_date"] == turned["jeton_naissance_prenom_date"]


def test_who_moved_has_other_filters_and_the_tokens_of_names_and_date() -> None:
    here, there = encoded(JEAN, JEAN | {"commune_insee": "31555"})
    assert dice(here, there) < 0.45
    kept = {name for name in here if here[name] == there[name] and here[name] is not None}
    assert {"jeton_naissance_prenom_date", "jeton_naissance_initiale_date"} <= kept
    assert "jeton_naissance_debut_prenom_date" in kept


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
    (person,) = encoded({"date_naissance": "1980-05-03", "lieu_naissance": "", "commune_insee": None})
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


def test_two_versions_of_the_encoding_share_no_token_and_every_identifier(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = pl.Series(["123"])
    one, before = encoded(JEAN)[0], tokens(ENCODER.identifier("personne"), text)[0]
    monkeypatch.setattr("pipelines.source.encode.ENCODING_VERSION", "autre")
    other, after = encoded(JEAN)[0], tokens(ENCODER.identifier("personne"), text)[0]
    given = [name for name, value in one.items() if value is not None and not name.endswith("_bits")]
    assert given and all(one[name] != other[name] for name in given)
    assert before == after


def test_a_dwelling_is_keyed_for_one_delivery() -> None:
    text = pl.Series(["1 RUE X|31483"])
    found = {tokens(ENCODER.dwelling(mois), text)[0] for mois in ("2026-05", "2026-06")}
    assert len(found) == 2
