"""A delivery is the same bytes however its files are written, cut and shared among processes."""

import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.files import sha256
from pipelines.source import verify, workers
from schemas import TABLES, reading, tables_of
from tests.source.conftest import MOIS, PERSON, table, write_all
from tests.source.test_deliver import OPPOSED, deliver, delivered

PERSONS = 240
SEED = 5


def caf_of(persons: int = PERSONS) -> dict[str, pl.DataFrame]:
    """A CAF with everything that is settled between rows: doubles, moves, lent numbers, oppositions."""
    dice = random.Random(SEED)
    people = [person(i, dice) for i in range(persons)]
    moved = [one | {"foyer_id": f"AUTRE{i}", "present_du": "2025-02"} for i, one in enumerate(people[::9])]
    repeated = [dict(one) for one in people[::11]]
    contradicted = [one | {"role": "ENF"} for one in people[5::40]]
    lent = [one | {"personne_id": f"e{i}", "prenoms": "Malo", "date_naissance": "2015-03-04"}
            for i, one in enumerate(people[::13]) if one["nir"]]  # fmt: skip
    everyone = people + moved + repeated + contradicted + lent
    dice.shuffle(everyone)
    months = [{"foyer_id": f, "mois": m, "commune_insee": "31483", "rsa_du": f"{n + 100},5"}
              for n, f in enumerate(sorted({one["foyer_id"] for one in everyone}))
              for m in ("2026-05", "2026-06")]  # fmt: skip
    incomes = [{"personne_id": one["personne_id"], "mois": "2026-06", "natress": "001", "montant": "1 200,50"}
               for one in people]  # fmt: skip
    wrong = [incomes[0] | {"mois": "2019-01"}, incomes[1], incomes[2] | {"montant": "7"}]
    return {
        "caf_personnes": table("caf_personnes", *everyone),
        "caf_foyers": table("caf_foyers", *months, months[3]),
        "caf_prestations_personnes": table("caf_prestations_personnes"),
        "caf_ressources": table("caf_ressources", *incomes, *wrong),
        "oppositions": table("oppositions", *(one | OPPOSED for one in people[::17])),
    }


def person(number: int, dice: random.Random) -> dict[str, str]:
    year, month = dice.randrange(1940, 2008), dice.randrange(1, 13)
    nir = f"1{year % 100:02}{month:02}31555{number + 100:03}"
    return PERSON | {
        "personne_id": f"p{number:04}",
        "foyer_id": f"foyer{number // 3:04}",
        "role": "DEM",
        "present_du": "2024-01",
        "nir": f"{nir}{97 - int(nir) % 97:02}" if number % 4 else "",
        "nom_naissance": dice.choice(["Évrard", "Le Goff", "Castaing", "Ibáñez", "Dupond"]) + f"{'x' * 3}",
        "prenoms": dice.choice(["Zoé", "Jean-Yves", "Inès", "Aël"]),
        "date_naissance": f"{year}-{month:02}-{dice.randrange(1, 29):02}",
        "adresse": f"{number // 3} rue de l'Église ; bât. « {number % 7} »",
        "act": dice.choice(["SAL", "CHO", "???"]),
    }


def as_semicolons(frame: pl.DataFrame, path: Path) -> None:
    frame.write_csv(path.with_suffix(".csv"), separator=";")


def as_windows_csv(frame: pl.DataFrame, path: Path) -> None:
    text = frame.write_csv(separator=",", quote_style="always", line_terminator="\r\n")
    path.with_suffix(".csv").write_bytes(text.encode("cp1252"))


def as_marked_utf8(frame: pl.DataFrame, path: Path) -> None:
    text = frame.write_csv(separator="\t", line_terminator="\r\n")
    path.with_suffix(".csv").write_bytes(text.encode("utf-8-sig"))


def as_parquet(frame: pl.DataFrame, path: Path) -> None:
    frame.write_parquet(path.with_suffix(".parquet"), row_group_size=17)


def as_shuffled(frame: pl.DataFrame, path: Path) -> None:
    as_semicolons(frame.sample(fraction=1, shuffle=True, seed=SEED), path)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from pipelines.source import create_key

    path = tmp_path_factory.mktemp("cle") / "projet.cle"
    create_key(path)
    return path


Outcome = tuple[dict[str, str], dict[str, Any]]


def outcome(entree: Path, key: Path, **options: Any) -> Outcome:
    """Hashes of the delivered tables and counts, but for the seconds."""
    counts = deliver(entree, key, **options)
    files = {path.name: sha256(path) for path in sorted(delivered(entree).glob("*.parquet"))}
    return files, {name: value for name, value in counts.items() if name != "secondes"}


@pytest.fixture(scope="module")
def whole(key: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Each file read at once, in this process."""
    return outcome(write_all(tmp_path_factory.mktemp("entier") / "entree", caf_of()), key, processus=1)


@pytest.fixture
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SLICE_BYTES", 6000)
    monkeypatch.setattr(reading, "SLICE_ROWS", 40)


def test_the_case_holds_everything_that_is_settled_between_rows(whole: Outcome) -> None:
    counts = whole[1]
    rules = counts["tables"]["caf_personnes"]["ecartees_par_regle"]
    assert rules["doublon"] > 3 and rules["cle_double"] > 3
    assert counts["tables"]["caf_ressources"]["ecartees_par_regle"] == {
        "cle_double": 2,
        "doublon": 1,
        "fenetre:mois": 1,
    }
    assert counts["tables"]["caf_foyers"]["lignes_retirees_par_opposition"] > 0
    assert counts["lignes_retirees_par_opposition"] > 20


@pytest.mark.parametrize("written", [as_semicolons, as_windows_csv, as_marked_utf8, as_parquet, as_shuffled])
@pytest.mark.usefixtures("small_slices")
def test_the_same_content_gives_the_same_bytes_however_written_and_cut(
    written: Any, key: Path, whole: Outcome, tmp_path: Path
) -> None:
    entree = tmp_path / "dépôt [de juin] à vérifier" / "entrée"
    entree.mkdir(parents=True)
    for name, frame in caf_of().items():
        written(frame, entree / name)
    assert len(reading.slices(next(entree.glob("caf_personnes.*")))) > 5
    assert outcome(entree, key, processus=1) == whole


@pytest.mark.usefixtures("small_slices")
def test_two_processes_give_the_same_bytes_as_one(key: Path, whole: Outcome, tmp_path: Path) -> None:
    entree = write_all(tmp_path / "entree", caf_of())
    assert outcome(entree, key, processus=2) == whole


@pytest.mark.usefixtures("small_slices")
def test_verifier_counts_what_pseudonymiser_sets_aside(key: Path, whole: Outcome, tmp_path: Path) -> None:
    entree = write_all(tmp_path / "entree", caf_of())
    verified = {one.table: one for one in verify(entree, "caf", MOIS, processus=1).tables}
    for form in tables_of("caf"):
        if form.name in whole[1]["tables"]:
            counted, found = whole[1]["tables"][form.name], verified[form.name]
            assert (found.recues, found.ecartees) == (counted["lignes_recues"], counted["ecartees_par_regle"])
            assert found.lignes_ecartees.height == counted["lignes_ecartees"]


def test_every_row_received_is_delivered_set_aside_or_withheld(whole: Outcome) -> None:
    for counted in whole[1]["tables"].values():
        out = ("lignes_livrees", "lignes_ecartees", "lignes_retirees_par_opposition")
        assert counted["lignes_recues"] == sum(counted[name] for name in out)


def test_one_identity_per_person_and_lent_numbers_lost(key: Path, whole: Outcome, tmp_path: Path) -> None:
    entree = write_all(tmp_path / "entree", caf_of())
    deliver(entree, key)
    identities = pl.read_parquet(delivered(entree) / "caf_personnes__identite.parquet")
    assert identities["personne_id"].is_unique().all()
    back = pl.read_parquet(tmp_path / "chez-nous" / "caf.parquet").filter(nature="personne")
    children = back.filter(pl.col("identifiant").str.starts_with("e"))["identifiant_livre"]
    borrowers = identities.filter(pl.col("personne_id").is_in(children.implode()))
    assert borrowers.height > 5 and borrowers["jeton_nir"].null_count() == borrowers.height
    assert identities["jeton_nir"].n_unique() > 100


def test_who_opposed_is_in_no_way_back(key: Path, tmp_path: Path) -> None:
    entree = write_all(tmp_path / "entree", caf_of())
    deliver(entree, key)
    back = pl.read_parquet(tmp_path / "chez-nous" / "caf.parquet")
    opposed = {f"p{number:04}" for number in range(0, PERSONS, 17)}
    assert not opposed & set(back["identifiant"])


def test_nothing_but_keyed_rows_is_put_aside_on_disk(
    key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.rmtree", lambda *_, **__: None)
    entree = write_all(tmp_path / "entree", caf_of())
    deliver(entree, key)
    scratch = next((tmp_path / "chez-nous").glob(".partiel-*"))
    content = b"".join(path.read_bytes() for path in scratch.rglob("*.arrow"))
    names = [
        word.encode() for word in ("vrard", "Castaing", "CASTAING", "p0007", "foyer0002", "glise", "EGLISE")
    ]
    assert len(content) > 10_000 and not [name for name in names if name in content]


def test_by_default_one_process_a_core_and_four_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, expected in ((1, 1), (2, 2), (64, 4)):
        monkeypatch.setattr("os.sched_getaffinity", lambda _, n=cores: set(range(n)))
        assert workers.default_processes() == expected


def test_no_table_is_large_without_a_keyed_first_column() -> None:
    from pipelines.source.sorting import buckets_for

    alone = {name for name, form in TABLES.items() if buckets_for(form, 50) == 1}
    assert alone == {"enquetes"}
