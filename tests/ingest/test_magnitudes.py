"""Amounts that are not euros per month are seen in the median of each nature, and the month is refused."""

from pathlib import Path

import polars as pl
import pytest

from pipelines.ingest import quality
from pipelines.ingest.magnitudes import medians
from pipelines.refusals import ContractRefusal
from pipelines.warehouse import Warehouse
from schemas.magnitudes import BENEFITS, NATURES, refuse_other_units
from tests.ingest.depot import deliver, foyer, hexa, settings, three_partners
from tests.ingest.test_deliveries import ingest

JUIN = "2026-06"
ENOUGH, FEW = 60, 49
CONVERT = "Convertir."


def delivered(root: Path, salary: float) -> None:
    three_partners(root / "depot", JUIN)
    incomes = [
        {"personne_id": hexa(f"p{i}"), "mois": JUIN, "natress": nature, "montant": amount}
        for i in range(ENOUGH)
        for nature, amount in (("001", salary), ("000", 0.0), ("044", 3.0))
    ]
    foyers = [foyer(f"f{i}", JUIN, rsa_du=500.0) for i in range(ENOUGH)]
    deliver(root / "depot", "caf", JUIN, {"caf_foyers": foyers, "caf_ressources": incomes})


def test_a_month_whose_amounts_are_in_cents_is_refused(warehouse: Warehouse, tmp_path: Path) -> None:
    delivered(tmp_path, 140_000.0)
    ingest(warehouse, tmp_path)
    with pytest.raises(ContractRefusal, match="en centimes") as refusal:
        quality(warehouse, settings(tmp_path), JUIN)
    assert refusal.value.ou == "caf_ressources, 001"
    assert refusal.value.que_faire is not None and "--remplacer" in refusal.value.que_faire


def test_usual_amounts_pass_and_few_rows_say_nothing(warehouse: Warehouse, tmp_path: Path) -> None:
    delivered(tmp_path, 1400.0)
    ingest(warehouse, tmp_path)
    found = medians(warehouse)
    refuse_other_units(found, CONVERT)
    told = (
        found.filter(pl.col("lignes") >= ENOUGH)
        .select("table_contrat", "colonne", "mediane", "lignes")
        .rows()
    )
    assert told == [("caf_foyers", "rsa_du", 500.0, 60.0), ("caf_ressources", "001", 1400.0, 60.0)]
    refuse_other_units(found.with_columns(mediane=pl.lit(140_000.0), lignes=pl.lit(float(FEW))), CONVERT)


@pytest.mark.parametrize(
    ("median", "guess"),
    [(140_000.0, "en centimes"), (16_800.0, "annuels, ou en centimes"), (1.4, "une autre unité")],
)
def test_the_refusal_says_which_unit_it_may_be(median: float, guess: str) -> None:
    low, high = NATURES["001"]
    row = {"table_contrat": "caf_ressources", "colonne": "001", "mediane": median, "lignes": 60.0}
    with pytest.raises(ContractRefusal, match=guess):
        refuse_other_units(pl.DataFrame([row | {"bas": float(low), "haut": float(high)}]), CONVERT)


def test_every_nature_that_fails_is_named_and_no_amount_is_said() -> None:
    rows = pl.DataFrame(
        {"table_contrat": ["t", "t"], "colonne": ["001", "010"], "mediane": [17_123.0, 12_321.0],
         "lignes": [500.0, 500.0], "bas": [200.0, 150.0], "haut": [5000.0, 3000.0]}
    )  # fmt: skip
    with pytest.raises(ContractRefusal) as refusal:
        refuse_other_units(rows, CONVERT)
    assert refusal.value.ou == "t, 001 ; t, 010"
    assert "17" not in str(refusal.value) and "12" not in str(refusal.value)


USUAL = {
    "001": 1500, "009": 300, "010": 1000, "011": 700, "012": 700, "013": 1400, "014": 800, "021": 650,
    "022": 1300, "026": 200, "028": 1300, "030": 500, "031": 1000, "201": 700,
    "aide_logement": 280, "af": 150, "aah": 1000, "ass": 560, "rsa_du": 550, "ppa_due": 200,
}  # fmt: skip
"""Euros a month that half of the holders of each earn, or so."""


@pytest.mark.parametrize(("name", "bounds"), (NATURES | BENEFITS).items())
def test_a_year_or_cents_of_the_usual_amount_are_outside_the_bounds(
    name: str, bounds: tuple[float, float]
) -> None:
    low, high = bounds
    assert low < USUAL[name] < high < 12 * USUAL[name]
