"""Rounds with how far each is, and the boxes on a desk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from models.box import Box
from models.round import ANSWERED, OPEN, SKIPPED, Pick, Round


def rounds(session: Session, project_id: int, before: int, limit: int) -> list[dict[str, Any]]:
    """The newest rounds whose number is below one, with their picks by state."""
    wanted = select(Round).where(Round.project_id == project_id, Round.number < before)
    found = list(session.scalars(wanted.order_by(Round.number.desc()).limit(limit)))
    sums = [
        func.sum(case((Pick.state == state, 1), else_=0)).label(name)
        for name, state in (("answered", ANSWERED), ("skipped", SKIPPED), ("left", OPEN))
    ]
    tally = select(Pick.round_id, *sums).where(Pick.round_id.in_([each.id for each in found])).group_by(Pick.round_id)
    picks = {row.round_id: row._mapping for row in session.execute(tally)}
    fields = ("id", "number", "state", "strategy", "size", "chosen_at", "opened_at", "full_at")
    return [
        {field: getattr(each, field) for field in fields}
        | {name: int(picks[each.id][name]) if each.id in picks else 0 for name in ("answered", "skipped", "left")}
        for each in found
    ]


def boxes(session: Session, box_ids: Sequence[int]) -> list[Box]:
    """These boxes."""
    return list(session.scalars(select(Box).where(Box.id.in_(box_ids))))
