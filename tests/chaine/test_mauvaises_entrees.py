"""A bad input gets three French lines and an exit code; nothing is half-written, nothing is lost.

The command runs in this process, with the functions of the flow but without Prefect's server.
"""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from pipelines import cli, flows
from pipelines.files import sha256
from pipelines.settings import Settings, as_toml
from pipelines.warehouse import open_warehouse
from tests.chaine.conftest import Project
from tests.conftest import MONTH, MONTHS

APRIL, MAY, JUNE = MONTHS
TABLE = "dep_rsa.csv"
VALUE = re.compile(r"\b[CDF]1\d{6}\b|\b[0-9a-f]{32}\b|\b[12]\d{12,14}\b")
"""A partner's number, a token, a NIR."""

Said = tuple[int, str]
Command = Callable[..., Said]


@pytest.fixture
def nonrecours(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """Exit code and error output of one command line; the stages after ingestion are left out."""
    for name in ("mensuel", "run_stage"):
        monkeypatch.setattr(flows, name, getattr(flows, name).fn)
    ingestion = flows.stage("ingestion")
    monkeypatch.setattr(flows, "stage", lambda name: ingestion if name == "ingestion" else lambda *_: {})
    for name in ("warm_up", "forget_identities", "hand_over"):
        monkeypatch.setattr(flows, name, lambda *_: {})

    def command(*arguments: object) -> Said:
        capfd.readouterr()
        code = cli.run([str(argument) for argument in arguments])
        output, said = capfd.readouterr()
        assert not VALUE.search(said)
        assert "Traceback" not in output + said
        return code, said

    return command


def executer(nonrecours: Command, project: Project, mois: str = MONTH) -> Said:
    return nonrecours("executer", "--mois", mois, "--reglages", project.toml)


def refused(answer: Said, code: int, *words: str) -> None:
    """A refusal: this exit code, then quoi, où, que faire, with these words."""
    found, said = answer
    lines = [line for line in said.splitlines() if not re.match(r"\d\d:\d\d:\d\d ", line)]
    assert found == code, said
    assert [line[:5] for line in lines[1:]] == ["  Où ", "  Que"], said
    assert all(word in said for word in words), said


def tree(folder: Path) -> dict[str, str]:
    """Every file and its hash, hidden ones included."""
    return {str(p.relative_to(folder)): sha256(p) for p in sorted(folder.rglob("*")) if p.is_file()}


def ingested(project: Project) -> list[tuple[str, str]]:
    with open_warehouse(project.settings.dossiers.entrepot, project.settings.dossiers.travail) as warehouse:
        if not warehouse.exists("meta__extraits"):
            return []
        rows = warehouse.read("meta__extraits").filter("est_utilise").sort("partenaire")
        return rows.select("partenaire", "mois").rows()


# At the partner: what pseudonymiser is given.


def _without_a_column(folder: Path) -> None:
    lines = [line.rsplit(";", 1)[0] for line in _lines(folder)]
    _write(folder, lines)


def _with_a_column_more(folder: Path) -> None:
    head, *rows = _lines(folder)
    _write(folder, [f"{head};courriel", *(f"{row};x" for row in rows)])


def _with_bytes_of_no_encoding(folder: Path) -> None:
    (folder / TABLE).write_bytes(b"\x00\xff\xfe\x81" * 300)


def _with_an_empty_file(folder: Path) -> None:
    (folder / TABLE).write_bytes(b"")


def _with_a_cut_parquet(folder: Path) -> None:
    frame, cut = pl.read_csv(folder / TABLE, separator=";", infer_schema=False), folder / "dep_rsa.parquet"
    frame.write_parquet(cut)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    (folder / TABLE).unlink()


def _without_a_table(folder: Path) -> None:
    (folder / TABLE).unlink()


def _with_a_file_more(folder: Path) -> None:
    (folder / "agents.csv").write_text("nom\n")


def _of_another_partner(folder: Path) -> None:
    shutil.rmtree(folder)
    shutil.copytree(folder.parents[1] / "departement" / MAY, folder)
    for path in folder.glob("*"):
        path.rename(path.with_name(path.name.replace("dep_", "caf_")))


def _gone(folder: Path) -> None:
    shutil.rmtree(folder)


def _lines(folder: Path) -> list[str]:
    return (folder / TABLE).read_bytes().decode("latin-1").splitlines()


def _write(folder: Path, lines: list[str]) -> None:
    (folder / TABLE).write_bytes("\n".join([*lines, ""]).encode("latin-1"))


@pytest.fixture
def extract(small_territory: Path, tmp_path: Path) -> Path:
    """A copy of what the Département extracts."""
    for mois in (MAY, MONTH):
        shutil.copytree(small_territory / "departement" / mois, tmp_path / "departement" / mois)
    return tmp_path / "departement" / MONTH


@pytest.mark.parametrize(
    ("damage", "code", "words"),
    [
        (_without_a_column, 3, ("Colonne absente : rsa_du", "dep_rsa")),
        (_with_a_column_more, 3, ("Colonne inconnue", "courriel", "dep_rsa")),
        (_with_bytes_of_no_encoding, 3, (TABLE,)),
        (_with_an_empty_file, 3, (TABLE,)),
        (_with_a_cut_parquet, 3, ("dep_rsa.parquet",)),
        (_without_a_table, 6, ("Table absente : dep_rsa", "son seul en-tête")),
        (_with_a_file_more, 3, ("Les retirer",)),
        (_of_another_partner, 3, ("Les retirer",)),
        (_gone, 1, ("n'existe pas",)),
    ],
)
def test_a_bad_extract_is_refused_and_nothing_is_delivered(
    nonrecours: Command,
    project: Project,
    extract: Path,
    damage: Callable[[Path], None],
    code: int,
    words: tuple[str, ...],
) -> None:
    damage(extract)
    before, depot = tree(project.root), project.settings.dossiers.depot
    key = project.settings.secrets.cle_pseudonymisation
    answer = nonrecours(
        "pseudonymiser", extract, depot, "--cle", key, "--partenaire", "departement", "--mois", MONTH,
        "--correspondance", project.root / "retour.parquet", "--remplacer",
    )  # fmt: skip
    refused(answer, code, *words)
    assert tree(project.root) == before


# At the Département: what the dépôt holds.


def _deliver_again(project: Project, extract: Path, nonrecours: Command, key: Path, *options: object) -> None:
    depot = project.settings.dossiers.depot
    code, said = nonrecours(
        "pseudonymiser", extract, depot, "--cle", key, "--partenaire", "departement", "--mois", MONTH,
        "--correspondance", project.root / "retour.parquet", "--remplacer", *options,
    )  # fmt: skip
    assert code == 0, said


def test_another_key_for_one_partner_is_refused(nonrecours: Command, project: Project, extract: Path) -> None:
    other = project.root / "autre.cle"
    assert nonrecours("cle", "creer", "--sortie", other)[0] == 0
    _deliver_again(project, extract, nonrecours, other)
    refused(executer(nonrecours, project), 4, "même clé", f"departement/{MONTH}", "cle empreinte")
    assert ingested(project) == []


def test_another_year_for_one_partner_is_refused(
    nonrecours: Command, project: Project, extract: Path
) -> None:
    key = project.settings.secrets.cle_pseudonymisation
    _deliver_again(project, extract, nonrecours, key, "--millesime", "2025")
    refused(executer(nonrecours, project), 4, f"departement/{MONTH} (millésime 2025)", "--millesime 2026")
    assert ingested(project) == []


def test_another_encoding_for_one_partner_is_refused(nonrecours: Command, project: Project) -> None:
    path = _folder(project, "departement") / "manifeste.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(manifest | {"version_encodage": "0"}), encoding="utf-8")
    refused(executer(nonrecours, project), 4, "l'encodage 0", f"departement/{MONTH}", "même version")
    assert ingested(project) == []


def _folder(project: Project, partner: str, mois: str = MONTH) -> Path:
    return project.settings.dossiers.depot / partner / mois


def _may_in_the_place_of_june(project: Project) -> None:
    shutil.rmtree(_folder(project, "caf"))
    shutil.copytree(_folder(project, "caf", MAY), _folder(project, "caf"))


def _a_file_cut(project: Project) -> None:
    path = _folder(project, "caf") / "caf_foyers.parquet"
    path.write_bytes(path.read_bytes()[:-100])


def _no_manifest(project: Project) -> None:
    (_folder(project, "caf") / "manifeste.json").unlink()


def _absent(partner: str, *months: str) -> Callable[[Project], None]:
    def remove(project: Project) -> None:
        for mois in months:
            shutil.rmtree(_folder(project, partner, mois))

    return remove


@pytest.mark.parametrize(
    ("damage", "code", "words"),
    [
        (_may_in_the_place_of_june, 3, ("autre mois", f"caf/{MONTH}")),
        (_a_file_cut, 3, ("empreinte", "caf_foyers.parquet")),
        (_no_manifest, 3, ("manifeste",)),
        (_absent("caf", *MONTHS), 6, ("de la CAF", "aucun taux")),
        (_absent("cpam", *MONTHS), 6, ("de la CPAM", "sous-estimé")),
        (_absent("departement", *MONTHS), 6, ("du Département", "surestimé")),
        (_absent("cpam", MAY, JUNE), 6, ("de la CPAM", "ni pour le mois d'avant")),
    ],
)
def test_a_bad_depot_is_refused_and_the_state_before_stays(
    nonrecours: Command,
    project: Project,
    damage: Callable[[Project], None],
    code: int,
    words: tuple[str, ...],
) -> None:
    damage(project)
    before = tree(project.settings.dossiers.depot)
    refused(executer(nonrecours, project), code, *words)
    assert tree(project.settings.dossiers.depot) == before
    assert ingested(project) == []


def test_an_extract_one_month_late_is_accepted_and_told(nonrecours: Command, project: Project) -> None:
    _absent("departement", JUNE)(project)
    assert executer(nonrecours, project)[0] == 0
    assert ("departement", MAY) in ingested(project)
    folders = project.settings.dossiers
    with open_warehouse(folders.entrepot, folders.travail) as warehouse:
        told = warehouse.query("SELECT message FROM meta__alertes WHERE source = 'departement'")["message"]
    assert f"L'extrait du Département est celui de {MAY} : il a 1 mois de retard." in set(told)


def test_a_month_nobody_delivered_is_refused(nonrecours: Command, project: Project) -> None:
    refused(executer(nonrecours, project, "2026-10"), 6, "2026-10")


def test_a_month_written_otherwise_is_refused(nonrecours: Command, project: Project) -> None:
    refused(executer(nonrecours, project, "juin 2026"), 1, "AAAA-MM")


def _in_service(project: Project, **sections: object) -> Settings:
    """Settings of a real project: roles apart."""
    settings = Settings(demonstration=False, **sections)
    project.toml.write_text(as_toml(settings), encoding="utf-8")
    return settings


def test_an_account_that_reads_the_key_may_not_analyse(nonrecours: Command, project: Project) -> None:
    _in_service(project)
    refused(executer(nonrecours, project), 5, "clé de pseudonymisation", "« analyse »", "projet.cle")
    assert not project.settings.dossiers.entrepot.exists()


def test_an_account_that_reads_the_vault_key_may_not_analyse(nonrecours: Command, project: Project) -> None:
    _in_service(project)
    project.settings.secrets.cle_pseudonymisation.unlink()
    refused(executer(nonrecours, project), 5, "clé du coffre")


def test_after_the_end_of_the_convention_nothing_runs(nonrecours: Command, project: Project) -> None:
    text = project.toml.read_text(encoding="utf-8")
    project.toml.write_text(re.sub(r"convention_fin = \S+", "convention_fin = 2026-01-31", text))
    refused(executer(nonrecours, project), 7, "convention", "avenant")
    assert not project.settings.dossiers.entrepot.exists()


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [
        ("retard_admis = 1", "retard_admi = 1", "partenaires.retard_admi"),
        ("retard_admis = 1", "retard_admis = 12", "partenaires.retard_admis"),
        ("retard_admis = 1", "retard_admis = ", "TOML"),
    ],
)
def test_a_setting_misspelt_is_named(
    nonrecours: Command, project: Project, before: str, after: str, word: str
) -> None:
    text = project.toml.read_text(encoding="utf-8")
    project.toml.write_text(text.replace(before, after), encoding="utf-8")
    refused(executer(nonrecours, project), 2, word)


def test_no_settings_at_all_says_how_to_start(nonrecours: Command, tmp_path: Path) -> None:
    answer = nonrecours("executer", "--mois", MONTH, "--reglages", tmp_path / "rien.toml")
    refused(answer, 2, "nonrecours initialiser")
