"""docs/analyste.md: its commands, its tables, its settings and its queries are those of the software."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from pipelines.cli import app
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse

GUIDE = (Path(__file__).parents[2] / "docs" / "analyste.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"(?:^    |`)nonrecours ([a-z][^`\n]*)", GUIDE, flags=re.M)))
TABLES = sorted(set(re.findall(r"`((?:raw|core|out|meta)__\w+)`", GUIDE)))
KEYS = sorted(set(re.findall(r"`([a-z]+)\.([a-z_]+)(?: = \w+)?`", GUIDE)))
QUERIES = re.findall(r"```sql\n(.+?)```", GUIDE, flags=re.S)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_printed_command_exists_with_its_options(command: str) -> None:
    words = shlex.split(command, comments=True)
    found = typer.main.get_command(app)
    while hasattr(found, "commands"):
        found = found.commands[words.pop(0)]
    options = {option for parameter in found.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options


def test_every_named_table_is_in_the_warehouse(warehouse: Warehouse) -> None:
    missing = [table for table in TABLES if not warehouse.exists(table)]
    assert len(TABLES) > 15
    assert not missing


@pytest.mark.parametrize(("section", "key"), [key for key in KEYS if key[0] in Settings.model_fields])
def test_a_named_setting_exists(section: str, key: str) -> None:
    assert key in type(getattr(Settings(), section)).model_fields


def test_the_printed_queries_answer(warehouse: Warehouse) -> None:
    assert QUERIES
    for query in QUERIES:
        assert warehouse.query(query).height > 0


@pytest.mark.parametrize("name", sorted(set(re.findall(r"notebooks/\w+\.py", GUIDE))))
def test_a_named_notebook_exists(name: str) -> None:
    assert (Path(__file__).parents[2] / name).is_file()
