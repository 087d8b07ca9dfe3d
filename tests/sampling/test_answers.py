"""What comes back: read against the draw, counted, kept."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from pipelines.refusals import ContractRefusal, Refusal
from pipelines.sampling import draw, read_answers, response_rates
from pipelines.sampling.reliability import _wrong
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse
from schemas.tables import SAMPLE_ANSWERS
from schemas.warehouse_tables import check_table
from tests.sampling.conftest import MOIS

HEADER = ";".join(SAMPLE_ANSWERS.own)
Read = Callable[..., dict[str, object]]


@pytest.fixture
def read(warehouse: Warehouse, settings: Settings, tmp_path: Path) -> Read:
    """Read a form of the CPAM made of these lines; ``{}`` is a number of the draw, in order."""
    draw(warehouse, settings, MOIS, 20)

    def read_lines(*lines: str, partenaire: str = "cpam", header: str = HEADER) -> dict[str, object]:
        numbers = warehouse.read("meta__echantillon").filter(partenaire="cpam")["echantillon_id"].sort()
        filled = [line.replace("{}", numbers[i]).replace("{0}", numbers[0]) for i, line in enumerate(lines)]
        path = tmp_path / "reponses.csv"
        path.write_text("\n".join([header, *filled]) + "\n", encoding="utf-8")
        return read_answers(warehouse, settings, partenaire, path)

    return read_lines


def test_lines_in_are_lines_accepted_and_lines_set_aside(read: Read, settings: Settings) -> None:
    counts = read(
        "{};0;1;0;1;0;ENTRETIEN;2026-07", "{};oui;1;0;NA;NA;RNCPS;2026-07", "{};1;1;0;NA;NA;AUTRE;2026-07"
    )
    assert (counts["lignes_recues"], counts["lignes_acceptees"], counts["lignes_ecartees"]) == (3, 1, 2)
    assert counts["ecartees_type:connu_caf"] == counts["ecartees_hors_nomenclature:mode"] == 1
    kept = (settings.dossiers.rejets / "echantillon" / "cpam.csv").read_text()
    assert kept == "ligne;regle\n3;type:connu_caf\n4;hors_nomenclature:mode\n"


def test_no_answer_is_kept_and_lowers_the_response_rate(read: Read, warehouse: Warehouse) -> None:
    counts = read("{};1;1;0;NA;NA;RNCPS;2026-07", "{};NA;NA;NA;NA;NA;NA;NA", "{};;;;;;;")
    assert (counts["lignes_acceptees"], counts["fiches_repondues"], counts["fiches_tirees"]) == (3, 1, 20)
    rates = response_rates(warehouse).filter(partenaire="cpam")
    assert (rates["tirees"].sum(), rates["repondues"].sum()) == (20, 1)
    check_table("meta__echantillon_reponses", warehouse.read("meta__echantillon_reponses"))


def test_a_number_that_was_not_drawn_is_refused_and_nothing_is_read(read: Read, warehouse: Warehouse) -> None:
    with pytest.raises(ContractRefusal, match="jamais été tirés"):
        read("{};1;1;0;NA;NA;RNCPS;2026-07", "2026-06-1-cpam-99999;1;1;0;NA;NA;RNCPS;2026-07")
    assert warehouse.count("meta__echantillon_reponses") == 0


def test_a_file_of_the_other_partner_is_refused(read: Read) -> None:
    with pytest.raises(ContractRefusal, match="CAF"):
        read("{};1;1;0;NA;NA;RNCPS;2026-07", partenaire="caf")
    with pytest.raises(Refusal, match="aucun échantillon"):
        read("{};1;1;0;NA;NA;RNCPS;2026-07", partenaire="departement")


def test_a_column_of_the_partners_own_numbers_is_refused(read: Read) -> None:
    with pytest.raises(ContractRefusal, match="identifiant"):
        read("{};1;1;0;NA;NA;RNCPS;2026-07;C1000042", header=HEADER + ";identifiant")


def test_a_line_twice_counts_once_and_two_lines_that_disagree_count_for_nothing(read: Read) -> None:
    counts = read(
        "{0};1;1;0;NA;NA;RNCPS;2026-07", "{0};1;1;0;NA;NA;RNCPS;2026-07",
        "{};1;1;0;NA;NA;RNCPS;2026-07".replace("{}", "{}"),
    )  # fmt: skip
    assert (counts["lignes_acceptees"], counts["ecartees_doublon"]) == (2, 1)
    counts = read("", "{};1;1;0;NA;NA;RNCPS;2026-08", "{};0;1;0;NA;NA;RNCPS;2026-08")
    assert counts["lignes_acceptees"] == 2


def test_two_answers_that_disagree_for_one_verification_are_both_set_aside(read: Read) -> None:
    counts = read("{0};1;1;0;NA;NA;RNCPS;2026-07", "{0};0;1;0;NA;NA;RNCPS;2026-07")
    assert (counts["lignes_acceptees"], counts["ecartees_cle_double"]) == (0, 2)


def test_the_same_file_read_twice_adds_nothing(read: Read) -> None:
    read("{};1;1;0;NA;NA;RNCPS;2026-07")
    counts = read("{};1;1;0;NA;NA;RNCPS;2026-07")
    assert (counts["lignes_acceptees"], counts["ecartees_deja_lue"]) == (0, 1)


def test_a_partner_that_denies_its_own_record_is_counted_and_set_aside(read: Read) -> None:
    assert read("{};1;0;0;NA;NA;RNCPS;2026-07")["ecartees_fiche_reniee"] == 1


def test_verifying_again_measures_the_error_and_the_newest_answer_counts(
    read: Read, warehouse: Warehouse
) -> None:
    first = read(*["{};0;1;0;1;0;ENTRETIEN;2026-07"] * 10)
    assert first["reponses_comparees_deux_a_deux"] == 0
    again = read("{};0;1;0;0;0;DOSSIER;2026-08", *["{};0;1;0;1;0;DOSSIER;2026-08"] * 9)
    assert (again["reponses_comparees_deux_a_deux"], again["discordances"]) == (50, 1)
    assert again["taux_d_erreur"] == pytest.approx((1 - (1 - 2 / 50) ** 0.5) / 2, abs=5e-4)
    current = warehouse.query_file("core/echantillon_reponses_courantes").filter("est_revenue")
    assert (current.height, current["eligible_rsa"].sum()) == (10, 9)


def test_two_readings_wrong_once_in_twenty_disagree_nearly_once_in_ten() -> None:
    assert _wrong(2 * 0.05 * 0.95) == pytest.approx(0.05)
    assert _wrong(0.0) == 0 and _wrong(0.5) == _wrong(0.9) == 0.5


def test_two_partners_that_contradict_each_other_are_counted_as_error(
    warehouse: Warehouse, read: Read
) -> None:
    """The same person, drawn at the CPAM then, a year later, at the CAF, verified the same month."""
    read("{};0;1;0;1;0;ENTRETIEN;2026-07")
    drawn = warehouse.read("meta__echantillon").filter(partenaire="cpam").sort("echantillon_id")
    one = drawn["personne_id"][0]
    warehouse.connection.execute(
        "INSERT INTO core__personnes_liees VALUES (8000, 'cpam', $p, 20), (8000, 'caf', 'p-x', 20)",
        {"p": one},
    )
    caf = drawn.head(1).with_columns(
        partenaire=pl.lit("caf"), echantillon_id=pl.lit("x"), personne_id=pl.lit("p-x")
    )
    warehouse.append("meta__echantillon", caf)
    said = warehouse.read("meta__echantillon_reponses").with_columns(
        partenaire=pl.lit("caf"), echantillon_id=pl.lit("x"), connu_caf=pl.lit(1, pl.Int8),
        rang=pl.lit(99, pl.Int64),
    )  # fmt: skip
    warehouse.append("meta__echantillon_reponses", said)
    found = {row[0]: row[1:] for row in warehouse.query_file("core/echantillon_discordances").rows()}
    assert found["connu_caf"] == (1, 1)
    assert found["eligible_rsa"] == (1, 0)
