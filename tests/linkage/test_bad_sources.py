"""A source that is not as expected ends with a sentence, or is refused; never with a stack trace."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipelines.linkage.alerts import about_links
from pipelines.refusals import MissingSourceRefusal
from schemas import check_table
from tests.linkage.conftest import Linked, link
from tests.linkage.people import HABITS, population, written_down

PARTNERS = ("caf", "cpam", "departement")


@pytest.fixture
def few() -> dict[str, pl.DataFrame]:
    rng = np.random.default_rng(8)
    people = population(300, rng)
    return {name: written_down(people, replace(HABITS[name], avec_nir=1.0), name, rng) for name in PARTNERS}


def _told(linked: Linked, source: str) -> str:
    alerts = linked.tables["meta__alertes"]
    check_table("meta__alertes", alerts)
    return " ".join(alerts.filter(source=source)["message"])


def test_forty_percent_of_duplicates_are_counted_once_and_told(
    few: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    caf = few["caf"]
    twice = caf.sample(fraction=2 / 3, seed=1).with_columns(
        pl.concat_str(pl.lit("bis"), "personne_id").alias("personne_id"),
        prenoms=pl.col("prenoms") + pl.lit("E"),
    )
    found = link(tmp_path, few | {"caf": pl.concat([caf, twice])})
    assert "40 % de doublons reconnus" in _told(found, "caf")
    assert "surestimé" in _told(found, "caf")
    persons = found.tables["core__personnes_liees"].filter(source="caf")
    assert persons.height == caf.height + twice.height
    assert persons["personne_uid"].n_unique() == caf.height
    assert _told(found, "cpam") == ""


def test_one_source_without_any_nir_is_named(few: dict[str, pl.DataFrame], tmp_path: Path) -> None:
    bare = few["departement"].with_columns(nir=pl.lit(None, pl.String))
    found = link(tmp_path, few | {"departement": bare})
    assert "Aucun NIR utilisable" in _told(found, "departement")
    assert "jumeaux" in _told(found, "departement")
    assert _told(found, "caf") == ""
    assert found.f1("caf", "departement") > 0.9


def test_a_source_of_twelve_rows_is_named(few: dict[str, pl.DataFrame], tmp_path: Path) -> None:
    found = link(tmp_path, few | {"departement": few["departement"].head(12)})
    assert "n'a que 12 personnes" in _told(found, "departement")
    assert "le taux sera faux" in _told(found, "departement")
    assert found.pairs("caf", "departement")[1] > 0


def test_an_expected_source_with_a_header_only_is_refused(
    few: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    with pytest.raises(MissingSourceRefusal, match="ne contient personne"):
        link(tmp_path, few | {"cpam": few["cpam"].clear()})


def test_consents_may_be_none_at_all(few: dict[str, pl.DataFrame], tmp_path: Path) -> None:
    nobody = few["caf"].clear()
    found = link(tmp_path, few | {"cellule": nobody})
    assert found.counts["consentements"] == 0


def test_two_sources_without_a_common_person_are_named_when_the_others_have_some() -> None:
    told = about_links(pl.DataFrame({"source": ["caf", "cpam", "departement"], "personne": [0, 0, 2]}))
    assert [alert.gravite for alert in told] == ["grave", "grave"]
    assert "entre la CAF et le Département" in told[0].message
    assert "entre le Département et la CPAM" in told[1].message


def test_nobody_in_common_anywhere_is_said_once() -> None:
    told = about_links(pl.DataFrame({"source": ["caf", "cpam", "departement"], "personne": [0, 1, 2]}))
    assert len(told) == 1
    assert "ne lire aucun taux" in told[0].message


def test_a_consent_of_either_of_two_namesakes_is_of_neither(
    few: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    """Same names, same day, same commune; only the NIR, which a consent does not bear, tells them apart."""
    one = few["caf"].head(1)
    other = one.with_columns(
        personne_id=pl.lit("caf-homonyme"),
        nir=pl.lit(few["cpam"]["nir"][0]),
        personne=pl.lit(10**6, one.schema["personne"]),
        lieu_naissance=pl.lit("75056"),
    )
    said = one.with_columns(
        personne_id=pl.lit("consentement-1"),
        nir=pl.lit(None, pl.String),
        lieu_naissance=pl.lit(None, pl.String),
    )
    found = link(tmp_path, few | {"caf": pl.concat([few["caf"], other]), "cellule": said})
    ambiguous = found.tables["core__consentements_ambigus"]
    check_table("core__consentements_ambigus", ambiguous)
    assert ambiguous.select("consentement_id", "n_candidats").rows() == [("consentement-1", 2)]
    persons = found.tables["core__personnes_liees"]
    alone = persons.filter(source="cellule")["personne_uid"]
    assert persons.filter(pl.col("personne_uid").is_in(alone.implode())).height == 1
