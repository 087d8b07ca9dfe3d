"""What the partners deliver follows the contract, and differs from the truth as declared."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipelines import calendar
from pipelines.refusals import Refusal
from pipelines.synthetic import simulate_territory
from pipelines.synthetic.extracts import Scene, set_scene
from pipelines.synthetic.extracts_caf import Caf
from pipelines.synthetic.extracts_cpam import Cpam
from pipelines.synthetic.frames import World
from pipelines.synthetic.scene_files import write_scene
from pipelines.territory.reference import known_communes
from schemas import TABLES
from schemas.check import check
from schemas.reading import read_strings
from tests.synthetic.conftest import LAST, MONTHS, RATES
from tests.synthetic.small_world import OUTSIDE, small_world


def every_file(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/2026-*/*.csv"))


def test_every_row_of_every_file_is_accepted_by_the_contract(folder: Path) -> None:
    communes = known_communes()["commune_insee"].to_list()
    for path in every_file(folder):
        table = TABLES[path.stem]
        checked = check(read_strings(path), table, "nominative", path.parent.name, communes)
        assert checked.rejected.is_empty(), (path.name, checked.rejected["regle"].unique().to_list())
        assert checked.unknown_codes == {}, path.name


def test_every_table_of_the_contract_is_there_each_month(folder: Path) -> None:
    delivered = {(path.parent.parent.name, path.parent.name, path.stem) for path in every_file(folder)}
    wanted = {
        (table.partner, month, table.name)
        for table in TABLES.values()
        for month in MONTHS
        if table.partner != "msa" and table.name != "enquetes"
    }
    lists = {
        (partner, month, "oppositions") for partner in ("caf", "cpam", "departement") for month in MONTHS
    }
    assert delivered == wanted | lists


def test_the_same_seed_gives_the_same_bytes(scene: Scene, folder: Path, tmp_path: Path) -> None:
    again = set_scene(scene.world, scene.perimetre, scene.deliveries, scene.graine)
    write_scene(tmp_path, again, RATES, lambda _message: None)
    first = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")}
    assert first == {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*.*")}


def test_monthly_tables_carry_the_window_of_their_extract(caf: Caf) -> None:
    months = caf.extract(2)["caf_foyers"]["mois"]
    assert (months.min(), months.max()) == (calendar.shift(LAST, -23), LAST)


def test_a_record_keeps_its_identifier_and_mostly_its_typing(caf: Caf) -> None:
    before, after = (caf.extract(n)["caf_personnes"].unique("personne_id") for n in (0, 2))
    both = before.join(after, on="personne_id")
    assert (both["personne"] == both["personne_right"]).all()
    assert both.select(pl.col("prenoms").eq_missing(pl.col("prenoms_right")).mean()).item() > 0.97


def test_incomes_come_from_monthly_sources_only(caf: Caf) -> None:
    rows = caf.extract(2)["caf_ressources"]
    assert set(rows["ressources_source"].unique()) <= {"DTR", "DRM"}


def test_an_adult_without_income_has_one_row_of_nil_a_month(caf: Caf) -> None:
    rows = caf.extract(2)["caf_ressources"]
    nil = rows.filter(pl.col("natress") == "000")
    assert nil.height > 0 and nil["montant"].sum() == 0
    assert nil.join(
        rows.filter(pl.col("natress") != "000"), on=["personne_id", "mois"], how="semi"
    ).is_empty()


def test_months_not_yet_declared_are_absent(caf: Caf) -> None:
    rows, foyers = caf.extract(2)["caf_ressources"], caf.extract(2)["caf_foyers"]
    now = foyers.filter(mois=LAST).select("menage", source="ressources_source", phase="dtr_phase")
    last = rows.join(now, on="menage").group_by("source", "phase").agg(pl.col("mois").max())
    found = {(source, phase): month for source, phase, month in last.iter_rows()}
    assert found["DTR", 2] == calendar.shift(LAST, -3)
    assert found["DRM", 2] == calendar.shift(LAST, -1)


def test_one_income_row_in_a_hundred_is_corrected_by_a_later_delivery(caf: Caf) -> None:
    keys = ["personne_id", "mois", "natress"]
    tables = [caf.extract(n)["caf_ressources"].select(*keys, "montant") for n in (0, 1, 2)]
    changes = [
        early.join(late, on=keys).filter(pl.col("montant") != pl.col("montant_right")).height / early.height
        for early, late in ((tables[0], tables[2]), (tables[1], tables[2]))
    ]
    assert 0.004 < changes[0] < 0.014
    assert changes[1] < changes[0]
    truth = caf.incomes.select(*keys, "montant")
    assert tables[2].join(truth, on=[*keys, "montant"], how="anti").is_empty()


def test_the_cpam_delivers_the_territory_and_nobody_uninsured(scene: Scene, cpam: Cpam) -> None:
    insured = cpam.extract(2)["cpam_assures"]
    assert OUTSIDE not in insured["commune_insee"].unique()
    assert not insured["personne"].is_in(scene.world.sans_assurance["personne"].implode()).any()


def test_the_cpam_knows_nearly_everyone_of_the_general_scheme(scene: Scene, cpam: Cpam) -> None:
    insured = cpam.extract(2)["cpam_assures"]
    general = scene.world.etats.filter(mois=LAST, regime="GE").select("personne")
    home = scene.residences.filter((pl.col("mois") == LAST) & pl.col("est_territoire")).join(
        general, on="personne"
    )
    known = home["personne"].is_in(insured["personne"].implode()).mean()
    assert 0.96 < float(known or 0) < 0.995


def test_some_persons_are_held_twice_by_the_cpam(cpam: Cpam) -> None:
    insured = cpam.extract(2)["cpam_assures"]
    assert insured["personne_id"].n_unique() == insured.height
    assert insured["personne"].n_unique() < insured.height


def test_known_incomes_are_complete_up_to_the_month_before(cpam: Cpam) -> None:
    tables = cpam.extract(2)
    adults = cpam._adults(LAST)["personne"]
    known = tables["cpam_assures"].filter(pl.col("personne").is_in(adults.implode()), ressources_connues=1)
    incomes = tables["cpam_ressources"].filter(pl.col("natress").is_in(["000", "001", "010", "022"]))
    months = incomes.group_by("personne_id").agg(pl.col("mois").n_unique())
    held = known.select("personne_id").join(months, on="personne_id", how="left")
    assert (held["mois"] == 23).all()


def test_a_work_stop_bears_its_first_month_unless_it_began_before(cpam: Cpam) -> None:
    rows = cpam.incomes.filter(pl.col("natress") == "011")
    first = cpam.incomes["mois"].min()
    assert (rows["arret_debut"] <= rows["mois"]).all()
    assert rows.filter(pl.col("mois") == first)["arret_debut"].null_count() == rows.filter(mois=first).height


def test_children_are_attached_to_insured_parents_only(scene: Scene, cpam: Cpam) -> None:
    tables = cpam.extract(2)
    ids = tables["cpam_assures"]["personne_id"]
    links = tables["cpam_rattachements"]
    assert links.height > 0
    assert (
        links["enfant_id"].is_in(ids.implode()).all() and links["ouvrant_droit_id"].is_in(ids.implode()).all()
    )


def test_the_truth_names_the_person_behind_every_delivered_record(folder: Path) -> None:
    truth = pl.read_parquet(folder / "verite" / "enregistrements.parquet")
    for name in ("caf_personnes", "cpam_assures", "dep_personnes"):
        partner = TABLES[name].partner
        ids = read_strings(folder / partner / LAST / f"{name}.csv")["personne_id"].unique()
        known = truth.filter(partenaire=partner, table=name)["id"]
        assert ids.is_in(known.implode()).all()
    assert truth.select("partenaire", "table", "id").is_duplicated().sum() == 0


def test_marked_persons_strings_are_found_as_delivered(folder: Path) -> None:
    marks = pl.read_parquet(folder / "verite" / "marques.parquet").filter(partenaire="caf", colonne="nir")
    delivered = read_strings(folder / "caf" / LAST / "caf_personnes.csv")["nir"]
    assert marks.height > 0 and marks["valeur"].is_in(delivered.implode()).all()


def test_the_département_writes_windows_1252_and_decimal_commas(folder: Path) -> None:
    text = (folder / "departement" / LAST / "dep_personnes.csv").read_bytes()
    assert "é".encode("cp1252") in text
    assert b"300,0" in (folder / "departement" / LAST / "dep_rsa.csv").read_bytes()


def test_a_simulation_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(rng: np.random.Generator, _place: object, _size: int, debut: str, fin: str) -> World:
        return small_world(rng, 40, calendar.shift(debut, -23), fin)

    monkeypatch.setattr("pipelines.synthetic.simulate.build_world", build)
    monkeypatch.setattr("pipelines.synthetic.simulate.true_rates", lambda _world, _mois, **_field: RATES)

    def stop_late(message: str) -> None:
        if message.startswith("Extrait cellule"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate_territory("comminges", 1, tmp_path / "sortie", "2026-06", "2026-06", 500, stop_late)
    assert list(tmp_path.iterdir()) == []
    counts = simulate_territory("comminges", 1, tmp_path / "sortie", "2026-06", "2026-06", 500)
    assert counts["caf_foyers"] > 0 and (tmp_path / "sortie" / "verite" / "taux.parquet").is_file()


def test_an_occupied_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sortie").mkdir()
    (tmp_path / "sortie" / "note.txt").touch()
    with pytest.raises(Refusal, match="n'est pas vide"):
        simulate_territory("comminges", 1, tmp_path / "sortie", "2026-06", "2026-06", 500)
