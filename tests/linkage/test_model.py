"""What the model says of two records, from what two services wrote."""

from collections.abc import Iterator

import duckdb
import polars as pl
import pytest

from pipelines.linkage.model import COMPARISONS, case_expression
from pipelines.linkage.sources import Extract, load_records
from tests.linkage.people import MOIS, deliver, settings_in

NIR = "271033148350042"
SHE = {
    "personne_id": "1",
    "nir": NIR,
    "nom_naissance": "CAZENEUVE",
    "nom_usage": None,
    "prenoms": "SYLVIE ANNE",
    "date_naissance": "1971-03-08",
    "sexe": "2",
    "lieu_naissance": "31483",
    "commune_insee": "31483",
    "adresse": "",
}
ABSENT = "absent"


CASES = [
    ("noms", {}, "un nom égal, au moins à l'oreille"),
    ("noms", {"nom_naissance": "DUPRAT", "nom_usage": "CAZENEUVE"}, "un nom égal, au moins à l'oreille"),
    ("noms", {"nom_naissance": "CAZENAVE"}, "noms très proches, ou de même début"),
    ("noms", {"nom_naissance": "KAZENAVE"}, "noms proches ou contenus"),
    ("noms", {"nom_naissance": "CASSEVE"}, "noms de quelques lettres communes"),
    ("noms", {"nom_naissance": "DUPRAT"}, "noms différents"),
    ("noms", {"nom_naissance": "CAZENAVE", "commune_insee": "31565"}, "noms très proches, ou de même début"),
    ("noms", {"nom_naissance": "KAZENAVE", "commune_insee": "31565"}, ABSENT),
    ("noms", {"nom_naissance": None}, ABSENT),
    ("prenoms", {"prenoms": "SYLVIE"}, "premier prénom égal, au moins à l'oreille"),
    ("prenoms", {"prenoms": "SILVIE"}, "premier prénom égal, au moins à l'oreille"),
    ("prenoms", {"prenoms": "MARTINE"}, "prénoms différents"),
    ("prenoms", {"prenoms": "SOLANGE", "commune_insee": "31565"}, "prénoms proches, ou de même initiale"),
    ("nom_prenom_sans_date", {"date_naissance": ""}, "nom et prénom égaux à l'oreille, même commune"),
    ("nom_prenom_sans_date", {}, ABSENT),
    ("date", {}, "date de naissance égale"),
    ("date", {"date_naissance": "1971-08-03"}, "année égale, date autre ou incomplète"),
    ("date", {"date_naissance": "1917-03-08"}, "année différente"),
    ("nom_prenom_annee", {}, ABSENT),
    (
        "nom_prenom_annee",
        {"date_naissance": "1971-08-03"},
        "nom et prénom égaux à l'oreille, jour et mois échangés",
    ),
    (
        "nom_prenom_annee",
        {"date_naissance": "1971-03-00"},
        "nom et prénom égaux à l'oreille, même commune, jour ou mois inconnu",
    ),
    (
        "nom_prenom_annee",
        {"date_naissance": "1971-11-25"},
        "nom et prénom égaux à l'oreille, même commune, autre jour",
    ),
    (
        "nom_prenom_annee",
        {"date_naissance": "1971-11-25", "prenoms": "MARTINE"},
        "nom, prénom ou commune différents",
    ),
    (
        "nom_prenom_autre_annee",
        {"date_naissance": "1917-03-08"},
        "nom et prénom égaux à l'oreille, chiffres de la date déplacés",
    ),
    ("commune", {}, "même grande commune"),
    ("commune", {"commune_insee": "31565"}, "communes voisines"),
    ("commune", {"commune_insee": "75056"}, "communes éloignées"),
    ("lieu", {"lieu_naissance": None}, ABSENT),
    (
        "prenom_du_nir",
        {"nir": NIR, "date_naissance": "1971-03-20", "nom_naissance": "DUPRAT"},
        "premier prénom égal, NIR égaux",
    ),
    (
        "prenom_du_nir",
        {"nir": NIR, "date_naissance": "1971-03-20", "prenoms": "JULES"},
        "premier prénom différent, NIR égaux",
    ),
    ("prenom_du_nir", {"nir": NIR}, ABSENT),
]
"""What is compared, what the other service writes otherwise, and what is said."""


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The records of the CAF's person and of each other writing, delivered as consents: none is merged."""
    settings = settings_in(tmp_path_factory.mktemp("niveaux"))
    others = [
        SHE | {"nir": None} | there | {"personne_id": f"{n:03d}"} for n, (_, there, _) in enumerate(CASES)
    ]
    for service, people in (("caf", [SHE]), ("cellule", others)):
        frame = pl.DataFrame(people, schema=dict.fromkeys(SHE, pl.String))
        deliver(frame, service, settings.dossiers.depot)
    with duckdb.connect() as opened:
        load_records(opened, settings, [Extract(name, name, MOIS) for name in ("caf", "cellule")])
        yield opened


@pytest.mark.parametrize("case", range(len(CASES)), ids=[f"{name}: {said}" for name, _, said in CASES])
def test_a_level_says_what_two_services_wrote_differently(room: duckdb.DuckDBPyConnection, case: int) -> None:
    comparaison, _, expected = CASES[case]
    spec = next(spec for spec in COMPARISONS if spec.nom == comparaison)
    columns = [row[0] for row in room.sql("SELECT column_name FROM (DESCRIBE fiches)").fetchall()]
    both = ", ".join(f"l.{c} AS {c}_l, r.{c} AS {c}_r" for c in columns)
    level = room.execute(
        f"SELECT {case_expression(spec)} FROM (SELECT {both} FROM fiches l JOIN fiches r "
        "ON l.source = 'caf' AND r.source = 'cellule' AND r.fiche = l.fiche + 1 + $case)",
        {"case": case},
    ).fetchall()[0][0]
    assert (ABSENT if level < 0 else spec.niveaux[len(spec.niveaux) - 1 - level].libelle) == expected


def test_what_a_household_shares_does_not_count() -> None:
    """Persons come before households: no comparison reads an address or a file number."""
    read = {word for spec in COMPARISONS for word in _columns_of(case_expression(spec))}
    assert {name for name in read if not name.startswith(("jeton_", "filtre_"))} == {
        "naissance_annee",
        "commune_insee",
        "commune_part",
        "est_km",
        "nord_km",
        "sexe",
    }


def _columns_of(sql: str) -> set[str]:
    words = "".join(c if c.isalnum() or c == "_" else " " for c in sql).split()
    return {word[:-2] for word in words if word.endswith(("_l", "_r"))}
