"""French names of the codes the tables carry, and the national figures, kept as data beside the code."""

import json
from functools import cache
from importlib import resources
from typing import Any

from pipelines.reporting.figures import Reference


@cache
def _data(name: str) -> dict[str, Any]:
    text = resources.files("pipelines.reporting").joinpath("data", name).read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def label(kind: str, code: str) -> str:
    """The French name of a code; a code without one is written as it is, underscores opened."""
    known: dict[str, str] = _data("libelles.json")[kind]
    return known.get(code) or _opened(code.split(":")[-1])


def rank(kind: str, code: str) -> tuple[int, str]:
    """Sort key: the order of the names file, then the code."""
    known = codes(kind)
    return (known.index(code) if code in known else len(known), code)


def codes(kind: str) -> list[str]:
    """The codes that have a name, in their order."""
    return list(_data("libelles.json")[kind])


def is_listed(kind: str, code: str) -> bool:
    """True when the names file lists the code under ``kind``."""
    return code in _data("libelles.json")[kind]


def age_band(code: str) -> str:
    """``25 à 29 ans`` from ``age:25-29``, ``moins de 25 ans`` from ``age:<25`` or ``age:-25``."""
    band = code.split(":")[-1]
    if band.startswith(("<", "-")):
        return f"Moins de {band[1:]} ans"
    low, _, high = band.partition("-")
    if high.isdigit():
        return f"{low} à {high} ans"
    return f"{band[:-1]} ans et plus" if band.endswith("+") else _opened(band)


def situation(code: str) -> str:
    """The name of a count: ``Titre de séjour (A1)`` from ``A1 titre_sejour``."""
    strate, _, motif = code.partition(" ")
    if motif and strate in codes("strates"):
        return f"{label('motifs', motif)} ({strate})"
    return label("strates", code) if code in codes("strates") else label("modalites", code)


def group_name(code: str) -> str:
    """The name of a group of the profile."""
    return age_band(code) if code.startswith("age:") else label("groupes", code)


def references() -> tuple[Reference, ...]:
    """The national figures in circulation, with year, field and caveat (sources in the data file)."""
    return tuple(Reference(**entry) for entry in _data("references_nationales.json")["references"])


def national_sentence(droit: str) -> str:
    """The national figures beside a right, in one sentence with its caveat; empty when none circulates."""
    sentence: str = _data("references_nationales.json")["phrases"].get(droit, "")
    return sentence


def national_rate(groupe: str) -> int | None:
    """Non-take-up of the RSA in France in 2018 for a group, points out of 100 (DREES), if published."""
    rate: int | None = _data("references_nationales.json")["rsa_2018_par_groupe"].get(groupe)
    return rate


def compared_groups() -> list[str]:
    """Groups whose non-take-up of the RSA was published for France in 2018, in the order of the data file."""
    return list(_data("references_nationales.json")["rsa_2018_par_groupe"])


def comparison_source() -> dict[str, str]:
    """Where the national rates by group come from: texte, adresse."""
    source: dict[str, str] = _data("references_nationales.json")["rsa_2018_par_groupe_source"]
    return source


def _opened(code: str) -> str:
    words = code.replace("_", " ").strip()
    return words[:1].upper() + words[1:]
