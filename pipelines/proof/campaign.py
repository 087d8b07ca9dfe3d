"""All replications of all worlds, in parallel, resumable: docs/preuves/estimateur.json and its figure."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from pipelines.files import whole_file
from pipelines.proof import figure
from pipelines.proof.judging import Verdict, replication
from pipelines.proof.parts import code_mark, read_part, write_json, write_part
from pipelines.proof.scores import scores
from pipelines.proof.worlds import WORLDS

RESULT = Path("docs/preuves/estimateur.json")
PARTS = Path("travail/preuves/estimateur")
REPLICATIONS = 200

BATCH = 10
"""Replications of one part."""

_OF_PROOF = ("worlds", "drawing", "extracts", "auditing", "judging")
CODE = (
    *(f"pipelines/proof/{name}.py" for name in _OF_PROOF),
    "pipelines/estimation",
    "pipelines/sampling/allocation.py",
    "pipelines/territory",
)
"""What the verdicts depend on; how they are told does not."""

Batch = tuple[str, int]


def prove(
    processes: int,
    replications: int = REPLICATIONS,
    worlds: Sequence[str] = tuple(WORLDS),
    result: Path = RESULT,
    parts: Path = PARTS,
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Replay ``replications`` of each world; write ``result`` and the figure beside it; return the result.

    Parts already made by this very code are kept. ``advance`` is told how many batches are done, of how many.
    """
    started, mark = time.monotonic(), code_mark(*CODE)
    wanted = [(world, first) for world in worlds for first in range(0, replications, BATCH)]
    missing = [batch for batch in wanted if read_part(_part(parts, batch), mark) is None]
    advance(len(wanted) - len(missing), len(wanted))
    for done, (batch, verdicts) in enumerate(_replayed(missing, processes), 1):
        write_part(_part(parts, batch), mark, verdicts)
        advance(len(wanted) - len(missing) + done, len(wanted))
    verdicts = [row for batch in wanted for row in read_part(_part(parts, batch), mark)]
    kept = [row for row in verdicts if row["graine"] < replications]
    found = _context(started, mark, replications, len(missing)) | {"mondes": scores(kept)}
    write_json(result, found)
    with whole_file(result.with_suffix(".svg"), mode=0o644) as partial:
        partial.write_text(figure.draw(found["mondes"]), encoding="utf-8")
    return found


def _part(parts: Path, batch: Batch) -> Path:
    world, first = batch
    return parts / f"{world}-{first:04d}.json"


def _replayed(batches: list[Batch], processes: int) -> Iterator[tuple[Batch, list[Verdict]]]:
    if processes == 1:
        yield from ((batch, _batch(batch)) for batch in batches)
        return
    os.environ["POLARS_MAX_THREADS"] = "1"  # read by the processes when they start
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        running = {pool.submit(_batch, batch): batch for batch in batches}
        yield from ((running[done], done.result()) for done in as_completed(running))


def _batch(batch: Batch) -> list[Verdict]:
    world, first = batch
    return [row for seed in range(first, first + BATCH) for row in replication(world, seed)]


def _context(started: float, mark: str, replications: int, made: int) -> dict[str, Any]:
    return {
        "commande": "nonrecours prouver",
        "le": datetime.now(UTC).date().isoformat(),
        "code": mark,
        "repetitions": replications,
        "coeurs": os.cpu_count(),
        "secondes": round(time.monotonic() - started),
        "lots_calcules": made,
    }
