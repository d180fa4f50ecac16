"""A bundle becomes a project of this server: every id is new, people are found by their address.

Decisions: the whole file is checked first. The project is marked as deleted while it comes in, so nobody sees it, and an import
that is never finished is removed by the worker like any other deletion; the members come in the transaction that lifts the mark.
Run again, an import that was cut begins anew with its rows and passes over the photos that lie here already.

What names ids inside JSON is written anew (classes of a classifier, the guess beside an answer); acts come as history, since what
undo would need names rows of the other server. Jobs that had not ended stay behind, and what they had in hand waits here.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Table, insert, update
from sqlalchemy import DateTime as PlainDateTime

from models.audit import note
from models.base import Base, Moment, utc_now
from models.belonging import POINTS, key_of, own_rows, tables, target_of
from models.bundling import FORMAT
from models.checkpoint import Checkpoint
from models.database import CHUNK_ROWS, Database
from models.deletion import PROJECT, Deletion, resume_work
from models.errors import Invalid
from models.image import WAITING
from models.oldnew import OldNew
from models.pack import END, MANIFEST, Member, check, unpacking
from models.project import Project
from models.rebuilding import EVERYTHING, ask_rebuild
from models.schema import versions
from models.species import clean_name
from models.storage import Store
from models.user import User
from models.words import say
from worker.jobs.unpacking_files import FILES, Files

COMING = "unbundle"  # who marked a project that comes in
KEPT_FOR = dt.timedelta(days=2)  # an import that was cut is removed then
LATER = ("membership",)  # comes with the transaction that lifts the mark
ROWS = re.compile(r"rows/([a-z_]+)\.jsonl")
PLAIN = re.compile(r"[\w.-]+")
Report = Callable[[str, int, int], None]
Row = dict[str, Any]


def unbundle(database: Database, store: Store, path: Path, *, name: str | None, report: Report) -> int:
    """The new project's id. Raises Invalid for a bundle that is damaged or newer, and for a name that is taken."""
    manifest = check(path)
    expect_known(database, path, manifest)
    store.check_space(path.stat().st_size)
    return Import(
        database, store, path, name or str(manifest.get("project")), bool(manifest.get("derived")), report
    ).run()


def expect_known(database: Database, path: Path, manifest: dict[str, Any]) -> None:
    """Raises Invalid for another format or a newer schema."""
    if manifest.get("format") != FORMAT:
        raise Invalid(say("%(path)s has the format %(format)s; this program reads %(own)s", path=path,
                          format=manifest.get("format"), own=FORMAT))  # fmt: skip
    own = versions(database)[1]
    if str(manifest.get("schema")) > own:
        schema = manifest.get("schema")
        raise Invalid(say("%(path)s was made by a newer program (schema %(schema)s, this one has %(own)s); update this one",
                          path=path, schema=schema, own=own))  # fmt: skip


class Import:
    """One bundle on its way in."""

    def __init__(self, database: Database, store: Store, path: Path, name: str, derived: bool, report: Report) -> None:
        self._database, self._store, self._path, self._report = database, store, path, report
        self._name, self._derived = clean_name(name), derived
        self._ids: dict[str, OldNew] = {table.name: OldNew() for table in tables()}
        self._ids["user_account"] = OldNew()
        self._jobs: dict[str, str] = {}
        self._known: set[str] = set()  # tables whose rows are all here
        self._later: dict[tuple[str, str], tuple[array[int], array[int]]] = {}
        self._members: list[Row] = []
        self._project_id = 0
        self._deletion_id = 0

    def run(self) -> int:
        """Rows, links between rows, files, and then everybody sees it."""
        self._begin()
        files = Files(self._database, self._store, self._ids, self.checkpoint, self.file_name)
        count = 0
        for member in unpacking(self._path):
            if member.name in (MANIFEST, END):
                continue
            if member.name == "people.jsonl":
                self._people(member)
            elif member.name == "shared.jsonl":
                self._shared(member)
            elif found := ROWS.fullmatch(member.name):
                self._rows(found.group(1), member)
            elif FILES.match(member.name):
                if count == 0:
                    self._link()
                files.take(member)
                count += 1
                if count % CHUNK_ROWS == 0:
                    self._report(say("Files"), count, count)
                    self._put_off()
            else:
                raise Invalid(say("%(path)s has a member that this program does not know: %(name)s", path=self._path,
                                  name=member.name[:80]))  # fmt: skip
        if count == 0:
            self._link()
        self._show()
        return self._project_id

    # --- the mark ----------------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Raises Invalid when the name is taken. What is left of an import that was cut is put aside and goes."""
        now = utc_now()
        with self._database.writing() as session:
            there = Project.named(session, self._name)
            mark = session.get(Deletion, there.deletion_id) if there and there.deletion_id else None
            if there is not None and (mark is None or mark.by_name != COMING or mark.asked_at is not None):
                raise Invalid(say("name: there is already a project called %(name)s; give --name", name=self._name))
            if there is not None and mark is not None:
                there.name, mark.due_at = f"{self._name[:150]} ({uuid.uuid4().hex[:8]})", now
            coming = Deletion(
                kind=PROJECT,
                project_id=0,
                target_id=0,
                name=self._name,
                by_name=COMING,
                marked_at=now,
                due_at=now + KEPT_FOR,
            )
            session.add(coming)
            session.flush()
            self._deletion_id = coming.id

    def _put_off(self) -> None:
        with self._database.writing() as session:
            session.get_one(Deletion, self._deletion_id).due_at = utc_now() + KEPT_FOR

    def _show(self) -> None:
        with self._database.writing() as session:
            for row in self._members:
                session.execute(insert(Base.metadata.tables["membership"]).values(row))
            project = session.get_one(Project, self._project_id)
            mark = session.get_one(Deletion, self._deletion_id)
            project.deletion_id, mark.taken_back_at = None, utc_now()
            note(session, "project.unbundled", project_id=project.id, name=project.name, where="command line")
            session.flush()
            if project.archived_at is None:
                resume_work(session, project)
                if not self._derived:
                    ask_rebuild(session, project.id, EVERYTHING)

    # --- rows --------------------------------------------------------------------------------------------------------------

    def _people(self, member: Member) -> None:
        with self._database.writing() as session:
            for row in lines(member):
                user = User.by_email(session, row["email"])
                if user is None:
                    user = User.register(session, row["email"], row["name"])
                    user.disabled_at = utc_now()
                    note(session, "account.made", email=user.email, where="unbundle")
                    session.flush()
                self._ids["user_account"].add(row["id"], user.id)

    def _shared(self, member: Member) -> None:
        """Networks of the installation are known by kind, name and hash."""
        with self._database.writing() as session:
            for row in lines(member):
                here = Checkpoint.known(session, row["kind"], row["name"], row["sha256"], row["card"])
                self._shared_ids.add(row["id"], here.id)

    @property
    def _shared_ids(self) -> OldNew:
        return self._ids.setdefault("shared", OldNew())

    def _rows(self, name: str, member: Member) -> None:
        """A table's rows, a few hundred a transaction."""
        table = Base.metadata.tables.get(name)
        if table is None or own_rows(table, 0) is None:
            raise Invalid(say("%(path)s has rows of a table that this program does not know: %(name)s", path=self._path,
                              name=name))  # fmt: skip
        chunk: list[Row] = []
        count = 0
        for row in lines(member):
            chunk.append(row)
            if len(chunk) == CHUNK_ROWS:
                self._insert(table, chunk)
                count += len(chunk)
                chunk = []
                self._report(say("Rows of %(table)s", table=name), count, count)
        if chunk:
            self._insert(table, chunk)
        self._known.add(name)

    def _insert(self, table: Table, rows: list[Row]) -> None:
        key = key_of(table)
        ready = [(row, made) for row in rows if (made := self._made(table, row)) is not None]
        if table.name in LATER:
            self._members += [made for _row, made in ready]
            return
        if not ready:
            return
        with self._database.writing() as session:
            wanted = insert(table).returning(key, sort_by_parameter_order=True)
            new = list(session.scalars(wanted, [made for _row, made in ready]))
            if table.name == "project":
                self._project_id = new[0]
                mark = session.get_one(Deletion, self._deletion_id)
                mark.project_id = mark.target_id = new[0]
        for (row, _made), new_id in zip(ready, new, strict=True):
            self._remember(table, row, new_id)

    def _remember(self, table: Table, row: Row, new_id: Any) -> None:
        key = key_of(table)
        if isinstance(new_id, str):
            return
        if not any(key.foreign_keys):
            self._ids[table.name].add(row[key.name], new_id)
        for column in table.columns:
            if self._comes_later(table, column) and row.get(column.name) is not None:
                news, olds = self._later.setdefault((table.name, column.name), (array("q"), array("q")))
                news.append(new_id)
                olds.append(row[column.name])

    def _comes_later(self, table: Table, column: Column[Any]) -> bool:
        """Whether it points at a row that cannot be here yet."""
        target = target_of(column)
        if target is None or column.primary_key or target.name in ("job", "user_account", "project"):
            return False
        return target.name not in self._known

    def _made(self, table: Table, row: Row) -> Row | None:
        """The row as it is inserted; None when it hangs on a job that stayed behind."""
        unknown = set(row) - set(table.c.keys())
        if unknown:
            raise Invalid(say("%(path)s has columns that this program does not know: %(names)s", path=self._path,
                              names=", ".join(sorted(unknown))))  # fmt: skip
        made: Row = {}
        for name, value in row.items():
            column = table.c[name]
            if column.primary_key and not column.foreign_keys:
                continue
            if target_of(column) is not None:
                value = None if self._comes_later(table, column) else self._pointed(column, value)
                if value is None and not column.nullable and (table.name, name) not in POINTS:
                    if row[name] is not None and target_of(column).name == "job":  # type: ignore[union-attr]
                        return None
                    raise Invalid(say("%(path)s is damaged: a row of %(table)s points at nothing", path=self._path,
                                      table=table.name))  # fmt: skip
                if value is None and not column.nullable:
                    value = 0
            elif value is not None and isinstance(column.type, Moment | PlainDateTime):
                value = dt.datetime.fromisoformat(value)
            made[name] = value
        return SPECIAL.get(table.name, unchanged)(self, row, made)

    def _pointed(self, column: Column[Any], old: Any) -> Any:
        target = target_of(column)
        assert target is not None  # the caller asked
        if target.name == "job":
            return self._jobs.get(old) if old else None
        if (column.table.name, column.name) == ("round", "drawn_up_to"):
            return self._ids["box"].up_to(old)
        found = self._ids[target.name].get(old)
        return self._shared_ids.get(old) if found is None and target.name == "checkpoint" else found

    def species(self, old: int | None) -> int | None:
        """Here."""
        return self._ids["species"].get(old)

    def checkpoint(self, old: int | None) -> int | None:
        """Here, its own or a shared one."""
        found = self._ids["checkpoint"].get(old)
        return self._shared_ids.get(old) if found is None else found

    def file_name(self, name: str) -> str:
        """A vectors file is named by its job, whose id is new."""
        self._plain(name)
        return f"{self._jobs[name[:36]]}{name[36:]}" if name[:36] in self._jobs else f"b{self._project_id}-{name}"

    # --- links -------------------------------------------------------------------------------------------------------------

    def _link(self) -> None:
        """Columns that pointed at rows which came later."""
        for (table_name, name), (news, olds) in self._later.items():
            table = Base.metadata.tables[table_name]
            key, column = key_of(table), table.c[name]
            for start in range(0, len(news), CHUNK_ROWS):
                with self._database.writing() as session:
                    for new_id, old in zip(
                        news[start : start + CHUNK_ROWS], olds[start : start + CHUNK_ROWS], strict=True
                    ):
                        there = self._pointed(column, old)
                        if there is not None:
                            session.execute(update(table).where(key == new_id).values({name: there}))

    # --- what is not only copied -------------------------------------------------------------------------------------------

    def of_project(self, _row: Row, made: Row) -> Row:
        """Under its name here, and hidden."""
        return made | {"name": self._name, "deletion_id": self._deletion_id}

    def of_job(self, row: Row, made: Row) -> Row | None:
        """Only what ended, as history."""
        if row["state"] not in ("done", "failed", "cancelled"):
            return None
        self._jobs[row["id"]] = str(uuid.uuid4())
        return made | {"id": self._jobs[row["id"]], "key": None, "arguments": {}}

    def of_checkpoint(self, row: Row, made: Row) -> Row:
        """Its files lie under names of this project."""
        places = {
            "file": self.moved("checkpoints", row["file"]),
            "predictions": self.moved("predictions", row["predictions"]),
        }
        return made | places | {"classes": [self.species(each) for each in row["classes"]]}

    def moved(self, folder: str, place: str) -> str:
        """checkpoints/x -> checkpoints/b7-x; the folder is ours, whatever the bundle says."""
        return f"{folder}/b{self._project_id}-{self._plain(place.rpartition('/')[2])}" if place else ""

    def _plain(self, name: str) -> str:
        """Raises Invalid for a name that could lead elsewhere."""
        if not PLAIN.fullmatch(name) or name.startswith("."):
            raise Invalid(say("%(path)s names a file that cannot be: %(name)s", path=self._path, name=name[:80]))
        return name

    def of_batch(self, row: Row, made: Row) -> Row:
        """A file of boxes is named when it comes."""
        return made | {"deletion_id": None, "boxes_file": None}

    def of_image(self, row: Row, made: Row) -> Row:
        """What a job had in hand waits."""
        return made | ({"job_id": None, "shard": None} if row["state"] == WAITING else {})

    def of_box(self, row: Row, made: Row) -> Row:
        """Without derived files it has a crop that is to be made again, and no vector."""
        if row["vector_file"] is None or not self._derived:
            return made | {"vector_file": None, "vector_row": None}
        return made | {"vector_file": self.file_name(row["vector_file"])}

    def of_vector_part(self, row: Row, made: Row) -> Row | None:
        """Its file is written anew, with the ids of this server."""
        self._plain(row["name"])
        return made if self._derived else None

    def of_label(self, row: Row, made: Row) -> Row:
        """The guess beside the answer names the same species here."""
        guess = dict(row["guess"])
        if "species_id" in guess:
            guess["species_id"] = self.species(guess["species_id"])
        if "classifier_id" in guess:
            guess["classifier_id"] = self.checkpoint(guess["classifier_id"])
        return made | {"guess": guess}

    def of_act(self, row: Row, made: Row) -> Row:
        """History: nobody can take it back here."""
        return made | {"kind": "bundled", "answer": {}, "before": {}, "key": f"b{self._project_id}-{row['id']}"}


def unchanged(_self: Import, _row: Row, made: Row) -> Row:
    """Every other table."""
    return made


SPECIAL: dict[str, Callable[[Import, Row, Row], Row | None]] = {
    "project": Import.of_project, "job": Import.of_job, "checkpoint": Import.of_checkpoint, "batch": Import.of_batch,
    "image": Import.of_image, "box": Import.of_box, "vector_part": Import.of_vector_part, "label": Import.of_label,
    "act": Import.of_act,
}  # fmt: skip


def lines(member: Member) -> Iterator[Row]:
    """Each line is a row."""
    for line in member.file:
        yield json.loads(line)
