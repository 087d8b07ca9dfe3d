"""From the tables to the groups, the paths and the durations of out__taux."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from pipelines.estimation import run
from pipelines.estimation.durations import as_others
from pipelines.estimation.situations import distances
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse
from tests.estimation.tables import Tables

Rates = Callable[..., dict[str, tuple[float, float]]]
"""Non-takers and entitled households of each group, once the tables are written and estimated."""

BEFORE = {1: ["2026-01", "2026-02", "2026-03"], 2: ["2025-10", "2025-11", "2025-12"]}


def entitled_before(
    tables: Tables, name: str, quarters: tuple[int, ...] = (1, 2), otherwise: str = "non", **dossier: object
) -> None:
    """The household was entitled in these quarters before, with this dossier in both."""
    for quarter, months in BEFORE.items():
        for month in months:
            state = "oui" if quarter in quarters else otherwise
            right = {"droit": "rsa", "eligible": state, "montant_eur_mois": 500.0}
            tables.add("core__droits_anterieurs", menage_id=name, mois=month, **right)
            tables.add("core__caf_foyers", foyer_id=name, mois=month, commune_insee="31483", **dossier)


@pytest.fixture
def rates(tables: Tables, warehouse: Warehouse, settings: Settings) -> Rates:
    def estimated(**cell: str) -> dict[str, tuple[float, float]]:
        for n in range(30):
            tables.caf(f"t{n}", rsa_etat="2", rsa_du=500.0, occlog="LOC", aide_logement=200.0)
            tables.cpam(f"ct{n}", c2s="1")
            tables.link(100 + n, ("caf", f"t{n}"), ("cpam", f"ct{n}"))
        tables.write(warehouse)
        run(warehouse, settings, "2026-06")
        rows = warehouse.read("out__taux").filter(droit="rsa", niveau="EPCI", **cell)
        found = rows.select("groupe", "non_recourants", "eligibles").rows()
        return {groupe: (untaken, eligible) for groupe, untaken, eligible in found}

    return estimated


def test_whoever_is_absent_from_the_caf_has_no_housing_benefit_and_never_asked(
    tables: Tables, rates: Rates
) -> None:
    for n in range(12):
        tables.cpam(f"b{n}", c2s="0")
    found = rates(methode="corrige")
    whole = found["ensemble"][0]
    assert whole > 4
    assert found["aide_logement:non"][0] == pytest.approx(whole)
    assert found["etape:jamais_demande"] == pytest.approx(found["ensemble"])
    assert found["chemin:primaire"][0] == pytest.approx(whole)


def test_a_path_is_read_in_the_dossier(tables: Tables, rates: Rates) -> None:
    tables.caf("never")
    tables.caf("refused", rsa_etat="1")
    tables.caf("closed", rsa_etat="5", rsa_motif_cloture="ECH")
    tables.caf("silent", rsa_etat="3", rsa_motif="06")
    found = rates(methode="observe")
    steps = {
        name: found[f"etape:{name}"][0]
        for name in ("jamais_demande", "refuse", "clos", "declaration_manquante")
    }
    assert steps == dict.fromkeys(steps, 1.0)
    assert (found["chemin:primaire"], found["chemin:secondaire"]) == ((2.0, 34.0), (2.0, 34.0))


def test_in_a2_more_of_the_closed_than_of_those_who_never_asked_are_entitled(
    tables: Tables, rates: Rates
) -> None:
    """As many of both, without incomes at the CAF: their CPAM incomes say who is entitled."""
    unread = {"rsa": "inconnu", "motif": "ressources_inconnues"}
    for n in range(40):
        for name, at_cpam, dossier in (
            (f"never{n}", "oui" if n < 4 else "non", {}),
            (f"closed{n}", "oui" if n < 20 else "non", {"rsa_etat": "5", "rsa_motif_cloture": "ECH"}),
        ):
            tables.caf(name, **unread, **dossier)  # type: ignore[arg-type]
            tables.cpam(f"c-{name}", rsa=at_cpam)
            tables.link(
                1_000 + len(tables.rows["core__personnes_liees"]), ("caf", name), ("cpam", f"c-{name}")
            )
    found = rates(methode="corrige")
    never, closed = (found[f"chemin:{name}"][0] for name in ("primaire", "secondaire"))
    assert closed > 3 * never > 0
    assert never + closed == pytest.approx(found["ensemble"][0])


def test_a_household_without_incomes_at_the_caf_works_if_the_cpam_says_so(
    tables: Tables, rates: Rates
) -> None:
    """Eight earn wages there, two do not; the CPAM says nothing of the last ten, who are as the others."""
    unread = {"rsa": "inconnu", "motif": "ressources_inconnues"}
    for n in range(20):
        tables.caf(f"n{n}", **unread)  # type: ignore[arg-type]
        tables.cpam(f"c{n}", **({} if n < 10 else unread))  # type: ignore[arg-type]
        tables.link(900 + n, ("caf", f"n{n}"), ("cpam", f"c{n}"))
        if n < 8:
            tables.add(
                "core__cpam_ressources", personne_id=f"p-c{n}", mois="2026-05", natress="001", montant=9.0
            )
    found = rates(methode="corrige")
    whole, at_work = found["ensemble"][0], found["travail:salarie"][0]
    assert whole > 4
    assert 0.6 * whole < at_work < 0.9 * whole


def test_it_lasts_when_three_quarters_were_not_taken_up(tables: Tables, rates: Rates) -> None:
    tables.caf("lasting")
    entitled_before(tables, "lasting")
    tables.caf("recent")
    entitled_before(tables, "recent", (1,))
    tables.caf("was_paid")
    entitled_before(tables, "was_paid", rsa_etat="2", rsa_du=500.0)
    tables.caf("stopped", rsa_etat="5", rsa_motif_cloture="ECH")
    entitled_before(tables, "stopped", rsa_etat="5", rsa_motif_cloture="ECH")
    found = rates(methode="observe")
    assert (found["duree:durable"][0], found["duree:recente"][0]) == (2.0, 2.0)


def test_a_household_whose_past_entitlement_is_not_known_is_taken_as_the_others(
    tables: Tables, rates: Rates
) -> None:
    before = {"a": "oui", "b": "oui", "c": "non", "d": "inconnu", "e": "inconnu", "f": "inconnu"}
    for name, otherwise in before.items():
        tables.caf(name)
        entitled_before(tables, name, (1,), otherwise)
    found = rates(methode="observe")
    assert found["duree:durable"][0] == pytest.approx(4)
    assert found["duree:recente"][0] == pytest.approx(2)


def test_the_absent_last_as_those_the_caf_pays_nothing(tables: Tables, rates: Rates) -> None:
    """Whoever the CAF pays the prime has a file, and incomes that move: the absent are not like them."""
    for n in range(12):
        tables.caf(f"alike{n}")
        entitled_before(tables, f"alike{n}")
        tables.caf(f"working{n}", ppa="oui", ppa_etat="2", ppa_due=100.0)
        entitled_before(tables, f"working{n}", (1,))
        tables.cpam(f"b{n}", c2s="0")
    found = rates(methode="corrige")
    absent = found["ensemble"][0] - 24
    assert found["duree:durable"][0] - 12 > 0.9 * absent > 1


def test_nobody_knows_how_the_duration_of_the_absent_differs() -> None:
    drawn = as_others(np.full(4_000, 0.7), np.random.default_rng(1))
    assert np.median(drawn) == pytest.approx(0.7, abs=0.01)
    assert np.quantile(drawn, [0.025, 0.975]) == pytest.approx([0.52, 0.84], abs=0.02)


def test_a_right_opened_since_the_last_quarter_was_a_spot_non_take_up(tables: Tables, rates: Rates) -> None:
    for name, now in (("opened", {"rsa_etat": "2", "rsa_du": 500.0}), ("still", {})):
        tables.caf(name, **now)  # type: ignore[arg-type]
        entitled_before(tables, name, (1,))
    assert rates(methode="observe")["suite:ponctuel"] == (1.0, 2.0)


def test_without_the_quarters_before_nothing_is_said_of_duration(tables: Tables, rates: Rates) -> None:
    tables.caf("n")
    assert not [groupe for groupe in rates() if groupe.startswith(("duree", "suite"))]


def test_households_whose_c2s_nobody_knows_are_spread_as_the_others(tables: Tables, rates: Rates) -> None:
    tables.caf("unlinked", rsa_etat="2", rsa_du=500.0)
    tables.caf("n")
    tables.cpam("cn", c2s="0")
    tables.link(7, ("caf", "n"), ("cpam", "cn"))
    found = rates(methode="observe")
    assert found["c2s:oui"][1] + found["c2s:non"][1] == pytest.approx(32)


def test_every_ratio_is_to_the_reference_of_its_dimension(
    tables: Tables, rates: Rates, warehouse: Warehouse
) -> None:
    for n in range(10):
        tables.caf(f"p{n}", occlog="PRO")
        tables.cpam(f"cp{n}", c2s="0")
        tables.link(500 + n, ("caf", f"p{n}"), ("cpam", f"cp{n}"))
    rates()
    found = warehouse.read("out__risques").filter(droit="rsa")
    assert found.height
    same = pl.col("groupe").str.split(":").list.first() == pl.col("reference").str.split(":").list.first()
    assert found.select(same.all()).item()
    assert found.select((pl.col("rapport_bas") <= pl.col("rapport")).all()).item()


def test_small_communes_delivered_together_share_a_distance(settings: Settings) -> None:
    found = dict(distances(settings).rows())
    assert found["31483"] == "10_19"
    assert found["31239"] == "moins_10"
    assert found["31390"] == "20_plus"
    assert len(found) == 9
