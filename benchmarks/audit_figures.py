"""What the repeats say together: coverage, false stops, cost; one table a part."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.audit_watchers import Look, Stop, Tally, naive, patient

FIXED = {"round 11": slice(10, 11), "round 13": slice(12, 13), "round 20": slice(19, 20), "last round": slice(-1, None)}


def summary(tallies: list[Tally]) -> dict[str, dict[str, dict[str, float | None]]]:
    """All figures: at fixed rounds, at all rounds, of each watcher, of the forecast."""
    fixed = {name: at_round([look for tally in tallies for look in tally.looks[at]]) for name, at in FIXED.items()}
    together = {
        "naive interval": share_of([all(holds(look, naive) for look in tally.looks) for tally in tallies]),
        "interval for all rounds": share_of([all(holds(look, patient) for look in tally.looks) for tally in tallies]),
    }
    oracles = [tally.stops["oracle"] for tally in tallies]
    names = tallies[0].stops
    watchers = {name: of_watcher([tally.stops[name] for tally in tallies], oracles) for name in names}
    return {
        "fixed": fixed,
        "all rounds together": {"coverage": together},
        "stops": watchers,
        "audited crops kept from the strategy": {
            "last round": {
                "mean error": float(np.mean([tally.kept_error for tally in tallies])),
                "mean error of the blind audit": float(
                    np.mean([tally.looks[-1].share.estimate - tally.looks[-1].truth for tally in tallies])
                ),
            }
        },
        "species, last round": {
            "called so": species_figures([tally.called for tally in tallies]),
            "being so": species_figures([tally.being for tally in tallies]),
        },
        "forecast at half": {"target": of_forecast(tallies)},
    }


def species_figures(held: list[list[bool]]) -> dict[str, float | None]:
    """Coverage over all species of all projects, and how many a project has."""
    return {
        "coverage": share_of([each for project in held for each in project]),
        "species told": float(np.mean([len(project) for project in held])),
    }


def holds(look: Look, rule: Callable[[Look, float], bool]) -> bool:
    """Whether the interval of a look holds the truth."""
    low, high = look.always if rule is patient else (look.share.low, look.share.high)
    return low <= look.truth <= high


def at_round(looks: list[Look]) -> dict[str, float | None]:
    """Coverage, bias and width of a single look, chosen beforehand."""
    errors = np.array([look.share.estimate - look.truth for look in looks])
    return {
        "coverage": share_of([holds(look, naive) for look in looks]),
        "coverage for all rounds": share_of([holds(look, patient) for look in looks]),
        "mean audited": float(np.mean([look.share.n for look in looks])),
        "mean error": float(errors.mean()),
        "mean width": float(np.mean([look.share.high - look.share.low for look in looks])),
        "mean width for all rounds": float(np.mean([look.always[1] - look.always[0] for look in looks])),
    }


def of_watcher(stops: list[Stop | None], oracles: list[Stop | None]) -> dict[str, float | None]:
    """Shares of all projects in which it stops, and falsely; of its stops with the truth inside; answers it took."""
    made = [stop for stop in stops if stop]
    beyond = [stop.asked - best.asked for stop, best in zip(stops, oracles, strict=True) if stop and best]
    return {
        "stops": len(made) / len(stops),
        "false": sum(stop.falsely for stop in made) / len(stops),
        "coverage": share_of([stop.holds for stop in made]),
        "mean answers": float(np.mean([stop.asked for stop in made])) if made else None,
        "beyond the oracle": float(np.mean(beyond)) if beyond else None,
    }


def of_forecast(tallies: list[Tally]) -> dict[str, float | None]:
    """Made at half of the rounds where the target was not reached: how often the true number lies in the interval."""
    inside, finite, far, silent = [], [], [], 0
    for tally in tallies:
        half = tally.looks[len(tally.looks) // 2 - 1]
        reached = next((look.labels for look in tally.looks if look.truth >= tally.target), None)
        low, more, high = tally.needed
        if reached is None or reached <= half.labels:
            continue
        if low is None or more is None or high is None:
            silent += 1
            continue
        true = reached - half.labels
        inside.append(low <= true <= high)
        finite.append(high < np.inf)
        if more < np.inf:
            far.append(abs(more - true))
    return {
        "forecasts": float(len(inside)),
        "silent": float(silent),
        "coverage": share_of(inside),
        "share with an upper end": share_of(finite),
        "median error in labels": float(np.median(far)) if far else None,
    }


def share_of(said: list[bool]) -> float | None:
    """How many are true; None of none."""
    return float(np.mean(said)) if said else None


def show(figures: dict[str, dict[str, dict[str, float | None]]]) -> None:
    """One table a part."""
    for part, lines in figures.items():
        columns = list(next(iter(lines.values())))
        print(f"\n{part:40s}" + "".join(f"{column:>26s}" for column in columns))
        for name, line in lines.items():
            print(f"  {name:38s}" + "".join(f"{shown(line[column]):>26s}" for column in columns))
    print()


def shown(number: float | None) -> str:
    """A share with three digits, a count with none."""
    if number is None:
        return "-"
    return f"{number:.3f}" if abs(number) < 2 else f"{number:,.0f}"
