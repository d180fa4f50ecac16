"""What a person notes at the desk: a flag for the expert, a comment. Each is one Act under one key, as answers are."""

from __future__ import annotations

from models.act import Act
from models.box import Box
from models.desk import Desk
from models.errors import Invalid
from models.note import COMMENT, FLAG, MOST_TEXT, UNFLAG, Note


def flag(desk: Desk, box: Box, *, raised: bool, key: str) -> Act:
    """An expert shall look at this crop, or need not any more. Raises KeyReused."""
    kind = FLAG if raised else UNFLAG
    return noted(desk, box, kind, "", "Flagged for an expert" if raised else "Flag taken down", key)


def comment(desk: Desk, box: Box, text: str, *, key: str) -> Act:
    """Words beside a crop. Raises Invalid where there are none or too many, KeyReused."""
    text = " ".join(text.split())
    if not text or len(text) > MOST_TEXT:
        raise Invalid(f"text: 1 to {MOST_TEXT:,} characters")
    return noted(desk, box, COMMENT, text, "Comment", key)


def noted(desk: Desk, box: Box, kind: str, text: str, name: str, key: str) -> Act:
    """One row. The crop stays open, and its name what it is."""
    act, fresh = Act.once(desk.session, desk.user_id, key, kind, {"box": box.id, "text": text}, desk.project.id)
    if fresh:
        box = desk.now(box.id)
        desk.session.add(
            Note(project_id=desk.project.id, box_id=box.id, user_id=desk.user_id, act_id=act.id, kind=kind, text=text)
        )
        act.before = {"picks": []}
        act.answer = {
            "kind": kind, "box_id": box.id, "image_id": box.image_id, "boxes": [box.id], "name": name,
            "species_id": None, "certain": True, "late": False, "words": f"{name}.", "round": None,
        }  # fmt: skip
        desk.session.flush()
    return act
