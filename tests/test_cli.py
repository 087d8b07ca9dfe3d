"""The command speaks French, and the guides know each of its verbs and exit codes."""

import inspect
import re
from pathlib import Path

import pytest
import typer

from pipelines import cli, refusals

ROOT = Path(__file__).parents[1]
GUIDES = "\n".join(
    p.read_text(encoding="utf-8") for p in [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
)
PARTNER_GUIDE = (ROOT / "docs" / "partenaire.md").read_text(encoding="utf-8")


def _commands(group: typer.core.TyperGroup, path: tuple[str, ...] = ()) -> dict[str, typer.core.TyperCommand]:
    found = {}
    for name, command in group.commands.items():
        inside = isinstance(command, typer.core.TyperGroup)
        found |= _commands(command, (*path, name)) if inside else {" ".join((*path, name)): command}
    return found


COMMANDS = _commands(typer.main.get_command(cli.app))  # type: ignore[arg-type]
FRENCH = re.compile(r"\b(le|la|les|un|une|des|du|de|ce|et|à|chez|avant|s'il|déjà|tel|votre|écrit)\b|[éèêàç]")


@pytest.mark.parametrize("name", COMMANDS)
def test_each_verb_and_each_of_its_options_is_explained_in_french(name: str) -> None:
    command = COMMANDS[name]
    assert FRENCH.search(command.help or "")
    unexplained = [p.name for p in command.params if p.name != "help" and not getattr(p, "help", None)]
    assert unexplained == []


@pytest.mark.parametrize("name", COMMANDS)
def test_each_verb_is_in_a_guide(name: str) -> None:
    assert re.search(rf"nonrecours {name}\b", GUIDES), f"« nonrecours {name} » n'est dans aucun guide"


def test_the_exit_codes_of_the_partners_guide_are_those_of_the_program() -> None:
    kinds = [k for _, k in inspect.getmembers(refusals, inspect.isclass) if issubclass(k, refusals.Refusal)]
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", PARTNER_GUIDE, flags=re.M)}
    assert documented == {kind.code for kind in kinds} | {0, 70, 130}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Il manque une commande."),
        (["excuter"], "n'existe pas"),
        (["executer"], "Il manque --mois."),
        (["executer", "--moi", "2026-06"], "L'option --moi n'existe pas."),
        (["simuler", "--graine", "x", "--sortie", "s", "--mois-debut", "a", "--mois-fin", "b"], "--graine"),
    ],
)
def test_a_line_that_cannot_be_read_is_told_in_french(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(arguments) == 2
    assert said in capsys.readouterr().err


def test_help_is_no_error() -> None:
    assert cli.run(["--help"]) == 0


def test_a_fault_of_the_program_is_told_by_its_place_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ValueError("279043148350153")

    monkeypatch.setattr(cli, "app", fails)
    assert cli.run([]) == 70
    said = capsys.readouterr().err
    assert "ValueError" in said
    assert "279043148350153" not in said


def test_an_interruption_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def stops(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "app", stops)
    assert cli.run([]) == 130
    assert "Interrompu" in capsys.readouterr().err
