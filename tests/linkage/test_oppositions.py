from pathlib import Path

import numpy as np
import polars as pl

from pipelines import linkage
from pipelines.linkage.oppositions import opposed
from pipelines.warehouse import open_warehouse
from tests.linkage.people import HABITS, MOIS, Habits, declare, deliver, population, settings_in, written_down

SOURCES = ["caf", "cpam", "caf", "cellule", "opposition"]
PERSON = np.array([0, 0, 2, 3, 4])
EVERYONE = pl.DataFrame(
    {
        "source": SOURCES,
        "personne_id": ["a", "b", "c", "k", "o"],
        "fiche": [0, 1, 2, 3, 4],
    }
)


def _opposed(*weights: tuple[int, float]) -> set[tuple[str, str]]:
    rows = [(fiche, 4, SOURCES[fiche], "opposition", weight, "nir:.", False) for fiche, weight in weights]
    columns = ["gauche", "droite", "source_g", "source_d", "poids", "motif", "a_jumeaux"]
    found = opposed(EVERYONE, pl.DataFrame(rows, schema=columns, orient="row"), PERSON, 0.95)
    return set(found.select("source", "personne_id").rows())


def test_an_opposition_is_of_every_record_of_its_person() -> None:
    assert _opposed((0, 30.0)) == {("caf", "a"), ("cpam", "b")}


def test_a_far_second_person_has_not_opposed() -> None:
    assert _opposed((1, 30.0), (2, 12.0)) == {("caf", "a"), ("cpam", "b")}


def test_two_persons_too_close_to_be_told_apart_are_both_opposed() -> None:
    assert _opposed((0, 20.0), (2, 15.0)) == {("caf", "a"), ("cpam", "b"), ("caf", "c")}


def test_a_consent_is_opposed_even_when_linked_to_nobody() -> None:
    assert _opposed((0, 40.0), (3, 18.0)) == {("caf", "a"), ("cpam", "b"), ("cellule", "k")}


def test_an_unlikely_pair_is_no_opposition() -> None:
    assert _opposed((0, 3.0)) == set()


def test_oppositions_of_the_cellule_find_the_persons_of_the_partners_and_make_none(tmp_path: Path) -> None:
    rng = np.random.default_rng(21)
    people = population(60, rng)
    frames = {name: written_down(people, HABITS[name], name, rng) for name in ("caf", "cpam", "departement")}
    badly = Habits(1.0, 0.0, faute_de_nom=0.2, mauvaise_date=0.0, demenage=0.0)
    frames["opposition"] = written_down(people.head(8), badly, "opposition", rng)
    settings = settings_in(tmp_path)
    for name, frame in frames.items():
        deliver(frame, name, settings.dossiers.depot)
    with open_warehouse(settings.dossiers.entrepot, settings.dossiers.travail) as warehouse:
        declare(warehouse, ["caf", "cellule", "cpam", "departement"])
        ids = frames["opposition"]["personne_id"]
        objects = pl.DataFrame({"consentement_id": ids, "objet": ["CONTACT"] * 4 + ["TRAITEMENT"] * 4})
        warehouse.replace("core__cellule_oppositions", objects)
        counts = linkage.run(warehouse, settings, MOIS)
        found = warehouse.read("core__personnes_opposees")
        linked = warehouse.read("core__personnes_liees")
    assert set(linked["source"]) == {"caf", "cpam", "departement"}
    assert counts["oppositions"] == 8
    assert found.sort(pl.all()).equals(_expected(frames).sort(pl.all()))


def _expected(frames: dict[str, pl.DataFrame]) -> pl.DataFrame:
    objects = frames["opposition"].select(
        "personne", objet=pl.Series(["CONTACT"] * 4 + ["TRAITEMENT"] * 4, dtype=pl.String)
    )
    records = [
        frame.select("personne", "personne_id", source=pl.lit(name))
        for name, frame in frames.items()
        if name != "opposition"
    ]
    return pl.concat(records).join(objects, on="personne").select("source", "personne_id", "objet")
