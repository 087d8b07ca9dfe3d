"""One bar per table while it is read and sorted, on the error output of a terminal; nothing elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from pipelines.source.workers import Progress


@contextmanager
def bars(console: Console | None = None) -> Iterator[Progress]:
    """Give what is to be told of the progress; ``console`` is the error output by default."""
    errors = console or Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    tasks: dict[str, TaskID] = {}
    with Bars(*columns, console=errors, disable=not errors.is_terminal) as shown:

        def told(table: str, done: int, total: int) -> None:
            if table not in tasks:
                tasks[table] = shown.add_task(table)
            shown.update(tasks[table], completed=done, total=total)

        yield told
