"""An invented population written down by four services with their usual defects, then encoded for real."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from pipelines.files import sha256
from pipelines.identifiers.nir import key
from pipelines.settings import Settings
from pipelines.source.encode import Encoder, identities
from pipelines.territory import load
from pipelines.warehouse import Warehouse
from schemas import ENCODING_VERSION

MOIS = "2026-06"
TEST_KEY = bytes(range(32))
EPOCH = "2026"
_SYLLABLES = [consonant + vowel for consonant in "BDFGLMNPRSTVZ" for vowel in ("A", "AN", "I", "O")]
_ENDINGS = ["D", "DET", "GNE", "LIN", "N", "NET", "R", "RD", "S", "T", "TIER", "UX", "Z"]
FILES = {
    "caf": "caf_personnes",
    "cpam": "cpam_assures",
    "departement": "dep_personnes",
    "cellule": "consentements",
    "opposition": "oppositions",
}
EVENTS = ("cellule", "opposition")


@dataclass(frozen=True)
class Habits:
    """How a service writes people down: shares of records with each defect."""

    part: float
    avec_nir: float
    faute_de_nom: float = 0.02
    faute_de_prenom: float = 0.02
    prenom_seul: float = 0.3
    nom_usage_seul: float = 0.03
    mauvaise_date: float = 0.008
    lieu_absent: float = 0.05
    demenage: float = 0.04
    sexe_faux: float = 0.002


HABITS = {
    "caf": Habits(0.75, 0.95),
    "cpam": Habits(0.75, 0.99, prenom_seul=0.0),
    "departement": Habits(0.75, 0.85, faute_de_nom=0.03),
    "cellule": Habits(0.03, 0.0, 0.05, 0.04, 0.8, 0.3, 0.012, 0.3, 0.03),
}


def population(size: int, rng: np.random.Generator) -> pl.DataFrame:
    """People: personne, names, date, sexe, lieu, commune, nir. One in eighty has a twin."""
    surnames = _zipf(_words(4000, rng), size, rng)
    sexe = rng.integers(1, 3, size)
    first = [_words(250, rng), _words(250, rng)]
    given = [_zipf(first[s - 1], 1, rng)[0] for s in sexe]
    days = rng.integers(0, 75 * 365, size)
    people = pl.DataFrame(
        {
            "nom_naissance": surnames,
            "prenom": given,
            "autres": [_zipf(first[s - 1], 1, rng)[0] for s in sexe],
            "sexe": sexe.astype(str),
            "date": np.datetime64("1935-01-01") + days,
            "lieu_naissance": rng.choice(
                ["31483", "31555", "65440", "32013", "99352"], size, p=[0.4, 0.3, 0.1, 0.1, 0.1]
            ),
            "commune_insee": _communes(size, rng),
        }
    )
    married = (sexe == 2) & (rng.random(size) < 0.5) & (days < 50 * 365)
    people = people.with_columns(
        nom_usage=pl.when(pl.Series(married))
        .then(pl.Series(_zipf(sorted(set(surnames)), size, rng)))
        .otherwise(pl.lit(""))
    )
    return _numbered(_with_twins(people, rng))


def written_down(
    people: pl.DataFrame, habits: Habits, service: str, rng: np.random.Generator
) -> pl.DataFrame:
    """The nominative file of a service: identity columns of the contract, plus ``personne`` (the truth)."""
    drawn = people.sample(fraction=habits.part, seed=int(rng.integers(2**31)), shuffle=True)
    n = drawn.height

    def hit(share: float) -> pl.Series:
        return pl.Series(rng.random(n) < share)

    alone = hit(habits.nom_usage_seul) & (drawn["nom_usage"] != "")
    names = drawn.with_columns(
        nom_naissance=pl.when(alone).then("nom_usage").otherwise("nom_naissance"),
        nom_usage=pl.when(alone).then(pl.lit("")).otherwise("nom_usage"),
        prenoms=pl.when(hit(habits.prenom_seul))
        .then("prenom")
        .otherwise(pl.col("prenom") + " " + pl.col("autres")),
    )
    return names.select(
        "personne",
        pl.Series("personne_id", [f"{service}{i:08d}" for i in rng.permutation(n)]),
        nir=pl.when(hit(habits.avec_nir)).then("nir"),
        nom_naissance=_misspelt(names["nom_naissance"], hit(habits.faute_de_nom), rng),
        nom_usage="nom_usage",
        prenoms=_misspelt(names["prenoms"], hit(habits.faute_de_prenom), rng),
        date_naissance=_wrong_day(drawn["date"], hit(habits.mauvaise_date), rng),
        sexe=pl.when(hit(habits.sexe_faux)).then(pl.lit("1")).otherwise("sexe"),
        lieu_naissance=pl.when(~hit(habits.lieu_absent)).then("lieu_naissance"),
        commune_insee=pl.when(hit(habits.demenage))
        .then(pl.Series(_communes(n, rng)))
        .otherwise("commune_insee"),
        adresse=pl.lit(""),
    )


def deliver(frame: pl.DataFrame, service: str, depot: Path) -> None:
    """Encode a nominative file and put its identity file and manifest where a delivery goes."""
    table, name = FILES[service], "consentement_id" if service in EVENTS else "personne_id"
    encoded = pl.concat(
        [
            frame.select(
                pl.col("personne_id").alias(name), "sexe", "commune_insee",
                naissance_annee=pl.col("date_naissance").str.slice(0, 4).cast(pl.Int32, strict=False),
            ),
            identities(frame, Encoder(TEST_KEY, service, EPOCH), MOIS),
        ],
        how="horizontal",
    )  # fmt: skip
    folder = depot / ("cellule" if service == "opposition" else service) / MOIS
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{table}__identite.parquet"
    encoded.write_parquet(path)
    files = {path.name: {"lignes": encoded.height, "sha256": sha256(path)}}
    (folder / "manifeste.json").write_text(json.dumps({"fichiers": files}))


def declare(warehouse: Warehouse, services: list[str], epochs: list[str] | None = None) -> None:
    """The table meta__extraits of an ingest that used one extract per service."""
    rows = [
        {
            "extrait_id": f"{service}-{MOIS}",
            "partenaire": service,
            "mois": MOIS,
            "millesime_cle": epoch,
            "version_encodage": ENCODING_VERSION,
            "controle_cle": "0" * 16,
            "est_utilise": True,
            "est_remplace": False,
        }
        for service, epoch in zip(services, epochs or [EPOCH] * len(services), strict=True)
    ]
    warehouse.replace("meta__extraits", pl.DataFrame(rows))
    alerts = dict.fromkeys(("mois", "etape", "gravite", "source", "message"), pl.String)
    warehouse.replace("meta__alertes", pl.DataFrame(schema=alerts))
    nobody = dict.fromkeys(("consentement_id", "objet"), pl.String)
    warehouse.replace("core__cellule_oppositions", pl.DataFrame(schema=nobody))


def settings_in(folder: Path) -> Settings:
    """Settings whose every folder is under ``folder``."""
    settings = Settings()
    names = ("depot", "entrepot", "sorties", "travail")
    return settings.model_copy(
        update={"dossiers": settings.dossiers.model_copy(update={n: folder / n for n in names})}
    )


def _words(count: int, rng: np.random.Generator) -> list[str]:
    made: dict[str, None] = {}
    while len(made) < count:
        parts = rng.choice(_SYLLABLES, int(rng.integers(2, 4)))
        made["".join(parts) + str(rng.choice(_ENDINGS))] = None
    return list(made)


def _zipf(words: list[str], size: int, rng: np.random.Generator) -> list[str]:
    weights = 1 / (np.arange(len(words)) + 8.0) ** 0.9
    return [words[i] for i in rng.choice(len(words), size, p=weights / weights.sum())]


def _communes(size: int, rng: np.random.Generator) -> list[str]:
    inside = load("comminges").inside
    weights = inside["population"].to_numpy() / inside["population"].sum()
    return [str(code) for code in rng.choice(inside["commune_insee"].to_numpy(), size, p=weights)]


def _with_twins(people: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    twins = people.sample(fraction=1 / 80, seed=int(rng.integers(2**31)))
    others = people.sample(n=twins.height, seed=int(rng.integers(2**31)))
    return pl.concat([people, twins.with_columns(others["prenom"], others["autres"], others["sexe"])])


def _numbered(people: pl.DataFrame) -> pl.DataFrame:
    order = pl.int_range(pl.len()).over("sexe", "date", "lieu_naissance") + 1
    numbers = people.with_row_index("personne").with_columns(
        nir=pl.concat_str(
            "sexe",
            pl.col("date").cast(pl.Date).dt.strftime("%y%m"),
            "lieu_naissance",
            (order + pl.col("date").cast(pl.Date).dt.day().cast(pl.Int64) * 7).cast(pl.String).str.zfill(3),
        )
    )
    return numbers.with_columns(nir=pl.col("nir") + key(pl.col("nir")).cast(pl.String).str.zfill(2))


def _misspelt(words: pl.Series, hit: pl.Series, rng: np.random.Generator) -> pl.Series:
    def once(word: str) -> str:
        at = int(rng.integers(1, max(len(word) - 1, 2)))
        kind = int(rng.integers(3))
        return word[:at] + ("", word[at : at + 1] * 2, "E")[kind] + word[at + 1 :]

    return pl.Series([once(w) if wrong and w else w for w, wrong in zip(words, hit, strict=True)])


def _wrong_day(dates: pl.Series, hit: pl.Series, rng: np.random.Generator) -> pl.Series:
    def once(day: str) -> str:
        year, month, of_month = day.split("-")
        swapped = f"{year}-{of_month}-{month}" if int(of_month) <= 12 else f"{year}-{month}-01"
        other = f"{year}-{month}-{int(rng.integers(1, 29)):02d}"
        return (swapped, other, f"{year}-{month}-00", f"{int(year) - 1}{day[4:]}")[int(rng.integers(4))]

    text = dates.cast(pl.Date).dt.to_string()
    return pl.Series([once(d) if wrong else d for d, wrong in zip(text, hit, strict=True)])
