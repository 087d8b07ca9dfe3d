"""The partner's installation is small: nothing of the chain is needed to verify and pseudonymise."""

import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

LOCK = Path(__file__).parents[2] / "requirements" / "partenaire.txt"
CHAIN_ONLY = (
    "numpy",
    "pandas",
    "pyarrow",
    "duckdb",
    "splink",
    "prefect",
    "fastapi",
    "great_expectations",
    "openfisca_core",
    "openfisca_france",
    "scipy",
    "altair",
    "jinja2",
    "marimo",
    "pyspark",
)

PROGRAM = """
import sys
at_start = set(sys.modules)
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named '{{name}}'", name=name)
sys.meta_path.insert(0, Absent())
from pipelines.cli import run
for line in {lines!r}:
    if run(line):
        sys.exit(str(line))
loaded = {{name.split(".")[0] for name in set(sys.modules) - at_start}}
sys.stderr.write("\\nLOADED " + " ".join(sorted(loaded)))
"""


def loaded_by(*lines: list[str]) -> set[str]:
    """The modules loaded by these command lines when nothing but the partner's packages is installed."""
    program = PROGRAM.format(absent=not_at_the_partner(), lines=lines)
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    return set(run.stderr.rpartition("LOADED ")[2].split())


def not_at_the_partner() -> set[str]:
    """The modules of every package installed here that the partner's lock does not hold."""
    kept = {said_one_way(name) for name in locked_packages()} | {"nonrecours"}
    owners = packages_distributions().items()
    return {module for module, packages in owners if not kept & {said_one_way(name) for name in packages}}


def locked_packages() -> set[str]:
    return set(re.findall(r"^([A-Za-z0-9_.-]+)==", LOCK.read_text(encoding="utf-8"), re.MULTILINE))


def said_one_way(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_verifier_and_pseudonymiser_load_nothing_but_the_partner_s_packages(caf: Path, cle: Path) -> None:
    asked = ["--partenaire", "caf", "--mois", "2026-06"]
    root = caf.parent
    loaded = loaded_by(
        ["cle", "empreinte", "--cle", str(cle)],
        ["verifier", str(caf), *asked, "--classeur", str(root / "erreurs.xlsx")],
        ["pseudonymiser", str(caf), str(root / "depot"), "--cle", str(cle), *asked],
    )
    assert (root / "depot" / "caf" / "2026-06" / "manifeste.json").exists()
    assert {"polars", "pandera", "typer", "cryptography", "xlsxwriter"} <= loaded
    assert set(CHAIN_ONLY) & set(packages_distributions()) <= not_at_the_partner()
    assert not loaded & not_at_the_partner()


def test_the_partner_s_lock_holds_nothing_of_the_chain() -> None:
    named = {said_one_way(name) for name in locked_packages()}
    assert "polars" in named and len(named) < 40
    assert not named & {said_one_way(name) for name in CHAIN_ONLY}
