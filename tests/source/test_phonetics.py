"""The phonetic code: names said alike share it. Its table is frozen in test_vecteurs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.source.phonetics import phonetic
from tests.source.conftest import PATIENT

FROZEN = {
    "DUPONT": "DUP7",
    "LEFEBVRE": "LEFEVR",
    "REYNAULT": "RENO",
    "GUILLAUME": "GIOM",
    "CHRISTOPHE": "KRISTOF",
    "PHILIPPE": "FILIP",
    "BLANCHARD": "BL60AR",
    "IGNACE": "I9AS",
    "QUENTIN": "K6T5",
    "BENOIST": "BENOI",
    "BOYER": "BOIE",
    "VINCENT": "V5S6",
    "GEORGES": "JORJ",
    "HENRY": "6RI",
    "SCHMITT": "0MI",
    "MOHAMMED": "MOAME",
    "LE": "LE",
    "H": "H",
}


@pytest.mark.parametrize(("name", "code"), FROZEN.items())
def test_frozen_codes(name: str, code: str) -> None:
    assert phonetic(name) == code


@pytest.mark.parametrize(
    "alike",
    [
        ("DUPONT", "DUPOND", "DUPON"),
        ("RENAUD", "RENAULT", "REYNAUD", "RAYNAUD"),
        ("GAUTHIER", "GAUTIER", "GOTIER"),
        ("CAZAUX", "CASEAUX"),
        ("MATHIEU", "MATTHIEU", "MATIEU"),
        ("GIRAUD", "GIRAULT", "JIRAUD"),
        ("LEFEVRE", "LEFEBVRE"),
        ("DUPUY", "DUPUIS"),
        ("PHILIPPE", "FILIPE"),
        ("BERNARD", "BERNAR"),
        ("SCHMITT", "SHMIT"),
    ],
)
def test_names_said_alike_share_a_code(alike: tuple[str, ...]) -> None:
    assert len({phonetic(name) for name in alike}) == 1


@pytest.mark.parametrize(
    ("one", "other"), [("MARTIN", "MARTINE"), ("GILLES", "GILLET"), ("DURAND", "DUPONT"), ("ROUX", "ROUSSE")]
)
def test_names_said_otherwise_do_not(one: str, other: str) -> None:
    assert phonetic(one) != phonetic(other)


@PATIENT
@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=25))
def test_a_name_always_has_a_code_of_letters_and_digits(name: str) -> None:
    code = phonetic(name)
    assert code and code.isalnum() and len(code) <= 2 * len(name)
