"""The marked persons are found where they may be, and nowhere else."""

import traceback
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines.flows import StageFailure, values_withheld
from pipelines.settings import Settings
from schemas.reading import read_strings
from tests.chaine.conftest import Executed
from tests.chaine.recherche import found_in
from tests.conftest import MONTH, PARTNERS, Chain

LONG_ENOUGH = 8
"""A shorter name is also a word of a page; every path that leaks one leaks a long one."""


def marks(simulation: Path) -> pl.DataFrame:
    """colonne, valeur: what the marked persons are called, and how they are reached."""
    rows = pl.read_parquet(simulation / "verite" / "marques.parquet").select("colonne", "valeur").unique()
    return rows.filter(pl.col("valeur").str.len_chars() >= LONG_ENOUGH)


def clear_ids(simulation: Path) -> set[str]:
    """The partners' own numbers, as their files of the month write them."""
    found: set[str] = set()
    for partner, table in (
        ("caf", "caf_personnes"),
        ("cpam", "cpam_assures"),
        ("departement", "dep_personnes"),
    ):
        frame = read_strings(simulation / partner / MONTH / f"{table}.csv")
        found |= {v for name in frame.columns if name.endswith("_id") for v in frame[name] if v}
    return found


@pytest.fixture(scope="session")
def wanted(small_territory: Path) -> set[str]:
    strings = set(marks(small_territory)["valeur"]) | clear_ids(small_territory)
    return {text for text in strings if not _is_of_the_territory(text)}


def _is_of_the_territory(text: str) -> bool:
    """True for a surname that is also in the name of a commune or of the territory, which reports print."""
    from pipelines.territory import known_communes

    return text in Settings().territoire.nom or bool(
        known_communes().select(pl.col(pl.String).str.contains(text, literal=True).any()).row(0)[0]
    )


def test_the_search_finds_every_mark_in_the_nominative_files(small_territory: Path) -> None:
    kinds = marks(small_territory)
    found = set().union(*found_in(small_territory, kinds["valeur"], without=("verite",)).values())
    missed = kinds.filter(~pl.col("valeur").is_in(list(found)))
    assert kinds.height > 500
    assert missed.height == 0, missed["colonne"].value_counts()


def test_the_search_sees_through_parquet_and_the_warehouse(small_territory: Path, tmp_path: Path) -> None:
    nominative = read_strings(small_territory / "caf" / MONTH / "caf_personnes.csv")
    names = {name for name in nominative["nom_naissance"] if name and len(name) >= LONG_ENOUGH}
    nominative.write_parquet(tmp_path / "table.parquet", compression="zstd")
    with duckdb.connect(str(tmp_path / "entrepot.duckdb")) as connection:
        connection.register("people", nominative.to_arrow())
        connection.execute("CREATE TABLE raw_people AS SELECT * FROM people")
    hits = found_in(tmp_path, names)
    assert {name: strings >= names for name, strings in hits.items()} == {
        "entrepot.duckdb": True,
        "table.parquet": True,
    }


def test_no_mark_and_no_clear_id_outside_the_vault(executed: Executed, wanted: set[str]) -> None:
    root = executed.project.root
    for part in ("depot", "entrepot", "reports", "passage", "coffre", "prefect", "logs", "travail"):
        assert (root / part).exists(), part
    assert len(wanted) > 2000
    assert found_in(root, wanted) == {}


def test_no_mark_in_what_the_stages_leave_with_identities_still_there(chain: Chain, wanted: set[str]) -> None:
    assert found_in(chain.root, wanted, without=("correspondance",)) == {}


def test_clear_ids_are_in_the_return_table_only_except_of_those_who_opposed(
    chain: Chain, small_territory: Path
) -> None:
    ids = clear_ids(small_territory)
    found = set().union(*found_in(chain.root / "correspondance", ids).values())
    assert 0 < len(ids - found) < 0.02 * len(ids)


def test_no_identity_token_enters_the_warehouse(chain: Chain, executed: Executed) -> None:
    tokens: set[str] = set()
    for path in chain.settings.dossiers.depot.glob("*/*/*__identite.parquet"):
        identities = pl.read_parquet(path)
        for name in identities.columns:
            if name.startswith("jeton_"):
                tokens |= set(identities[name].drop_nulls())
    assert len(tokens) > 5000
    for project in (executed.project, chain):
        assert found_in(project.settings.dossiers.entrepot.parent, tokens) == {}
    assert found_in(executed.project.root, tokens, without=("depot", "coffre")) == {}


def test_identity_files_are_gone_for_the_months_linked_and_the_certificate_names_them(
    executed: Executed,
) -> None:
    folders = executed.project.settings.dossiers
    assert [p.name for p in folders.depot.glob(f"*/{MONTH}/*__identite.parquet")] == []
    certificate = (folders.sorties / "appariement" / "effacement_identites.json").read_text(encoding="utf-8")
    for partner in PARTNERS:
        assert f"{partner}/{MONTH}/" in certificate


def test_a_fault_of_the_program_is_told_without_its_message() -> None:
    with pytest.raises(StageFailure) as caught, values_withheld("ingestion"):
        duckdb.sql("SELECT CAST('279043148350153x' AS BIGINT)").fetchall()
    told = "".join(traceback.format_exception(caught.value))
    assert "ConversionException" in str(caught.value)
    assert "279043148350153" not in told.replace(Path(__file__).read_text(encoding="utf-8"), "")
