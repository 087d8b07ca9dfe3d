"""The frozen vectors of ``tests/source/vecteurs``: what goes in, and what this version of the software gives.

``python -m tests.source.vectors`` writes them for a new ``schemas.ENCODING_VERSION``. Those of a version that
partners use are never written again: two of them with different outputs would share no token.
"""

import json
import sys
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.source import ceremony, keys, normalise, phonetics
from pipelines.source.encode import Encoder, identities, tokens
from pipelines.source.rekey import NATURES
from schemas import ENCODING_VERSION

FOLDER = Path(__file__).parent / "vecteurs"
KEY = bytes(range(32))
MOIS, MILLESIME, PARTENAIRE = "2026-06", "2026", "caf"
Vectors = dict[str, Any]

NAMES = (
    "de La Tour-d'Auvergne", "Cœuret", "LE GOFF", "legoff", "Muñoz y García", "Straße", "Ste-Marie",
    "ST JEAN", "O'Neill", "Ait Ben Haddou", "Müller née Weiß", "Dupont dit Durand",
    "MARTIN épouse Bernard", "Nguyễn Thị", "Łukasz Ødegård", "d’Artagnan", "  double   espace ",
    "X", "NON RENSEIGNE", "", "123", "Æsir", "Théo-Malo", "van der Berg", "Mac Mahon", "EL-HADJ",
    "ﬁlipe", "ẞaint", "İbrahim", "Ðorđe", "Šimić", "Ångström",
)  # fmt: skip
HEARD = (
    "PHILIPPE", "FILIPE", "DUPONT", "DUPOND", "RENAUD", "REYNAULT", "SCHMITT", "GUILLAUME",
    "GEORGES", "CAMILLE", "AGNES", "JEAN", "JAN", "BENAZET", "CHRISTOPHE", "QUENTIN", "XAVIER",
    "WILLIAM", "HEYDI", "YVES", "MONTAIGNE", "GUEGUEN", "BOUCHARD", "LEFEBVRE", "HAUTPOUL",
    "OEUVRARD", "CACCIA", "SCIPION", "TCHEKHOV", "AUBRY", "EE", "H",
)  # fmt: skip
DATES = (
    "1980-05-03", "1980-00-00", "1980-13-01", "1980-02-30", "1905-12-31", "1906-01-01",
    "2026-06-30", "2026-07-01", "1980-05-03T00:00:00", "03/05/1980", "", "2000-02-29", "1999-99-99",
)  # fmt: skip
ADDRESSES = (
    ("12 rue de l'Église", "31483"), ("12 R EGLISE 31800 SAINT-GAUDENS", "31483"), ("Le Bourg", "31555"),
    ("CCAS, 1 pl. de la Mairie", "31483"), ("Appt 3, bât. B, 4 av. du Gal Leclerc", "31555"), ("", "31483"),
)  # fmt: skip

_BLANK = {
    "nir": "", "nom_naissance": "", "nom_usage": "", "prenoms": "", "date_naissance": "", "sexe": "1",
    "lieu_naissance": "", "adresse": "", "commune_insee": "31483",
}  # fmt: skip
PERSONS = tuple(
    _BLANK | person
    for person in (
        {
            "nir": "1 80 05 31 555 001 59", "nom_naissance": "de La Tour-d'Auvergne", "nom_usage": "Cœuret",
            "prenoms": "Théophile, Malo", "date_naissance": "1980-05-03", "lieu_naissance": "31555",
        },
        {"nom_naissance": "Le Goff", "prenoms": "Jean-Yves", "date_naissance": "1980-00-00"},
        {
            "nir": "780053155500150", "nom_usage": "Dupont dit Durand", "prenoms": "X",
            "date_naissance": "1999-12-31",
        },
        {"nir": "275062000400100", "nom_naissance": "O'Neill", "prenoms": "Agnès", "sexe": "2"},
        {
            "nom_naissance": "Müller", "nom_usage": "Straße", "prenoms": "Ángel  José",
            "date_naissance": "2012-02-29", "lieu_naissance": "99352",
        },
    )
)  # fmt: skip

COMPOSITION: dict[str, list[str]] = {
    "jeton_nir": ["nir", "nir"],
    "jeton_nir_prenom": ["nir_phonetique", "nir", "phon_prenom"],
    "jeton_nir_provisoire": ["nir_provisoire", "nir_provisoire"],
    "jeton_date_commune": ["date_commune", "date", "commune"],
    "jeton_naissance_prenom_lieu_date": ["phonetique_prenom_lieu_date", "paire_naissance", "lieu", "date"],
    **{
        f"jeton_{name}_{column}": [f"phonetique_{column}", *(part.format(name) for part in parts)]
        for name in ("naissance", "usage")
        for column, parts in {
            "prenom_date": ["paire_{}", "date"],
            "prenom_chiffres": ["phon_{}", "phon_prenom", "chiffres", "lieu_su"],
            "prenom_commune": ["phon_{}", "phon_prenom", "commune", "lieu_su"],
            "initiale_date": ["phon_{}", "initiale", "date"],
            "debut_prenom_date": ["debut_{}", "phon_prenom", "date"],
        }.items()
    },
    "filtre_naissance": ["filtres", "date_commune", "mots_naissance"],
    "filtre_usage": ["filtres", "date_commune", "mots_usage"],
    "filtre_prenoms": ["filtres", "date_commune", "mots_prenoms"],
}
"""Column → field of the key, then what is joined by « | » (for a filter: the salt, then the words)."""


def made() -> dict[str, Vectors]:
    """What the software gives now, file by file."""
    return {
        "normalisation": _normalised(),
        "phonetique": _heard(),
        "cle": _of_the_key(),
        "identites": _encoded(),
    }


def _normalised() -> Vectors:
    name = normalise.names("nom_naissance", "nom_usage", "prenoms")
    # each name as a birth name, a used name and given names: their alternates and empty forms cross
    people = pl.DataFrame(
        {"nom_naissance": NAMES, "nom_usage": NAMES[1:] + NAMES[:1], "prenoms": NAMES[2:] + NAMES[:2]}
    )
    born = normalise.birth("texte", MOIS)
    dwellings = pl.DataFrame(ADDRESSES, schema=["adresse", "commune_insee"], orient="row")
    return {
        "tables": {
            "ligatures": normalise._LIGATURES,
            "particules": normalise._PARTICLES,
            "autres_noms": normalise._ALTERNATE_WORDS,
            "sans_sens": normalise._MEANINGLESS,
        },
        "noms": people.with_columns(
            naissance=name.naissance, usage=name.usage, prenoms_lus=name.prenoms, prenom=name.premier_prenom,
            mots=normalise.joined_particles(name.naissance),
        ).to_dicts(),
        "dates": pl.DataFrame({"texte": DATES})
        .with_columns(date=born.date, annee=born.annee.cast(pl.String))
        .to_dicts(),
        "logements": dwellings.with_columns(
            logement=normalise.dwelling("adresse", "commune_insee")
        ).to_dicts(),
    }  # fmt: skip


def _heard() -> Vectors:
    return {"regles": phonetics.RULES, "codes": {name: phonetics.phonetic(name) for name in HEARD}}


def _of_the_key() -> Vectors:
    encoder = Encoder(KEY, PARTENAIRE, MILLESIME)
    parts = [ceremony.Part("7f3a91c2", 3, bytes([n] * 32)) for n in (1, 2, 3)]
    text = pl.Series(["AB-123 é"])
    return {
        "cle": KEY.hex(),
        "empreinte": keys.fingerprint(KEY),
        "sous_cles": {
            purpose: keys.subkey(KEY, purpose).hex()
            for purpose in ("a", "empreinte", f"identite/{ENCODING_VERSION}/{MILLESIME}/nir")
        },
        "texte": text[0],
        "identifiants": {
            nature: tokens(encoder.identifier(nature), text)[0] for nature in sorted(set(NATURES.values()))
        },
        "logement": tokens(encoder.dwelling(MOIS), text)[0],
        "parts": {part.secret.hex(): part.engagement for part in parts},
        "cle_des_parts": ceremony._exclusive_or([part.secret for part in parts]).hex(),
    }


def _encoded() -> Vectors:
    people = pl.DataFrame(PERSONS)
    found = identities(people, Encoder(KEY, PARTENAIRE, MILLESIME), MOIS).to_dicts()
    return {
        "composition": COMPOSITION,
        "personnes": [{"lu": person, "livre": out} for person, out in zip(PERSONS, found, strict=True)],
    }


def frozen() -> dict[str, Vectors]:
    """The vectors on disk."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.json")}


def main() -> None:
    """Write the vectors of a version that has none."""
    if any(content["version_encodage"] == ENCODING_VERSION for content in frozen().values()):
        sys.exit("Les vecteurs de cette version existent : une sortie qui change demande une autre version.")
    FOLDER.mkdir(exist_ok=True)
    for name, content in made().items():
        text = json.dumps({"version_encodage": ENCODING_VERSION} | content, ensure_ascii=False, indent=1)
        (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
