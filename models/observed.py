"""What may be said of an animal beside its name, where a project wishes so: Camtrap DP's words, and the project's behaviours.

What was said is kept whatever the project wishes by now: an answer is never refused because it is late.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.errors import Invalid
from models.species import clean_name
from models.words import mark, say, translated

SEXES = (mark("female"), mark("male"))
LIFE_STAGES = (mark("adult"), mark("subadult"), mark("juvenile"))
MOST_LETTERS = 60  # of a behaviour
MOST_BEHAVIOURS = 30


@dataclass(frozen=True)
class Observed:
    """Of one animal; empty where nothing was said."""

    sex: str = ""
    life_stage: str = ""
    behaviour: str = ""

    @property
    def said(self) -> dict[str, str]:
        """What was said, by field."""
        fields = (("sex", self.sex), ("life_stage", self.life_stage), ("behaviour", self.behaviour))
        return {field: value for field, value in fields if value}

    @property
    def words(self) -> str:
        """female, adult, eating."""
        return ", ".join(filter(None, [translated(self.sex), translated(self.life_stage), self.behaviour]))


NOTHING = Observed()


def observed(sex: str = "", life_stage: str = "", behaviour: str = "") -> Observed:
    """Raises Invalid naming the field whose word is none."""
    for field, said, words in (("sex", sex, SEXES), ("life_stage", life_stage, LIFE_STAGES)):
        if said and said not in words:
            raise Invalid(
                f"{field}: " + say("%(said)s is not one of %(names)s", said=repr(said[:40]), names=", ".join(words))
            )
    return Observed(sex, life_stage, clean_behaviour(behaviour, "behaviour") if behaviour else "")


def clean_behaviour(text: str, field: str) -> str:
    """One line. Raises Invalid when it is too long or cannot be shown."""
    try:
        cleaned = clean_name(text)
    except Invalid as error:
        raise Invalid(f"{field}: {str(error).removeprefix('name: ')}") from error
    if len(cleaned) > MOST_LETTERS:
        raise Invalid(
            f"{field}: "
            + say(
                "at most %(most_letters)s characters, not %(cleaned)s…", most_letters=MOST_LETTERS, cleaned=cleaned[:20]
            )
        )
    return cleaned


def clean_behaviours(lines: Sequence[str]) -> list[str]:
    """Each once, in the order given, without empty lines. Raises Invalid when one is bad or they are too many."""
    cleaned = list(dict.fromkeys(clean_behaviour(line, "behaviours") for line in lines if line.strip()))
    if len(cleaned) > MOST_BEHAVIOURS:
        raise Invalid("behaviours: " + say("at most %(most_behaviours)s, one a line", most_behaviours=MOST_BEHAVIOURS))
    return cleaned
