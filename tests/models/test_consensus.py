"""The rules as tables: who said what in which order, what the crop is called, and what it waits for."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from models.consensus import EXPERT, RULES, VOICE, Voice, commonest, consensus

FOX, OWL, DEER, NONE = 1, 2, 3, 9
LETTERS = {"f": FOX, "o": OWL, "d": DEER, "n": NONE}


def voices(said: str, *, guess: int | None = None, experts: str = "") -> list[Voice]:
    """One voice a letter, each of another person; capitals are experts'."""
    return [
        Voice(at, at, "expert" if letter.isupper() else "annotator", LETTERS[letter.lower()], guess)
        for at, letter in enumerate(said + experts.upper(), start=1)
    ]


def outcome(rule: str, labels: list[Voice]) -> tuple[int | None, str | None]:
    """(name, what it waits for)."""
    found = consensus(RULES[rule], labels, NONE)
    return (found.winner.species_id if found.winner else None, found.waits_for)


TABLE = [
    ("single", "", None, None),
    ("single", "f", FOX, None),
    ("single", "fo", OWL, None),  # the newest has the say
    ("two-of-three", "f", None, VOICE),
    ("two-of-three", "ff", FOX, None),
    ("two-of-three", "fo", None, VOICE),
    ("two-of-three", "fof", FOX, None),
    ("two-of-three", "fod", None, EXPERT),
    ("two-of-three", "fodd", DEER, None),  # somebody spoke in the review
    ("two-of-three", "ffoo", FOX, None),  # who comes later changes nothing
    ("snapshot-wisconsin", "dd", None, VOICE),
    ("snapshot-wisconsin", "ddd", DEER, None),
    ("snapshot-wisconsin", "ddf", None, VOICE),
    ("snapshot-wisconsin", "ddfdd", None, VOICE),
    ("snapshot-wisconsin", "ddfddd", DEER, None),
    ("snapshot-wisconsin", "ddfdfffoood", None, EXPERT),  # four deer, four foxes among eleven
    ("snapshot-wisconsin", "ddfdfooodd", DEER, None),
    ("snapshot-wisconsin", "ddfdffooof", None, VOICE),
    ("snapshot-wisconsin", "ddfdffooonn", None, EXPERT),
    ("snapshot-wisconsin", "ddfdffoonnd", DEER, None),  # eleven in all: the commonest
    ("snapshot-serengeti", "f" * 9, None, VOICE),
    ("snapshot-serengeti", "f" * 10, FOX, None),
    ("snapshot-serengeti", "n" * 4, None, VOICE),
    ("snapshot-serengeti", "n" * 5, NONE, None),
    ("snapshot-serengeti", "nnfnnnn", None, VOICE),
    ("snapshot-serengeti", "nnfnnnnn", NONE, None),
    ("snapshot-serengeti", "fod" * 8, None, VOICE),
    ("snapshot-serengeti", "fod" * 8 + "f", FOX, None),
    ("snapshot-serengeti", "fo" * 9 + "d" * 7, None, EXPERT),  # nine, nine and seven
]


@pytest.mark.parametrize(("rule", "said", "name", "waits"), TABLE)
def test_what_a_rule_makes_of_the_voices(rule: str, said: str, name: int | None, waits: str | None) -> None:
    assert outcome(rule, voices(said)) == (name, waits)


@pytest.mark.parametrize(
    ("said", "guess", "name", "waits"),
    [
        ("f", FOX, FOX, None),
        ("f", None, FOX, None),  # the first round: nothing to disagree with
        ("f", OWL, None, VOICE),
        ("ff", OWL, FOX, None),
        ("fo", OWL, None, EXPERT),  # that it agrees with the classifier is no voice
        ("fof", OWL, FOX, None),
        ("fo", FOX, FOX, None),
    ],
)
def test_a_second_voice_is_asked_only_where_the_first_and_the_classifier_differ(
    said: str, guess: int | None, name: int | None, waits: str | None
) -> None:
    assert outcome("second-on-disagreement", voices(said, guess=guess)) == (name, waits)


@pytest.mark.parametrize("rule", RULES)
def test_an_expert_settles_always_and_the_newest_expert_wins(rule: str) -> None:
    assert outcome(rule, voices("ooooooooooo", experts="f")) == (FOX, None)
    assert outcome(rule, voices("", experts="fd")) == (DEER, None)
    assert outcome(rule, [*voices("", experts="f"), Voice(7, 7, "annotator", OWL, None)]) == (FOX, None)


def test_the_newest_word_of_a_person_counts_in_the_place_of_the_first() -> None:
    ann_fox, bob_owl, ann_owl = (
        Voice(1, 1, "annotator", FOX, None),
        Voice(2, 2, "annotator", OWL, None),
        Voice(3, 1, "annotator", OWL, None),
    )
    found = consensus(RULES["two-of-three"], [ann_fox, bob_owl, ann_owl], NONE)
    assert found.winner == ann_owl  # of those who say it the newest
    taken_back = Voice(4, 1, "annotator", None, None)
    assert outcome("two-of-three", [ann_fox, bob_owl, ann_owl, taken_back]) == (None, VOICE)
    assert outcome("two-of-three", [ann_fox, taken_back]) == (None, None)  # nobody has spoken: the round asks


@pytest.mark.parametrize("rule", [name for name in RULES if name != "single"])
def test_no_rule_asks_more_people_than_it_says_and_a_name_once_reached_stays(rule: str) -> None:
    chance = random.Random(rule)
    for _ in range(200):
        said = "".join(chance.choices("fodn", (4, 3, 2, 2), k=RULES[rule].most + 3))
        seen = [outcome(rule, voices(said[:count], guess=FOX)) for count in range(1, len(said) + 1)]
        assert all(waits != VOICE for _name, waits in seen[RULES[rule].most - 1 :])
        names = [name for name, _waits in seen if name is not None]
        assert len(set(names)) <= 1
        first = next((at for at, (name, _waits) in enumerate(seen) if name is not None), len(seen))
        assert all(name is not None for name, _waits in seen[first:])


def test_the_commonest_name_is_for_what_cannot_wait() -> None:
    chance = random.Random(3)
    for _ in range(100):
        labels = voices("".join(chance.choices("fod", k=chance.randrange(1, 8))))
        counts = Counter(label.species_id for label in labels)
        most = max(counts.values())
        last = [label for label in labels if counts[label.species_id] == most][-1]
        assert commonest(labels) == last
    assert commonest([]) is None
