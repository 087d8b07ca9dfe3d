"""The three services' identity files, made by the real encoder and kept for the next run."""

import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import polars as pl
from rich.progress import Progress

from bench.echelle.population import PART, SERVICES, people, written_down
from pipelines.files import sha256
from pipelines.source.encode import Encoder, identities

MOIS = "2026-06"
CACHE = Path("travail/echelle/livraisons")
FILES = {"caf": "caf_personnes", "cpam": "cpam_assures", "departement": "dep_personnes"}

_KEY, _EPOCH = bytes(range(32)), "2026"
_SLICE_ROWS = 25_000
_PROBE_PEOPLE = 400


@dataclass(frozen=True)
class Deliveries:
    """``depot``: a folder of deliveries. ``truth``: source, personne_id, personne."""

    depot: Path
    truth: Path


def deliveries(records: int, seed: int, cache: Path = CACHE) -> Deliveries:
    """About ``records`` records by service; made once for a size, a seed, a generator and an encoder."""
    folder = cache / f"{records}-{seed}-{_fingerprint(seed)}"
    made = Deliveries(folder / "depot", folder / "verite.parquet")
    if not made.truth.is_file():
        _deliver(records, seed, made)
    return made


def _fingerprint(seed: int) -> str:
    """Changes when the generator or the encoder would write other bytes for a few people."""
    frames = _nominative(_PROBE_PEOPLE, seed)
    encoded = (_encoded(frame, service) for service, frame in frames)
    digest = hashlib.sha256("".join(frame.write_csv() for frame in encoded).encode())
    return digest.hexdigest()[:12]


def _nominative(records: int, seed: int) -> Iterator[tuple[str, pl.DataFrame]]:
    everyone = people(round(records / PART), np.random.default_rng(seed))
    for number, service in enumerate(SERVICES):
        yield service, written_down(everyone, service, np.random.default_rng((seed, number)))


def _deliver(records: int, seed: int, made: Deliveries) -> None:
    truth = []
    with Progress() as progress:
        bar = progress.add_task(f"Encoder {len(SERVICES)} × {records} fiches", total=len(SERVICES))
        for service, frame in _nominative(records, seed):
            truth.append(frame.select("personne_id", "personne", source=pl.lit(service)))
            _write(_encoded_in_parallel(frame, service), made.depot / service / MOIS, FILES[service])
            progress.advance(bar)
    pl.concat(truth).write_parquet(made.truth)


def _encoded_in_parallel(frame: pl.DataFrame, service: str) -> pl.DataFrame:
    """People born on one day stay together: the encoder hashes their common bigrams once."""
    slices = list(frame.sort("date_naissance", "personne_id").iter_slices(_SLICE_ROWS))
    services = [service] * len(slices)
    if len(slices) == 1:
        return _encoded(frame, service)
    with ProcessPoolExecutor(min(len(slices), os.cpu_count() or 1), mp_context=get_context("spawn")) as pool:
        return pl.concat(pool.map(_encoded, slices, services))


def _encoded(frame: pl.DataFrame, service: str) -> pl.DataFrame:
    plain = frame.select(
        "personne_id",
        "sexe",
        "commune_insee",
        naissance_annee=pl.col("date_naissance").str.slice(0, 4).cast(pl.Int32, strict=False),
    )
    return pl.concat([plain, identities(frame, Encoder(_KEY, service, _EPOCH), MOIS)], how="horizontal")


def _write(encoded: pl.DataFrame, folder: Path, table: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{table}__identite.parquet"
    encoded.write_parquet(path)
    files = {path.name: {"lignes": encoded.height, "sha256": sha256(path)}}
    (folder / "manifeste.json").write_text(json.dumps({"fichiers": files}), encoding="utf-8")
