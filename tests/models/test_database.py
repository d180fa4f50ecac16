"""The two ways into the database: durable, fair, never a lost update; on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.database import Database, FairLine, wal_is_safe
from models.errors import Busy
from models.user import User
from tests import make

ROOT = Path(__file__).resolve().parent.parent.parent


def pragma(connection: sa.Connection, name: str) -> object:
    return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_sqlite_syncs_fully_keeps_foreign_keys_and_never_maps_the_file(sqlite_database: Database) -> None:
    with sqlite_database.engine.connect() as one, sqlite_database.engine.connect() as two:
        for connection in (one, two):
            assert pragma(connection, "synchronous") == 2
            assert pragma(connection, "foreign_keys") == 1
            assert pragma(connection, "busy_timeout") == 30_000
            assert pragma(connection, "mmap_size") == 0


def test_wal_only_on_a_library_without_the_reset_bug(sqlite_database: Database) -> None:
    facts = sqlite_database.facts()
    version = tuple(int(part) for part in facts["version"].split("."))
    assert facts["journal"] == ("wal" if wal_is_safe(version) else "delete")
    safe = [(3, 44, 6), (3, 44, 9), (3, 50, 7), (3, 51, 3), (3, 53, 4)]
    unsafe = [(3, 40, 1), (3, 44, 5), (3, 45, 0), (3, 50, 6), (3, 51, 0), (3, 51, 2)]
    assert [wal_is_safe(version) for version in safe] == [True] * len(safe)
    assert [wal_is_safe(version) for version in unsafe] == [False] * len(unsafe)


def test_every_write_begins_immediate_and_no_read_does(sqlite_database: Database) -> None:
    begun: list[str] = []

    @sa.event.listens_for(sqlite_database.engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("BEGIN"):
            begun.append(statement)

    with sqlite_database.reading() as session:
        session.execute(sa.select(User.id)).all()
    with sqlite_database.writing() as session:
        session.execute(sa.select(User.id)).all()
    assert begun == ["BEGIN", "BEGIN IMMEDIATE"]


def test_a_write_that_raises_leaves_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError), database.writing() as session:
        make.user(session)
        raise RuntimeError("halfway")
    with database.reading() as session:
        assert session.scalars(sa.select(User)).all() == []


def test_what_a_reader_changes_is_never_kept(sqlite_database: Database) -> None:
    with sqlite_database.writing() as session:
        user_id = make.user(session, "Before").id
    with sqlite_database.reading() as session:
        session.get_one(User, user_id).name = "After"
        session.flush()
    with sqlite_database.reading() as session:
        assert session.get_one(User, user_id).name == "Before"


def test_a_reader_sees_one_snapshot_while_others_write(database: Database) -> None:
    with database.reading() as reader:
        before = count(reader)
        with database.writing() as writer:
            make.user(writer)
        assert count(reader) == before
    with database.reading() as reader:
        assert count(reader) == before + 1


def count(session: Session) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(User)) or 0


def test_fifty_writers_at_once_lose_no_update(sqlite_database: Database) -> None:
    with sqlite_database.writing() as session:
        session.execute(sa.text("create table tally (n integer)"))
        session.execute(sa.text("insert into tally values (0)"))

    def add() -> None:
        with sqlite_database.writing() as session:
            n = session.scalar(sa.text("select n from tally"))
            session.execute(sa.text("update tally set n = :n"), {"n": n + 1})

    threads = [threading.Thread(target=add) for _each in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with sqlite_database.reading() as session:
        assert session.scalar(sa.text("select n from tally")) == 50


def test_two_processes_on_one_file_lose_no_update(sqlite_database: Database) -> None:
    with sqlite_database.writing() as session:
        session.execute(sa.text("create table tally (n integer)"))
        session.execute(sa.text("insert into tally values (0)"))
    program = (
        "import sys, sqlalchemy as sa\nfrom models.database import Database\n"
        "database = Database(sys.argv[1])\n"
        "for _ in range(40):\n"
        "    with database.writing() as session:\n"
        "        n = session.scalar(sa.text('select n from tally'))\n"
        "        session.execute(sa.text('update tally set n = :n'), {'n': n + 1})\n"
    )
    command = [sys.executable, "-c", program, sqlite_database.url]
    started = [subprocess.Popen(command, cwd=ROOT) for _each in range(2)]
    assert [process.wait(60) for process in started] == [0, 0]
    with sqlite_database.reading() as session:
        assert session.scalar(sa.text("select n from tally")) == 80


def test_the_line_serves_in_the_order_of_coming() -> None:
    line = FairLine()
    served: list[int] = []
    line.acquire(1)

    def wait(number: int) -> None:
        line.acquire(5)
        served.append(number)
        line.release()

    threads = []
    for number in range(20):
        threads.append(threading.Thread(target=wait, args=(number,)))
        threads[-1].start()
        while len(line._waiting) <= number:
            time.sleep(0.001)
    line.release()
    for thread in threads:
        thread.join()
    assert served == list(range(20))


def test_who_waits_too_long_is_told_and_leaves_no_gap_in_the_line() -> None:
    line = FairLine()
    line.acquire(1)
    with pytest.raises(Busy):
        line.acquire(0.01)
    line.release()
    line.acquire(0.01)
    line.release()


def test_a_full_line_turns_the_next_one_away_at_once() -> None:
    line = FairLine(max_waiting=1)
    line.acquire(1)
    waiting = threading.Thread(target=line.acquire, args=(5,))
    waiting.start()
    while not line._waiting:
        time.sleep(0.001)
    began = time.monotonic()
    with pytest.raises(Busy):
        line.acquire(5)
    assert time.monotonic() - began < 1
    line.release()
    waiting.join()


def test_a_request_that_is_given_up_passes_its_turn_on() -> None:
    line = FairLine()

    async def story() -> None:
        await line.acquire_async(1)
        given_up = asyncio.create_task(line.acquire_async(5))
        patient = asyncio.create_task(line.acquire_async(5))
        await asyncio.sleep(0.01)
        given_up.cancel()
        await asyncio.sleep(0.01)
        line.release()
        await asyncio.wait_for(patient, 1)
        with pytest.raises(Busy):
            await line.acquire_async(0.01)
        line.release()
        await line.acquire_async(1)

    asyncio.run(story())


def test_threads_and_event_loop_stand_in_one_line(database: Database) -> None:
    async def story() -> None:
        async def add() -> None:
            async with database.writing_async() as session:
                await asyncio.to_thread(make.user, session)

        def add_in_thread() -> None:
            with database.writing() as session:
                make.user(session)

        await asyncio.gather(*(add() for _each in range(5)), *(asyncio.to_thread(add_in_thread) for _each in range(5)))

    asyncio.run(story())
    with database.reading() as session:
        assert count(session) == 10


def test_an_async_write_that_raises_leaves_nothing_and_frees_the_line(sqlite_database: Database) -> None:
    async def story() -> None:
        with pytest.raises(RuntimeError):
            async with sqlite_database.writing_async() as session:
                make.user(session)
                raise RuntimeError("halfway")
        async with sqlite_database.writing_async() as session:
            make.user(session)

    asyncio.run(story())
    with sqlite_database.reading() as session:
        assert count(session) == 1
