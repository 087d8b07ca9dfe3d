"""Files that appear whole or not at all."""

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PARTIAL = ".partiel-"


@contextmanager
def whole_file(path: Path, mode: int = 0o640) -> Iterator[Path]:
    """Give a temporary path beside ``path``; on success, sync it and rename it into place.

    Nothing is left at ``path`` when the block raises or the process is killed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=_partial(path), suffix=path.suffix, dir=path.parent)
    os.close(handle)
    partial = Path(name)
    try:
        yield partial
        partial.chmod(mode)
        _sync(partial)
        partial.replace(path)
        _sync(path.parent)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside ``path``; on success, rename it into place.

    Raises :class:`OSError` when ``path`` exists already and is not empty.
    """
    with passing_folder(path) as partial:
        yield partial
        for file in partial.rglob("*"):
            _sync(file)
        partial.chmod(0o750)
        if path.exists():
            path.rmdir()
        partial.replace(path)
        _sync(path.parent)


@contextmanager
def passing_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside ``path``, that only its owner reads, and remove it in the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=_partial(path), dir=path.parent))
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def forget_partials(path: Path) -> None:
    """Remove what a killed process left beside ``path``; to be called by whoever holds its lock."""
    left = path.parent.iterdir() if path.parent.is_dir() else ()
    _remove(entry for entry in left if entry.name.startswith(_partial(path)))


def forget_partials_below(*folders: Path) -> None:
    """The same anywhere in these folders; to be called by the only one who may write there."""
    for folder in folders:
        _remove(folder.rglob(f"{_PARTIAL}*"))


def _remove(partials: Iterable[Path]) -> None:
    for partial in list(partials):
        if partial.is_dir():
            shutil.rmtree(partial, ignore_errors=True)
        else:
            partial.unlink(missing_ok=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold ``path`` against every other process; the lock goes with the process, even killed.

    Raises :class:`BlockingIOError` when another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(f".verrou-{path.name}")
    handle = _taken(lock)
    try:
        yield
    finally:
        with suppress(PermissionError):  # Windows removes no open file
            lock.unlink(missing_ok=True)
        os.close(handle)


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _partial(path: Path) -> str:
    return f"{_PARTIAL}{path.name}-"


def _taken(lock: Path) -> int:
    """An open handle of the file, locked. A file its last holder has just removed is opened again."""
    while True:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(handle)
            if lock.exists() and os.path.samestat(os.fstat(handle), lock.stat()):
                return handle
        except OSError as held:
            os.close(handle)
            raise BlockingIOError(str(lock)) from held
        os.close(handle)


def _lock(handle: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _sync(path: Path) -> None:
    if os.name == "nt" and path.is_dir():
        return  # Windows opens no folder
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
