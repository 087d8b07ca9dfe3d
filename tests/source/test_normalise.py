"""Names, dates and addresses: one way of writing, whatever the system they came from."""

import unicodedata

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.source import normalise
from tests.source.conftest import PATIENT


def one(expression: pl.Expr, **values: str | None) -> object:
    return pl.DataFrame(
        {k: [v] for k, v in values.items()}, schema=dict.fromkeys(values, pl.String)
    ).select(expression).item()  # fmt: skip


def letters(text: str | None) -> object:
    return one(normalise.letters(pl.col("a")), a=text)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("Éléonore", "ELEONORE"),
        ("Cœur", "COEUR"),
        ("Lætitia", "LAETITIA"),
        ("Straße", "STRASSE"),
        ("d'Artagnan", "D ARTAGNAN"),
        ("L’Hôpital", "L HOPITAL"),
        ("Le Goff-Péron", "LE GOFF PERON"),
        ("St-Jean", "SAINT JEAN"),
        ("Ste  Marie", "SAINTE MARIE"),
        ("STEPHANE", "STEPHANE"),
        ("Nuñez", "NUNEZ"),
        ("ÿ", "Y"),
        ("Ǽ", "AE"),
        ("  ", None),
        ("--", None),
        ("Иванов", None),
        (None, None),
    ],
)
def test_a_name_becomes_words_of_plain_letters(typed: str | None, expected: str | None) -> None:
    assert letters(typed) == expected


TEXT = st.text(
    st.characters(codec="utf-8", categories=["L", "M", "N", "P", "Z"], max_codepoint=0x24F), max_size=30
)


@PATIENT
@given(TEXT)
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert letters(letters(text)) == letters(text)  # type: ignore[arg-type]


@PATIENT
@given(TEXT)
def test_the_form_of_accents_does_not_matter(text: str) -> None:
    assert letters(unicodedata.normalize("NFD", text)) == letters(unicodedata.normalize("NFC", text))


LATIN = "abcdefghijklmnopqrstuvwxyzàâäçéèêëîïôöùûüÿœæß -'"


@PATIENT
@given(st.text(st.sampled_from(LATIN), max_size=30))
def test_accents_and_case_do_not_matter(text: str) -> None:
    stripped = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    assert letters(text) == letters(text.upper()) == letters(stripped)


@PATIENT
@given(st.text(max_size=40))
def test_only_letters_and_single_spaces_are_left(text: str) -> None:
    found = letters(text)
    assert found is None or (
        isinstance(found, str) and all(word.isascii() and word.isalpha() for word in found.split(" "))
    )


@pytest.mark.parametrize(
    ("words", "joined"),
    [
        ("DE LA TOUR", "DELATOUR"),
        ("LE GOFF MARTIN", "LEGOFF MARTIN"),
        ("SAINT JEAN", "SAINTJEAN"),
        ("MARTIN DUPONT", "MARTIN DUPONT"),
        ("LE", "LE"),
        ("LELE", "LELE"),
    ],
)
def test_particles_are_glued_to_what_follows(words: str, joined: str) -> None:
    assert one(normalise.joined_particles(pl.col("a")), a=words) == joined


def names(naissance: str | None, usage: str | None, prenoms: str | None) -> tuple[object, ...]:
    found = normalise.names("n", "u", "p")
    frame = pl.DataFrame(
        {"n": [naissance], "u": [usage], "p": [prenoms]}, schema=dict.fromkeys("nup", pl.String)
    )
    return frame.select(
        a=found.naissance, b=found.usage, c=found.prenoms, d=found.premier_prenom
    ).row(0)  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (("Martin dit Lafleur", None, "Jean"), ("MARTIN", "LAFLEUR", "JEAN", "JEAN")),
        (("Martin", "Dupont née Martin", "Anne, Marie"), ("MARTIN", "DUPONT", "ANNE MARIE", "ANNE")),
        ((None, "Dupont née Martin", "Anne"), ("MARTIN", "DUPONT", "ANNE", "ANNE")),
        (("Martin épouse Dupont", "", "Anne"), ("MARTIN", "DUPONT", "ANNE", "ANNE")),
        (("Martin", "", "Jean-Pierre Paul"), ("MARTIN", None, "JEAN PIERRE PAUL", "JEAN")),
        (("NON RENSEIGNÉ", "?", "x"), (None, None, None, None)),
        (("Dit", "", "Ali"), ("DIT", None, "ALI", "ALI")),
    ],
)
def test_alternates_fill_the_other_name_and_empty_is_missing(
    typed: tuple[str | None, str | None, str | None], expected: tuple[str | None, ...]
) -> None:
    assert names(*typed) == expected


@pytest.mark.parametrize(
    ("typed", "date", "year", "month"),
    [
        ("1980-05-03", "1980-05-03", 1980, 5),
        ("1980-05-03 00:00:00", "1980-05-03", 1980, 5),
        ("1980-05-00", None, 1980, 5),
        ("1980-99-99", None, 1980, None),
        ("1980-00-00", None, 1980, None),
        ("1981-02-29", None, 1981, 2),
        ("1028-05-03", None, None, None),
        ("2026-07-01", None, 2026, None),
        ("2031-01-01", None, None, None),
        ("03/05/1980", None, None, None),
        ("", None, None, None),
        (None, None, None, None),
    ],
)
def test_an_unknown_part_of_a_birth_date_leaves_the_rest(
    typed: str | None, date: str | None, year: int | None, month: int | None
) -> None:
    born = normalise.birth("d", "2026-06")
    frame = pl.DataFrame({"d": [typed]}, schema={"d": pl.String})
    assert frame.select(a=born.date, b=born.annee, c=born.mois).row(0) == (date, year, month)


@pytest.mark.parametrize(
    ("one_way", "another"),
    [
        ("12 av. de la République", "12 AVENUE REPUBLIQUE"),
        ("3 Chemin du Moulin 31800 Saint-Gaudens", "3 che moulin"),
        ("4 bis r. de l'Église", "4 BIS RUE EGLISE"),
        ("Lieu-dit Larrieu", "LARRIEU"),
    ],
)
def test_one_dwelling_is_written_one_way(one_way: str, another: str) -> None:
    dwelling = normalise.dwelling("a", "c")
    assert one(dwelling, a=one_way, c="31483") == one(dwelling, a=another, c="31483") is not None


@pytest.mark.parametrize("address", ["Le Bourg", "au village", "CCAS, place de la mairie", "", None])
def test_an_address_shared_by_many_is_no_dwelling(address: str | None) -> None:
    assert one(normalise.dwelling("a", "c"), a=address, c="31483") is None


def test_one_address_in_two_communes_is_two_dwellings() -> None:
    dwelling = normalise.dwelling("a", "c")
    assert one(dwelling, a="1 rue X", c="31483") != one(dwelling, a="1 rue X", c="31042")
    assert one(dwelling, a="1 rue X", c=None) is None
