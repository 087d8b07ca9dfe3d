"""Two partners with two computers must make the same tokens: frozen vectors, made again another way.

When one of these fails, either the change is a mistake, or ``schemas.ENCODING_VERSION`` must change and
``python -m tests.source.vectors`` write the vectors of the new version.
"""

import json
from typing import Any

import pytest

from schemas import ENCODING_VERSION, TABLES
from schemas.fields import FILTER_COLUMNS, TOKEN_COLUMNS
from tests.source import independent
from tests.source.vectors import COMPOSITION, KEY, MILLESIME, MOIS, NATURES, PARTENAIRE, frozen, made

FROZEN = frozen()
FILES = ("normalisation", "phonetique", "cle", "identites")
TABLES_OF_TEXT = FROZEN["normalisation"]["tables"] | {"regles_phonetiques": FROZEN["phonetique"]["regles"]}


@pytest.mark.parametrize("name", FILES)
def test_an_output_changes_with_its_version_only(name: str) -> None:
    now = json.loads(json.dumps(made()[name]))
    assert {"version_encodage": ENCODING_VERSION} | now == FROZEN[name]


def test_every_delivered_token_and_filter_has_its_vector() -> None:
    filters = {name.rsplit("_", 1)[0] for name in FILTER_COLUMNS}
    assert set(COMPOSITION) == {*TOKEN_COLUMNS, *filters}
    delivered = set(TABLES["caf_personnes"].identite_columns)
    assert all(set(person["livre"]) <= delivered for person in FROZEN["identites"]["personnes"])
    given = [
        {k for k, v in person["livre"].items() if v is not None}
        for person in FROZEN["identites"]["personnes"]
    ]
    assert set().union(*given) == {*TOKEN_COLUMNS, *FILTER_COLUMNS}


@pytest.mark.parametrize("person", FROZEN["identites"]["personnes"])
def test_an_independent_encoder_makes_the_same_identity(person: dict[str, Any]) -> None:
    texts = independent.plain(person["lu"], MOIS, TABLES_OF_TEXT)
    generation = f"{ENCODING_VERSION}/{MILLESIME}"
    assert independent.identity(KEY, generation, texts, FROZEN["identites"]["composition"]) == person["livre"]


@pytest.mark.parametrize("row", FROZEN["normalisation"]["noms"])
def test_names_are_normalised_alike(row: dict[str, Any]) -> None:
    found = independent.names(row, TABLES_OF_TEXT)
    assert (found["naissance"], found["usage"]) == (row["naissance"], row["usage"])
    assert (found["prenoms"], found["prenom"]) == (row["prenoms_lus"], row["prenom"])
    assert independent.joined(found["naissance"], TABLES_OF_TEXT) == row["mots"]


@pytest.mark.parametrize("row", FROZEN["normalisation"]["dates"])
def test_dates_are_read_alike(row: dict[str, Any]) -> None:
    assert independent.birth(row["texte"], MOIS) == {"date": row["date"], "annee": row["annee"]}


def test_names_are_heard_alike() -> None:
    codes = FROZEN["phonetique"]["codes"]
    assert {name: independent.phonetic(name, TABLES_OF_TEXT) for name in codes} == codes


def test_the_key_gives_the_same_subkeys_identifiers_and_fingerprint() -> None:
    of_key = FROZEN["cle"]
    assert bytes.fromhex(of_key["cle"]) == KEY
    assert independent.fingerprint(KEY) == of_key["empreinte"]
    assert {p: independent.subkey(KEY, p).hex() for p in of_key["sous_cles"]} == of_key["sous_cles"]
    made_ids = {
        nature: independent.token(KEY, f"identifiant/{PARTENAIRE}/{nature}", of_key["texte"])
        for nature in set(NATURES.values())
    }
    assert made_ids == of_key["identifiants"]
    assert independent.token(KEY, f"logement/{PARTENAIRE}/{MOIS}", of_key["texte"]) == of_key["logement"]


def test_parts_give_the_same_engagements_and_key() -> None:
    of_key, parts = FROZEN["cle"], [bytes.fromhex(part) for part in FROZEN["cle"]["parts"]]
    said = [independent.engagement("7f3a91c2", 3, part) for part in parts]
    assert said == list(of_key["parts"].values())
    assert bytes(a ^ b ^ c for a, b, c in zip(*parts, strict=True)).hex() == of_key["cle_des_parts"]
