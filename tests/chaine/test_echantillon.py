"""The loop: draw, answer from the truth, read, estimate again."""

from datetime import UTC, datetime
from pathlib import Path

from pipelines import estimation, flows, sampling
from pipelines.synthetic.answering import answer_sample
from pipelines.warehouse import Warehouse, open_warehouse
from tests.chaine.conftest import copy_of
from tests.conftest import MONTH, Chain


def headline(warehouse: Warehouse) -> dict[str, object]:
    rates = warehouse.read("out__taux").filter(niveau="EPCI", groupe="ensemble", methode="corrige")
    return rates.filter(droit="rsa").row(0, named=True)


def test_answers_to_a_draw_verify_the_headline_and_are_new_work(
    chain: Chain, small_territory: Path, tmp_path: Path
) -> None:
    project = copy_of(chain, tmp_path)
    settings, folders = project.settings, project.settings.dossiers
    folders.entrepot.parent.mkdir(parents=True, exist_ok=True)
    folders.entrepot.write_bytes(chain.settings.dossiers.entrepot.read_bytes())
    with open_warehouse(folders.entrepot, folders.travail) as warehouse:
        warehouse.record("estimation", MONTH, "m", datetime.now(UTC).replace(tzinfo=None), {})
        before, mark = headline(warehouse), flows.with_answers(warehouse, "estimation", "m")
        sampling.draw(warehouse, settings, MONTH, 200)
        answers = answer_sample(
            folders.echantillons / f"{MONTH}-1",
            small_territory / "verite",
            chain.root / "correspondance",
            MONTH,
        )
        counts = {p: sampling.read_answers(warehouse, settings, p, path) for p, path in answers.items()}
        estimation.run(warehouse, settings, MONTH)
        after = headline(warehouse)
        said = warehouse.read("out__parametres_estimation").filter(nom="taux_reponse")
        reasons = warehouse.read("out__taux_revisions").filter(droit="rsa").sort("version")["motif"]
        assert flows.with_answers(warehouse, "estimation", "m") != mark
        assert flows.with_answers(warehouse, "ingestion", "m") == "m"
    assert (before["est_verifie"], after["est_verifie"]) == (False, True)
    assert all(c["lignes_recues"] == c["lignes_acceptees"] == 200 for c in counts.values())
    assert all(0.8 < c["taux_de_reponse"] < 1 for c in counts.values())
    assert said["source"].str.split(" ; ").list.slice(0, 2).list.join(" ; ").to_list() == [
        "caf ; non payé",
        "caf ; payé",
        "cpam ; C2S",
        "cpam ; sans C2S",
    ]
    assert said["valeur"].is_between(0.7, 1).all()
    assert reasons.to_list() == ["première estimation", "réponses à l'échantillon"]
    assert before["taux"] != after["taux"]
