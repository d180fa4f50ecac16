"""Static groups with their figures: a few questions a page, whatever the number of boxes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from models.act import Act
from models.box import Box
from models.deployment import Deployment
from models.image import Image
from models.static import StaticGroup, StaticHit, is_unnamed
from models.user import User

AT_ONCE = 60  # groups of a page; the ones with the most boxes come first


@dataclass(frozen=True)
class Tile:
    """One group. unnamed: boxes that a decision would name. verdict: empty while nobody's word stands."""

    group: StaticGroup
    camera: str
    image_id: int
    is_cut: bool
    hits: int
    unnamed: int
    first_at: dt.datetime | None
    last_at: dt.datetime | None
    verdict: str
    by_id: int | None
    by: str
    at: dt.datetime | None


def tiles(session: Session, project_id: int, *, decided: bool, group_id: int | None = None) -> list[Tile]:
    """The groups that wait, those with boxes that came after their decision included; or those that are decided. group_id: only
    this one."""
    stands = StaticGroup.is_decided()
    which = [StaticGroup.project_id == project_id] + ([StaticGroup.id == group_id] if group_id is not None else [])
    tally = (
        select(
            StaticHit.group_id, func.count(Box.id).label("hits"), func.sum(case((is_unnamed(), 1), else_=0)).label("unnamed"),
            func.min(Image.taken_at).label("first_at"), func.max(Image.taken_at).label("last_at"),
        )
        .join(StaticGroup, StaticGroup.id == StaticHit.group_id)
        .join(Box, Box.id == StaticHit.box_id)
        .join(Image, Image.id == Box.image_id)
        .where(*which, Box.deleted_at.is_(None))
        .group_by(StaticHit.group_id)
        .subquery()
    )  # fmt: skip
    rows = session.execute(
        select(
            StaticGroup, Deployment.name, Box.image_id, Box.embedder_id, tally.c.hits, tally.c.unnamed, tally.c.first_at,
            tally.c.last_at, Act.taken_back, Act.created_at, User.id, User.name,
        )
        .join(tally, tally.c.group_id == StaticGroup.id)
        .join(Deployment, Deployment.id == StaticGroup.deployment_id)
        .join(Box, Box.id == StaticGroup.first_box_id)
        .outerjoin(Act, Act.id == StaticGroup.act_id)
        .outerjoin(User, User.id == Act.user_id)
        .where(*which, stands if decided else ~stands)
        .order_by(tally.c.hits.desc(), StaticGroup.id)
        .limit(AT_ONCE)
    )  # fmt: skip
    return [
        Tile(
            group, camera, image_id, embedder_id is not None, hits, int(unnamed or 0), first_at, last_at,
            group.verdict if taken_back is False else "", user_id if taken_back is False else None, name or "", at,
        )
        for group, camera, image_id, embedder_id, hits, unnamed, first_at, last_at, taken_back, at, user_id, name in rows
    ]  # fmt: skip


def group_of(session: Session, project_id: int, group_id: int) -> StaticGroup | None:
    """The group, if it is of this project."""
    found = session.get(StaticGroup, group_id)
    return found if found is not None and found.project_id == project_id else None
