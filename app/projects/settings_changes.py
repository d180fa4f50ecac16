"""Changes of a project's settings: each against the version that was read, each noted with old and new values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.dependencies import Access
from app.forms import decimal, whole
from app.projects import presets, settings_queries
from models.audit import note
from models.beside import ask_rule
from models.checkpoint import Checkpoint
from models.errors import Invalid
from models.observed import clean_behaviours
from models.queue import ask
from models.words import written

Typed = Mapping[str, str]
SHARED = "shared"  # the cameras of a site share their timers


def change_thresholds(access: Access, typed: Typed) -> None:
    """Counting changes at once; lower crops are cut by the worker."""
    project = access.project
    chosen = preset_of(access, typed.get("preset", ""))
    count = chosen.count_above if chosen else decimal("count-above", typed["count_above"])
    classify = chosen.classify_above if chosen else decimal("classify-above", typed["classify_above"])
    before = project.classify_above
    wanted = {"count_above": count, "classify_above": classify}
    change(access, "settings.detector", typed["version"], wanted, lambda: project.set_thresholds(classify, count))
    if project.classify_above < before:
        ask(
            access.session, "crop", project.id, {"classify_above": project.classify_above},
            key=f"crop-{project.id}-{project.version}", line=written("Cutting the crops that are missing"),
        )  # fmt: skip


def change_rounds(access: Access, typed: Typed) -> None:
    """From the next round on."""
    project = access.project
    first, size = whole("first-round", typed["first_round"]), whole("round-size", typed["round_size"])
    wanted = {"strategy": typed["strategy"], "first_round": first, "round_size": size}
    change(
        access, "settings.rounds", typed["version"], wanted, lambda: project.set_rounds(typed["strategy"], first, size)
    )


def change_goal(access: Access, typed: Typed) -> None:
    """What the overview says of it follows at once; the worker draws the curve anew, the forecast comes with the next round."""
    project = access.project
    before = project.target
    target = round(decimal("target", typed["target"].strip().removesuffix("%")) / 100, 6)
    budget = whole("label-budget", typed["label_budget"])
    wanted = {"target": target, "label_budget": budget}
    change(access, "settings.goal", typed["version"], wanted, lambda: project.set_goal(target, budget))
    if project.target != before:
        ask(
            access.session, "curve", project.id, {"target": project.target},
            key=f"curve-{project.id}-{project.version}", line=written("Drawing the learning curve"),
        )  # fmt: skip


def change_people(access: Access, typed: Typed) -> None:
    """The worker settles every crop anew that somebody spoke about; the classifier follows."""
    project = access.project
    before = project.consensus
    gold = whole("gold-one-in", typed["gold_one_in"])
    wanted = {"consensus": typed["consensus"], "gold_one_in": gold}
    change(access, "settings.people", typed["version"], wanted, lambda: project.set_people(typed["consensus"], gold))
    if project.consensus != before:
        ask_rule(access.session, project)


def change_gaps(access: Access, typed: Typed) -> None:
    """No answer changes; the worker groups the photos anew after another burst gap, and makes the events anew after any other
    change. What a form does not say stays as it is."""
    project = access.project
    burst = whole("burst-gap", typed["burst_gap"])
    event = whole("event-gap", typed["event_gap_preset"] or typed["event_gap"])
    rule = typed["event_rule"] or project.event_rule
    alone = typed["cameras"] != SHARED if typed["cameras"] else project.cameras_independent
    before = project.sequence_gap_s
    wanted = {
        "sequence_gap_s": burst, "event_gap_minutes": event, "event_rule": rule, "cameras_independent": alone,
    }  # fmt: skip
    change(access, "settings.gaps", typed["version"], wanted, lambda: project.set_gaps(burst, event, rule, alone))
    if project.sequence_gap_s != before:
        ask(
            access.session, "sequence", project.id, {"gap_s": project.sequence_gap_s},
            key=f"sequence-{project.id}-{project.version}", line=written("Grouping the photos into bursts"),
        )  # fmt: skip


def change_fields(access: Access, typed: Typed) -> None:
    """Only what is asked changes, nothing that was said."""
    sex, life_stage = typed["sex"] == "on", typed["life_stage"] == "on"
    behaviours = "\n".join(clean_behaviours(typed["behaviours"].splitlines()))
    wanted = {"asks_sex": sex, "asks_life_stage": life_stage, "behaviours": behaviours}
    apply = lambda: access.project.set_fields(sex, life_stage, behaviours)  # noqa: E731
    change(access, "settings.fields", typed["version"], wanted, apply)


def change_privacy(access: Access, typed: Typed) -> None:
    """Holds for every picture from now on."""
    project = access.project
    opened_by, hides_unseen = typed["opened_by"], bool(typed["hides_unseen"])
    wanted = {"opened_by": opened_by, "hides_unseen": hides_unseen}
    change(
        access, "settings.privacy", typed["version"], wanted, lambda: project.set_privacy(opened_by, hides_unseen)
    )  # fmt: skip


def roll_back(access: Access, checkpoint_id: int, version: str) -> None:
    """Make another network the one that counts."""
    project, session = access.project, access.session
    project.lock(session)
    network = settings_queries.network(session, project, checkpoint_id)
    if network.is_active:
        return  # a second click
    project.expect_version(number_of(version))
    if network.obstacle:
        raise Invalid(f"{network.checkpoint.kind.capitalize()} {network.checkpoint.name}: {network.obstacle}.")
    kind = network.checkpoint.kind
    old_id = getattr(project, f"{kind}_id")
    old = session.get(Checkpoint, old_id) if old_id else None
    network.checkpoint.activate(project)
    project.version += 1
    ask(
        session, "predict", project.id, {"checkpoint_id": network.checkpoint.id},
        key=f"predict-{project.id}-{project.version}", line=written("Bringing the predictions up to date"),
    )  # fmt: skip
    note(
        session, "network.activated", user=access.user, project_id=project.id, kind=kind, name=network.checkpoint.name,
        changes={"in_use": [network_name(old), network_name(network.checkpoint)]},
    )  # fmt: skip


def change(access: Access, act: str, version: str, wanted: Mapping[str, Any], apply: Callable[[], None]) -> None:
    """Apply and note it. Raises Changed when somebody saved since the page was read; the same again is no change."""
    project = access.project
    project.lock(access.session)
    before = {column: getattr(project, column) for column in wanted}
    if before == wanted:
        return
    project.expect_version(number_of(version))
    apply()
    project.version += 1
    changes = {column: [before[column], value] for column, value in wanted.items() if before[column] != value}
    note(access.session, act, user=access.user, project_id=project.id, changes=changes)


def preset_of(access: Access, name: str) -> presets.Preset | None:
    """The preset whose button was pressed."""
    detector_id = access.project.detector_id
    detector = access.session.get(Checkpoint, detector_id) if detector_id else None
    return next((each for each in presets.presets(detector) if each.name == name), None)


def number_of(version: str) -> int:
    """The hidden field; nonsense is no version that ever was."""
    return int(version) if version.isascii() and version.isdecimal() and len(version) < 10 else -1


def network_name(checkpoint: Checkpoint | None) -> str:
    """starter, or classifier 12."""
    return f"{checkpoint.name} ({checkpoint.id})" if checkpoint else ""
