"""Read a foreign file whole and put what it says into the rows of its import, 500 a transaction; then judge them.

All of it happens in the request that brought the file (or in the command): about 2,000 rows a second. Should it break off, the
import stays `reading`, nothing of it was taken, and it can be read again. What the pages, the command line and the programs' door
share is here: bring() and read_again().
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

import structlog
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from app.imports.files import MOST_BYTES, Files, base
from app.imports.formats import AUTO, FORMATS, recognise
from app.imports.lines import How, Line
from app.imports.tables import Asks
from models.database import CHUNK_ROWS, Database
from models.errors import Conflict, DomainError, Invalid
from models.import_judging import judge
from models.imported import ASKS, CHECKED, FAILED, READING, STOPPED, TAKEN, TAKING, UNDOING, Import, ImportRow
from models.project import Project
from models.storage import CHUNK, Store

log = structlog.get_logger("web")


def bring(
    database: Database, store: Store, project_id: int, by: int, files: Mapping[str, BinaryIO], *, format: str = AUTO,
    options: dict[str, Any] | None = None,
) -> int:  # fmt: skip
    """Keep the files, read them and judge every row; the id of the import, whose state and counts say how it went.

    files: open files by name. options: strip_prefix, said_by (human | machine), absent (write down photos that the project
    lacks), encoding, delimiter, decimal, columns, confirmed. Raises Invalid for a format that is none, NoSpace, TooLarge.
    """
    if not files:
        raise Invalid("files: choose a file first")
    kept = {base(name): store.keep(pieces(file), MOST_BYTES) for name, file in files.items()}
    paths = {name: store.kept(received.sha256) for name, received in kept.items()}
    name = format if format != AUTO else recognise(Files.of(paths))
    if name not in FORMATS:
        raise Invalid(f"format: {name[:40]!r} is not one of {', '.join(FORMATS)}")
    hashes = [kept[each].sha256 for each in sorted(kept)]
    with database.writing() as session:
        import_ = Import(
            project_id=project_id, format=name, name=min(kept)[:255], by_id=by,
            options={"absent": FORMATS[name].absent} | (options or {}),
            files={each: {"sha256": received.sha256, "size": received.size} for each, received in kept.items()},
            sha256=hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest(),
        )  # fmt: skip
        session.add(import_)
        session.flush()
        import_id = import_.id
    stage(database, store, import_id)
    return import_id


def pieces(file: BinaryIO) -> Iterator[bytes]:
    """An open file, a megabyte at a time."""
    while piece := file.read(CHUNK):
        yield piece


def read_again(database: Database, store: Store, project_id: int, import_id: int, options: dict[str, Any]) -> None:
    """With other options. Raises Conflict when rows of it were taken: those that wait are judged again instead."""
    with database.writing() as session:
        import_ = Import.of(session, project_id, import_id)
        if import_.state in (TAKING, UNDOING) or any_taken(session, import_id):
            raise Conflict("Rows of this import were taken. Take it back first, then read it again.")
        import_.options = import_.options | options
        import_.state, import_.error = READING, ""
    stage(database, store, import_id)


def judge_rest(database: Database, project_id: int, import_id: int) -> None:
    """Rows that waited for their photos, once more; what is good now is asked for. Raises Conflict before the first taking."""
    with database.reading() as session:
        Import.of(session, project_id, import_id).expect(TAKEN, STOPPED)
    judge(database, import_id)
    with database.writing() as session:
        Import.of(session, project_id, import_id).take(session)


def stage(database: Database, store: Store, import_id: int) -> None:
    """Read and judge. What is wrong with the file as a whole stands in the import."""
    with database.reading() as session:
        import_ = session.get_one(Import, import_id)
        how = how_of(import_.options, session.get_one(Project, import_.project_id).zone)
        paths = {name: store.kept(file["sha256"]) for name, file in import_.files.items()}
    clear(database, import_id)
    try:
        reading = FORMATS[import_.format].read(Files.of(paths), how)
        write_lines(database, import_id, reading.lines)
    except Asks as asks:
        settle(database, import_id, ASKS, asks.reading)
    except DomainError as error:
        settle(database, import_id, FAILED, {}, str(error))
    else:
        settle(database, import_id, READING, reading.source)
        judge(database, import_id)
        settle(database, import_id, CHECKED, {})


def how_of(options: dict[str, Any], zone: str) -> How:
    """The options that readers know."""
    known = {
        name: options[name]
        for name in ("encoding", "delimiter", "decimal", "columns", "strip_prefix", "said_by")
        if options.get(name)
    }
    return How(**known, zone=zone, confirmed=bool(options.get("confirmed")))


def settle(database: Database, import_id: int, state: str, source: dict[str, Any], error: str = "") -> None:
    """Where the reading stands."""
    with database.writing() as session:
        import_ = session.get_one(Import, import_id)
        import_.state, import_.source, import_.error = state, import_.source | source, error[:1000]


def write_lines(database: Database, import_id: int, lines: Iterable[Line]) -> None:
    """Rows in the order of the file."""
    numbered = enumerate(lines, start=1)
    while chunk := list(itertools.islice(numbered, CHUNK_ROWS)):
        rows = [
            {
                "import_id": import_id, "number": number, "place": line.place[:120], "kind": line.kind, "photo": line.photo,
                "record": line.record.as_json() if line.record else {}, "verdict": line.verdict, "field": line.field[:120],
                "reason": line.reason[:300], "is_taken": False, "taken": {},
            }
            for number, line in chunk
        ]  # fmt: skip
        with database.writing() as session:
            session.execute(insert(ImportRow), rows)


def clear(database: Database, import_id: int) -> None:
    """Forget what an earlier reading made of it."""
    while True:
        with database.writing() as session:
            few = list(session.scalars(select(ImportRow.id).where(ImportRow.import_id == import_id).limit(CHUNK_ROWS)))
            session.execute(delete(ImportRow).where(ImportRow.id.in_(few)))
            if not few:
                session.get_one(Import, import_id).source = {}
                return


def any_taken(session: Session, import_id: int) -> bool:
    """Whether a row of it made something."""
    taken = select(ImportRow.id).where(ImportRow.import_id == import_id, ImportRow.is_taken).limit(1)
    return session.scalar(taken) is not None
