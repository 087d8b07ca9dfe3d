"""At the partner: from the records drawn to a form under its own numbers, and back without them."""

from datetime import date
from pathlib import Path

import polars as pl

from pipelines.files import whole_file
from pipelines.refusals import ContractRefusal
from schemas.check import check
from schemas.reading import LINE, read_strings
from schemas.tables import SAMPLE_ANSWERS

OWN_NUMBER = "identifiant"
"""The partner's own number of a person, in its form; it never goes back."""


def write_form(tirage: Path, correspondances: list[Path], sortie: Path) -> dict[str, int]:
    """Write the form to fill (CSV, 0600): one line per record drawn, under the partner's own number.

    ``correspondances``: the files « nonrecours pseudonymiser » left at the partner. Returns fiches and, among
    them, sans_correspondance. Raises :class:`ContractRefusal` when no record drawn is found in them.
    """
    drawn = pl.read_csv(tirage, separator=";", infer_schema=False)
    ways = pl.concat(
        pl.read_parquet(path, columns=[OWN_NUMBER, "identifiant_livre"]) for path in correspondances
    )
    found = drawn.join(
        ways.unique("identifiant_livre").rename({"identifiant_livre": "personne_id"}),
        on="personne_id",
        how="left",
    ).sort("echantillon_id")
    lost = found[OWN_NUMBER].null_count()
    if lost == found.height:
        raise ContractRefusal(
            "Aucune fiche de ce tirage n'est dans ces tables de correspondance.",
            ou=tirage.name,
            que_faire="Donner les tables de correspondance de ce partenaire et de ce projet.",
        )
    empty = [pl.lit("").alias(name) for name in SAMPLE_ANSWERS.own[1:]]
    with whole_file(sortie, mode=0o600) as partial:
        found.select(OWN_NUMBER, "echantillon_id", *empty).write_csv(partial, separator=";")
    return {"fiches": found.height, "sans_correspondance": lost}


def give_back(formulaire: Path, sortie: Path) -> dict[str, int]:
    """Check a filled form and write what goes back (CSV, 0600): the numbers of the draw and the answers.

    Returns lignes_recues = lignes_rendues + lignes_a_corriger, and each rule broken. Nothing is written when
    a line is to be corrected: the partner can do it, nobody else.
    """
    read = read_strings(formulaire)
    answers = read.drop(OWN_NUMBER, strict=False)
    checked = check(answers, SAMPLE_ANSWERS, "delivered", date.today().strftime("%Y-%m"), None)
    counts = {"lignes_recues": read.height, "lignes_a_corriger": checked.rejected.height}
    if checked.rejected.height:
        lines = [f"ligne {line} : {rule}" for line, rule in checked.rejected.head(5).rows()]
        raise ContractRefusal(
            f"{checked.rejected.height} ligne(s) à corriger sur {read.height} ({', '.join(lines)}).",
            ou=formulaire.name,
            que_faire="Corriger ces lignes : 0, 1 ou NA ; mode DOSSIER, RNCPS ou ENTRETIEN ; mois AAAA-MM.",
        )
    with whole_file(sortie, mode=0o600) as partial:
        answers.drop(LINE).select(SAMPLE_ANSWERS.own).write_csv(partial, separator=";")
    return counts | {"lignes_rendues": checked.accepted.height}
