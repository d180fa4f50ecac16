"""When a crop has its name: the rules of a project over the voices of its people. Data, not code (DECISIONS 7).

An expert's word settles always. Without one the voices are counted in the order in which the people first spoke, and the first
so many that satisfy the rule name the crop; who speaks later is heard, but changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from models.meaning import Meanings
from models.membership import Role
from models.words import mark

EXPERTS = (Role.expert.value, Role.admin.value)
SINGLE = "single"
VOICE, EXPERT = "voice", "expert"  # what a crop without a name waits for: another voice, or somebody who settles it


class Voice(NamedTuple):
    """What a rule needs to know of a label. guess_id: what the classifier said then, if it said anything."""

    id: int
    user_id: int
    role: str
    species_id: int | None
    guess_id: int | None

    def meaning(self, meant: Meanings) -> Voice:
        """The same voice in today's words."""
        if not meant:
            return self
        return self._replace(species_id=meant.of(self.species_id), guess_id=meant.of(self.guess_id))


@dataclass(frozen=True)
class Rule:
    """When voices name a crop. words: for the settings.

    matching: so many of one name; 1: the newest voice. most: after so many in all the commonest name, where there is one.
    blanks_in_a_row: so many "not an animal" one after the other. first_alike: so many at the beginning, all the same.
    trusts_guess: the first voice alone, where the classifier said the same (or nothing yet).
    """

    words: str
    matching: int
    most: int
    blanks_in_a_row: int = 0
    first_alike: int = 0
    trusts_guess: bool = False


RULES = {
    SINGLE: Rule(mark("One person names a crop, the newest answer counts"), 1, 1),
    "second-on-disagreement": Rule(
        mark("A second person is asked where the first and the classifier say two things"), 2, 2, trusts_guess=True
    ),
    "two-of-three": Rule(mark("Two of three people say the same"), 2, 3),
    "snapshot-wisconsin": Rule(
        mark("Snapshot Wisconsin: the first 3 say the same, or 5 of any one name, or 11 in all"), 5, 11, first_alike=3
    ),
    "snapshot-serengeti": Rule(
        mark("Snapshot Serengeti: 10 say the same, or 5 in a row see no animal, or 25 in all"),
        10,
        25,
        blanks_in_a_row=5,
    ),
}  # PRACTICE 1.9; Wisconsin's short way is for deer alone, which is the name that its first three agree on


@dataclass(frozen=True)
class Outcome:
    """winner: the voice that names the crop. waits_for: what a crop with voices and no name waits for, else None."""

    winner: Voice | None
    waits_for: str | None = None


def consensus(rule: Rule, labels: Iterable[Voice], blank_id: int | None = None) -> Outcome:
    """What the voices make of a crop.

    labels: every one of one box, oldest first. blank_id: the species that says "not an animal".
    """
    voices = voices_of(labels)
    experts = [voice for voice in voices if voice.role in EXPERTS]
    if experts or not voices or rule.matching == 1:
        return Outcome(newest(experts or voices))
    for count in range(1, len(voices) + 1):
        name = named(rule, voices[:count], blank_id)
        if name is not None:
            return Outcome(newest([voice for voice in voices if voice.species_id == name]))
    return Outcome(None, VOICE if len(voices) < rule.most else EXPERT)


def voices_of(labels: Iterable[Voice]) -> list[Voice]:
    """The newest label of each person that names something, in the order in which they first spoke."""
    voices: dict[int, Voice] = {}
    for label in labels:
        voices[label.user_id] = label
    return [voice for voice in voices.values() if voice.species_id is not None]


def named(rule: Rule, voices: Sequence[Voice], blank_id: int | None) -> int | None:
    """The species that so many voices settle on; None where they need more."""
    names = [voice.species_id for voice in voices]
    if rule.trusts_guess and len(names) == 1 and voices[0].guess_id in (None, names[0]):
        return names[0]
    if rule.first_alike and len(names) == rule.first_alike and len(set(names)) == 1:
        return names[0]
    if rule.blanks_in_a_row and names[-rule.blanks_in_a_row :] == [blank_id] * rule.blanks_in_a_row:
        return blank_id
    (first, count), *others = Counter(names).most_common(2)
    alone = not others or others[0][1] < count
    return first if count >= rule.matching or (len(names) >= rule.most and alone) else None


def commonest(labels: Iterable[Voice]) -> Voice | None:
    """The newest of the name that most people say, for what cannot wait until the rule is satisfied."""
    voices = voices_of(labels)
    counts = Counter(voice.species_id for voice in voices)
    return max(voices, key=lambda voice: (counts[voice.species_id], voice.id), default=None)


def newest(voices: Sequence[Voice]) -> Voice | None:
    """The one that was said last."""
    return max(voices, key=lambda voice: voice.id, default=None)
