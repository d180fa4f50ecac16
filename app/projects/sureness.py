"""How sure are we: what the audit says of the crops that nobody has looked at, in words and as a curve (ui/UI.md section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, inf

from markupsafe import Markup
from sqlalchemy.orm import Session

from app.pages import decimals
from models.estimate import ENOUGH, Estimate
from models.project import Project
from models.words import figure, say, say_many

LEARNT = 14 / 15  # of the answers of a round: the others are random crops, which teach nothing


@dataclass(frozen=True)
class Says:
    """A heading and one or two sentences."""

    title: str
    words: str


@dataclass(frozen=True)
class Sureness:
    """What the section shows. of_100: low and high, or None, and then `words` says why. looks: those that say something.

    charts: SVG by size, empty until the worker has drawn them; curve_words: the same for those who do not see it.
    right: species id -> what is said of those that the classifier calls so; `too few to say` where it is not here.
    """

    of_100: tuple[int, int] | None
    words: str
    note: str
    verdict: Says | None
    forecast: Says | None
    basis: list[tuple[str, str]]
    looks: list[Estimate]
    charts: dict[str, Markup]
    curve_words: str
    right: dict[int, str]


def sureness_of(session: Session, project: Project) -> Sureness:
    """From the stored looks; nothing is computed but the words."""
    history = Estimate.history(session, project.id)
    last = history[-1] if history else None
    if last is None or not last.says:
        return Sureness(None, nothing(last), "", None, None, [], [], {}, "", {})
    looks = [look for look in history if look.says]
    charts = Estimate.newest_charts(session, project.id)
    return Sureness(
        of_100=(round(100 * last.low), round(100 * last.high)),
        words="",
        note=note_of(last),
        verdict=gone_back_words() if gone_back(project, last) else verdict_of(last, project.target),
        forecast=forecast_of(last, project),
        basis=basis_of(last, project),
        looks=looks,
        charts={name: Markup(svg) for name, svg in charts.items()},  # the worker's own: shapes and words
        curve_words=described(looks, project.target),
        right={int(species_id): right_words(*share) for species_id, share in last.by_guess.items()},
    )


def gone_back(project: Project, last: Estimate) -> bool:
    """Whether an older classifier was put to use since the last look (alone, or with its embedder)."""
    return project.classifier_id is not None and project.classifier_id < last.classifier_id


def gone_back_words() -> Says:
    """What is said then."""
    return Says(
        say("Go on"),
        say(
            "An older classifier was put to use since this look. The next full round says how much that one gets right."
        ),
    )


def nothing(last: Estimate | None) -> str:
    """Why there is no figure."""
    if last is not None and last.audited >= ENOUGH:
        return say("Nothing is left that nobody has looked at.")
    answered = last.audited if last else 0
    return say_many(
        "Too early to say how many are right: %(num)s of the %(enough)s random crops needed has been answered.",
        "Too early to say how many are right: %(num)s of the %(enough)s random crops needed have been answered.",
        answered,
        enough=ENOUGH,
    )


def note_of(last: Estimate) -> str:
    """Where the statement comes from."""
    sentences = [
        say(
            "%(interval)s (95%% interval) after round %(number)s, from %(audited)s crops that were drawn at random; "
            "those that nobody could tell are left out. They teach nothing.",
            interval=between(last.low, last.high),
            number=last.round_number,
            audited=figure(last.audited),
        ),
        say(
            "It speaks of the %(rest)s crops that lay open then, not of photos that came later.", rest=figure(last.rest)
        ),
        of_new(last),
        say("The picks of the rounds are harder than the rest and are not used for this figure."),
    ]
    return " ".join(filter(None, sentences))


def of_new(last: Estimate) -> str:
    """Why the interval is wider than the random crops alone would make it; empty where every crop could be drawn."""
    if not last.unreached:
        return ""
    return say_many(
        "%(num)s of them was not here yet when the last random crops were drawn; as nothing is known of those, "
        "the interval is wider.",
        "%(num)s of them were not here yet when the last random crops were drawn; as nothing is known of those, "
        "the interval is wider.",
        last.unreached,
    )


def verdict_of(last: Estimate, target: float) -> Says:
    """Stop, nearly, or go on."""
    at_least = shown(floor(1000 * last.always_low) / 1000)
    if last.reaches(target):
        return Says(
            say("You may stop"),
            say(
                "At least %(at_least)s of the rest is right. That holds for every look so far together (95%%).",
                at_least=at_least,
            ),
        )
    if last.seems_to_reach(target):
        return Says(
            say("Nearly: go on for a while"),
            say(
                "This look says %(low)s, but who looks after every round and stops at the first good figure "
                "stops too early now and then. For all looks together it is at least %(at_least)s.",
                low=between(last.low, last.high),
                at_least=at_least,
            ),
        )
    return Says(say("Go on"), say("That %(target)s of the rest is right is not shown yet.", target=shown(target)))


def forecast_of(last: Estimate, project: Project) -> Says:
    """Labels left, by the curve. The bounds are a 95% interval."""
    target = say("%(share)s right", share=shown(last.target))
    if project.target != last.target:
        return Says(
            say("Not known yet"),
            say(
                "Your target is new. The forecast for %(target)s comes with the next round.",
                target=shown(project.target),
            ),
        )
    if last.reaches(last.target):
        return Says(say("None"), say("Your target is reached. More rounds would change few figures."))
    if last.more is None or last.more_low is None or last.more_high is None:
        return Says(
            say("Too early to say"),
            say(
                "for your target of %(target)s. It takes five rounds and twice the answers of the first, with one embedding.",
                target=target,
            ),
        )
    if last.more_high == 0:
        return Says(
            say("None"),
            say("The curve says that %(target)s is reached; the random crops do not show it yet.", target=target),
        )
    if last.more_low == inf:
        return Says(
            say("Far away"),
            say("The curve does not come to %(target)s within five times the answers so far.", target=target),
        )
    if inf in (last.more, last.more_high):
        return Says(
            say("At least %(more_low)s", more_low=f"{last.more_low:,.0f}"),
            say("for your target of %(target)s. The curve cannot say how many.", target=target),
        )
    rounds = say_many("%(num)s round", "%(num)s rounds", ceil(last.more / (project.round_size * LEARNT)))
    return Says(
        say("About %(more)s", more=f"{last.more:,.0f}"),
        say(
            "for your target of %(target)s; %(more_low)s to %(more_high)s (95%% interval). That is %(rounds)s.",
            target=target,
            more_low=f"{last.more_low:,.0f}",
            more_high=f"{last.more_high:,.0f}",
            rounds=rounds,
        ),
    )


def basis_of(last: Estimate, project: Project) -> list[tuple[str, str]]:
    """What the verdict rests on."""
    kappa = "" if last.kappa is None else f"κ {last.kappa:.2f}"
    lines = [
        (say("Right, at this look"), between(last.low, last.high)),
        (say("Right, at all looks together"), between(last.always_low, last.always_high)),
        (say("Looks"), say("%(look)s of %(planned)s planned", look=last.look, planned=last.planned)),
        (
            say("Answers learnt from"),
            say("%(done)s of %(size)s", done=figure(last.labels), size=figure(project.label_budget)),
        ),
        (say("Agreement with the round before"), kappa),
    ]
    return [(label, figure) for label, figure in lines if figure]


def described(looks: list[Estimate], target: float) -> str:
    """The curve in words."""
    first, last = looks[0], looks[-1]
    goal = last.meets_at(target)
    curve = say(
        "Share named right, by answers learnt from: %(first)s at %(first_answers)s, %(last)s at %(last_answers)s, "
        "95%% interval %(interval)s; the target is %(target)s.",
        first=percent_of(first.estimate),
        first_answers=figure(first.labels),
        last=percent_of(last.estimate),
        last_answers=figure(last.labels),
        interval=between(last.low, last.high),
        target=shown(target),
    )
    if not goal:
        return curve
    return f"{curve} {say('The forecast meets the target near %(answers)s answers.', answers=figure(goal))}"


def percent_of(share: float | None) -> str:
    """93.5%."""
    return f"{decimals(100 * (share or 0), 1)}%"


def right_words(estimate: float, low: float, high: float, _crops: int) -> str:
    """94, between 88 and 97."""
    return say(
        "%(right)s, between %(low)s and %(high)s",
        right=f"{100 * estimate:.0f}",
        low=f"{100 * low:.0f}",
        high=f"{100 * high:.0f}",
    )


def between(low: float, high: float) -> str:
    """91.2–94.0%."""
    return f"{decimals(100 * low, 1)}–{decimals(100 * high, 1)}%"


def shown(share: float) -> str:
    """95%, 93.5%."""
    return f"{100 * share:.1f}".removesuffix(".0") + "%"
