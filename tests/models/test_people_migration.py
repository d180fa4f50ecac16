"""The migration that lets picks lie beside the rounds makes SQLite's table of picks anew: nothing of the rounds is lost."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import select

from models.beside import ask_voices
from models.database import Database
from models.invariants import Scene, rounds
from models.membership import Role
from models.round import Pick, take
from models.schema import migrate
from models.storage import Store
from tests import make
from tests.models.test_migrations import to


def test_down_and_up_again_keeps_the_picks_of_the_rounds(database: Database, store: Store) -> None:
    with database.writing() as session:
        who = make.user(session)
        project = make.project(session, (who, Role.annotator))
        boxes = [make.box(session, make.image(session, make.batch(session, project))) for _ in range(3)]
        make.round_of(session, project, boxes)
        assert len(take(session, project, who.id, 2)) == 2
        boxes[0].waits_for = "voice"
        ask_voices(session, boxes)  # the open pick of the round brings a voice
        boxes[0].waits_for = None
        session.add(Pick(round_id=None, box_id=boxes[0].id, position=0))
        session.flush()
        kept = [
            tuple(row)
            for row in session.execute(select(Pick.id, Pick.box_id, Pick.position, Pick.state).order_by(Pick.id))
        ]
    assert len(kept) == 4
    to(database, "0006")
    with database.reading() as session:
        old = session.execute(sa.text("select id, box_id, position, state from pick order by id"))
        assert [tuple(row) for row in old] == kept[:3]
    migrate(database)
    with database.reading() as session:
        assert session.scalar(sa.text("select count(*) from lease")) == 0
        assert list(session.scalars(select(Pick.id).order_by(Pick.id))) == [row[0] for row in kept[:3]]
        assert list(rounds(Scene(session, store, deep=False))) == []
