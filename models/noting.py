"""What a person notes at the desk: a flag for the expert, a comment, gold. Each is one Act under one key, as answers are."""

from __future__ import annotations

from models.act import Act
from models.beside import ask_voices
from models.box import Box
from models.consensus import EXPERTS
from models.desk import Desk
from models.errors import Invalid, NotAllowed
from models.label import Label
from models.membership import Role
from models.note import COMMENT, FLAG, GOLD, MOST_TEXT, NO_GOLD, UNFLAG, Note
from models.species import Species
from models.words import figure, say, written


def flag(desk: Desk, box: Box, *, raised: bool, key: str) -> Act:
    """An expert shall look at this crop, or need not any more. Raises KeyReused."""
    kind = FLAG if raised else UNFLAG
    return noted(desk, box, kind, "", written("Flagged for an expert") if raised else written("Flag taken down"), key)


def comment(desk: Desk, box: Box, text: str, *, key: str) -> Act:
    """Words beside a crop. Raises Invalid where there are none or too many, KeyReused."""
    text = " ".join(text.split())
    if not text or len(text) > MOST_TEXT:
        raise Invalid("text: " + say("1 to %(most_text)s characters", most_text=figure(MOST_TEXT)))
    return noted(desk, box, COMMENT, text, written("Comment"), key)


def keep_gold(desk: Desk, box: Box, *, raised: bool, key: str) -> Act:
    """An expert keeps a crop to judge annotators by, or no more. It becomes the expert's word too, so that no answer to it can
    change its name.

    Raises NotAllowed for who is no expert, Invalid where the crop has no name, KeyReused.
    """
    if desk.role.rank < Role.expert.rank:
        raise NotAllowed(say("Only experts and administrators choose what is gold."))
    (held,) = desk.boxes([box.id])
    if raised and held.settled_label_id is None:
        raise Invalid("raised: " + say("the crop has no name yet. Name it, then it can be gold."))
    act, fresh = note_once(
        desk, box, GOLD if raised else NO_GOLD, "", written("Kept as gold") if raised else written("Gold no more"), key
    )  # fmt: skip
    if fresh and raised:
        said = desk.session.get_one(Label, held.settled_label_id)
        if said.role not in EXPERTS:
            species = desk.session.get_one(Species, held.settled_species_id)
            held.answer(desk.session, species, by=desk.user_id, role=desk.role, act=act)
            ask_voices(desk.session, [held])
    return act


def noted(desk: Desk, box: Box, kind: str, text: str, name: str, key: str) -> Act:
    """One row. The crop stays open, and its name what it is."""
    return note_once(desk, box, kind, text, name, key)[0]


def note_once(desk: Desk, box: Box, kind: str, text: str, name: str, key: str) -> tuple[Act, bool]:
    """The act, and whether it is new."""
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
    return act, fresh
