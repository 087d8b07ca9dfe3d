"""The analyst's notebook: it answers, it shows nobody, and it says in French why it cannot answer."""

import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import marimo as mo
import polars as pl
import pytest

from pipelines.settings import Settings
from tests.conftest import Chain
from tests.notebooks.conftest import opened, point_at, shown

NAME = "appariement_et_taux"
MARK = "MARQUE"
MARKED_PERSON = 7_000_000_000_000

Use = Callable[[Settings], None]
Answer = tuple[str, Mapping[str, Any]]


def run(**overrides: Any) -> Answer:
    outputs, definitions = opened(NAME).run(defs=overrides or None)
    return shown(outputs), definitions


def mark_every_identifier(path: Path) -> int:
    """Write a mark before every identifier of a warehouse; joins still hold. Return the columns marked."""
    with duckdb.connect(str(path)) as warehouse:
        columns = warehouse.sql(
            "SELECT table_name, column_name FROM duckdb_columns() "
            "WHERE regexp_matches(column_name, '_id(_[gd])?$') AND data_type = 'VARCHAR'"
        ).fetchall()
        for table, column in columns:
            warehouse.execute(f'UPDATE "{table}" SET "{column}" = \'{MARK}\' || "{column}"')
        warehouse.execute(f"UPDATE core__personnes_liees SET personne_uid = personne_uid + {MARKED_PERSON}")
    return len(columns)


@pytest.fixture(scope="module")
def answer(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Answer:
    """The page and the definitions of the notebook on the small territory."""
    with pytest.MonkeyPatch.context() as patch:
        point_at(chain.settings, tmp_path_factory.mktemp("carnet"), patch)
        return run()


def test_every_section_answers_and_nobody_is_shown(own_copy: Settings, use_settings: Use) -> None:
    assert mark_every_identifier(own_copy.dossiers.entrepot) > 50
    use_settings(own_copy)
    page, definitions = run()
    for title in ("perd-on", "confiance", "douteuses", "autre seuil", "Les taux", "inconnu", "bouger"):
        assert title in page
    assert definitions["personnes"]["personnes"].sum() > 1000
    assert MARK not in page
    assert str(MARKED_PERSON)[:4] + "000" not in page


def test_no_token_of_a_delivery_is_shown(chain: Chain, answer: Answer) -> None:
    page, _ = answer
    seen = set(re.findall(r"[0-9a-f]{32}", page))
    files = sorted(chain.settings.dossiers.depot.glob("*/*/*.parquet"))
    assert files
    for path in files:
        for column in pl.read_parquet(path).select(pl.selectors.matches("^jeton_|_id$")):
            assert seen.isdisjoint(column)


def test_no_marked_value_is_shown(small_territory: Path, answer: Answer) -> None:
    page, _ = answer
    marks = pl.read_parquet(small_territory / "verite" / "marques.parquet")["valeur"].unique().drop_nulls()
    assert len(marks) > 10
    assert not [value for value in marks if re.search(rf"\b{re.escape(value)}\b", page)]


def test_no_frame_of_the_notebook_has_a_column_of_identifiers(answer: Answer) -> None:
    _, definitions = answer
    frames = {name: value for name, value in definitions.items() if isinstance(value, pl.DataFrame)}
    assert {"personnes", "schemas", "taux", "inconnus", "parametres"} <= set(frames)
    for frame in frames.values():
        assert not [name for name in frame.columns if re.search(r"_id|_uid|jeton|filtre", name)]


@pytest.mark.parametrize("output", [mo.ui.table(pl.DataFrame({"a": [MARK]})), mo.md(MARK)])
def test_the_search_sees_what_a_reader_sees(output: object) -> None:
    assert MARK in shown([output])


def test_everyone_linked_is_found_or_not(chain: Chain, answer: Answer) -> None:
    _, definitions = answer
    with duckdb.connect(str(chain.settings.dossiers.entrepot), read_only=True) as warehouse:
        caf = warehouse.sql("SELECT count(*) FROM core__personnes_liees WHERE source = 'caf'").fetchall()[0][
            0
        ]
    seen = definitions["personnes"].filter(pl.col("source") == "caf", pl.col("vers") == "cpam")
    assert seen["personnes"].sum() == caf


def test_the_threshold_of_the_settings_loses_and_gains_nothing(answer: Answer) -> None:
    _, definitions = answer
    counts = definitions["autre_seuil"]
    assert counts["perdues"].sum() == 0
    assert counts["gagnees"].sum() == 0


def test_a_higher_threshold_loses_the_links_below_it(chain: Chain, use_settings: Use) -> None:
    use_settings(chain.settings)
    threshold = 0.9999
    cursor = SimpleNamespace(value=threshold)
    _, definitions = run(curseur=cursor, seuils=[0.01, 0.95, threshold])
    with duckdb.connect(str(chain.settings.dossiers.entrepot), read_only=True) as warehouse:
        lost = warehouse.execute(
            "SELECT count(*) FROM core__paires WHERE est_retenue AND probabilite < $seuil "
            "AND 'cellule' NOT IN (source_g, source_d)",
            {"seuil": threshold},
        ).fetchall()[0][0]
    assert definitions["autre_seuil"]["perdues"].sum() == lost > 0


def test_small_classes_are_not_shown(chain: Chain, use_settings: Use) -> None:
    limits = chain.settings.publication.model_copy(update={"seuil": 200})
    use_settings(chain.settings.model_copy(update={"publication": limits}))
    _, definitions = run()
    assert definitions["classes"]["personnes"].min() >= 200


def test_without_warehouse_it_stops_and_says_so(own_copy: Settings, use_settings: Use) -> None:
    own_copy.dossiers.entrepot.unlink()
    use_settings(own_copy)
    page, definitions = run()
    assert "n'existe pas encore" in page
    assert "Les taux" in page
    assert "taux" not in definitions
    assert not own_copy.dossiers.entrepot.exists()


def test_a_warehouse_without_rate_stops_and_says_so(own_copy: Settings, use_settings: Use) -> None:
    with duckdb.connect(str(own_copy.dossiers.entrepot)) as warehouse:
        warehouse.execute("DROP TABLE out__diffusion")
    use_settings(own_copy)
    page, definitions = run()
    assert "n'a pas encore de taux" in page
    assert "taux" not in definitions


def test_a_busy_warehouse_stops_and_says_so(own_copy: Settings, use_settings: Use) -> None:
    use_settings(own_copy)
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('tenu', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", hold, str(own_copy.dossiers.entrepot)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == b"tenu"
        page, definitions = run()
        assert holder.stdin is not None
        holder.stdin.close()
    assert "occupé" in page
    assert "taux" not in definitions


def test_without_settings_it_stops_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NONRECOURS_REGLAGES", str(tmp_path / "absent.toml"))
    page, definitions = run()
    assert "Le fichier de réglages n'existe pas" in page
    assert "taux" not in definitions


def test_the_notebook_is_closed_to_the_other_roles(chain: Chain, use_settings: Use) -> None:
    use_settings(chain.settings.model_copy(update={"demonstration": False}))
    page, definitions = run()
    assert "Ce compte peut lire" in page
    assert "taux" not in definitions


def test_the_notebook_leaves_the_warehouse_as_it_was(own_copy: Settings, use_settings: Use) -> None:
    before = own_copy.dossiers.entrepot.read_bytes()
    use_settings(own_copy)
    run()
    assert own_copy.dossiers.entrepot.read_bytes() == before
