"""What the review page is narrowed to. The address says it, so that it can be kept as a bookmark and survives an answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from urllib.parse import urlencode

from app.dependencies import LARGEST_ID, not_yours
from app.labeling.review_queries import REASONS
from models.errors import Invalid
from models.words import mark, say, translated

DOUBTFUL, OPEN, ANSWERED, UNREVIEWED, REVIEWED, UNCERTAIN = (
    "",
    "open",
    "answered",
    "unreviewed",
    "reviewed",
    "uncertain",
)
STATES = {  # in the order of the form; the first is the queue
    DOUBTFUL: mark("Doubtful"),
    OPEN: mark("No answer yet"),
    ANSWERED: mark("Answered"),
    UNREVIEWED: mark("Answered, not reviewed"),
    REVIEWED: mark("Reviewed by an expert"),
    UNCERTAIN: mark("Answered, not certain"),
}
LARGEST = {"species": LARGEST_ID, "person": LARGEST_ID, "camera": LARGEST_ID, "least": 100, "most": 100}
WORDS = {"least": mark("lowest guess"), "most": mark("highest guess")}


@dataclass(frozen=True)
class Filters:
    """species: named so, or guessed where nobody has named it. person: who spoke. least, most: of the guess, in percent."""

    reason: str = ""  # of the doubt; in the queue only
    state: str = DOUBTFUL
    species: int | None = None
    person: int | None = None
    camera: int | None = None
    least: int | None = None
    most: int | None = None

    @classmethod
    def read(cls, asked: Mapping[str, str]) -> Filters:
        """From an address or a form; what is empty is not asked. Raises Invalid for a number that is none, else NotYours."""
        reason, state = asked.get("reason", ""), asked.get("state", "")
        if reason not in ("", *REASONS) or state not in STATES:
            raise not_yours()
        numbers = {name: whole(name, asked.get(name, "").strip()) for name in LARGEST}
        return cls("" if state else reason, state, **numbers)

    @classmethod
    def read_back(cls, asked: Mapping[str, str]) -> Filters | None:
        """Those of the page from which an answer came; None where it came from elsewhere."""
        reason = asked.get("review")
        if reason not in ("all", *REASONS):
            return None
        return cls.read({**asked, "reason": "" if reason == "all" else reason})

    @property
    def narrows(self) -> bool:
        """Whether something besides the reason is asked for."""
        return self.said(reason="") != {}

    def said(self, **changed: object) -> dict[str, object]:
        """What stands in the address."""
        every = {each.name: getattr(self, each.name) for each in fields(self)} | changed
        return {name: value for name, value in every.items() if value not in ("", None)}

    def query(self, **changed: object) -> str:
        """?state=open&species=4, or nothing."""
        said = self.said(**changed)
        return f"?{urlencode(said)}" if said else ""

    def back(self, after: int | None) -> str:
        """What an answer given here sends along. after: the next crop, where an answered one stays in the list."""
        said = {"review": self.reason or "all"} | self.said(reason="", next=after if self.state else None)
        return f"?{urlencode(said)}"


def whole(name: str, text: str) -> int | None:
    """Raises Invalid with the field's name."""
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,10}", text) or int(text) > LARGEST[name]:
        field = translated(WORDS.get(name, name))
        if LARGEST[name] <= 100:
            raise Invalid(f"{field}: " + say("a whole number from 0 to %(most)s", most=LARGEST[name]))
        raise Invalid(f"{field}: " + say("a whole number"))
    return int(text)
