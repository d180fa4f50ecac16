"""Settings: what is saved, what is refused and where that stands, who was faster, and what the history keeps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlalchemy import select

from app.projects.evidence import EVIDENCE
from models.audit import AuditEntry
from models.checkpoint import CLASSIFIER, DETECTOR, EMBEDDER, Checkpoint
from models.job import Job
from models.membership import Role
from models.project import STRATEGY_NAMES, Project
from tests import make
from tests.conftest import Site
from worker.selection.strategies import NEEDS_CROPS, STRATEGIES


class Desk:
    """An administrator in front of a project's settings."""

    def __init__(self, site: Site, client: httpx.Client, project_id: int) -> None:
        """client: signed in, asks for pages."""
        self.site, self.client, self.project_id = site, client, project_id

    @property
    def project(self) -> Project:
        """As it stands now."""
        with self.site.database.reading() as session:
            return session.get_one(Project, self.project_id)

    def show(self, query: str = "") -> str:
        """The page."""
        return self.client.get(f"/projects/{self.project_id}/settings{query}").text

    def save(self, form: str, **fields: object) -> httpx.Response:
        """Send a form with the version that stands now, unless another is given."""
        data = {"version": self.project.version} | fields
        return self.client.post(
            f"/projects/{self.project_id}/settings/{form}", data={name: str(value) for name, value in data.items()}
        )

    def jobs(self) -> list[tuple[str, dict[str, object]]]:
        """What the worker was asked."""
        with self.site.database.reading() as session:
            return [(job.kind, job.arguments) for job in session.scalars(select(Job).order_by(Job.asked_at))]

    def noted(self) -> list[AuditEntry]:
        """The history."""
        with self.site.database.reading() as session:
            return list(session.scalars(select(AuditEntry).order_by(AuditEntry.id)))


def desk_at(site: Site) -> Iterator[Desk]:
    """A new project, its administrator signed in."""
    with site.database.writing() as session:
        who = make.user(session, "Maria Quispe")
        project_id, token = make.project(session, (who, Role.admin)).id, make.token(session, who)
    with site.client(token, accept="text/html") as client:
        yield Desk(site, client, project_id)


@pytest.fixture
def desk(sqlite_site: Site) -> Iterator[Desk]:
    """Over SQLite, where the kind does not matter."""
    yield from desk_at(sqlite_site)


@pytest.fixture
def both_desks(site: Site) -> Iterator[Desk]:
    """Over each kind of database."""
    yield from desk_at(site)


def test_thresholds_are_saved_and_the_old_ones_kept_in_the_history(both_desks: Desk) -> None:
    desk = both_desks
    answer = desk.save("detector", count_above="0.75", classify_above=",5")
    assert (answer.status_code, answer.headers["location"]) == (
        303, f"/projects/{desk.project_id}/settings?saved=detector#detector",
    )  # fmt: skip
    assert (desk.project.count_above, desk.project.classify_above) == (0.75, 0.5)
    [entry] = desk.noted()
    assert entry.user is not None
    assert entry.user.name == "Maria Quispe"
    assert entry.details == {"changes": {"count_above": [0.9, 0.75], "classify_above": [0.9, 0.5]}}
    shown = desk.show()
    assert "A box counts at or above: <bdi>0.90</bdi> → <bdi>0.75</bdi>" in shown
    assert "A crop is made at or above: <bdi>0.90</bdi> → <bdi>0.50</bdi>" in shown


def test_a_bad_threshold_stands_at_its_field_and_changes_nothing(desk: Desk) -> None:
    for classify, field, words in (
        ("0.02", "classify_above", "Boxes below 0.05 were not kept. Choose 0.05 or more."),
        ("-1", "classify_above", "Boxes below 0.05 were not kept. Choose 0.05 or more."),
        ("1.5", "classify_above", "No score is above 1. Choose 1 or less."),
        ("nan", "classify_above", "Write a number, like 0.90"),
        ("1e999", "classify_above", "Write a number, like 0.90"),
        ("", "classify_above", "Write a number, like 0.90"),
        ('"><script>', "classify_above", "Write a number, like 0.90"),
        ("0.95", "count_above", "A box that counts needs a crop. Choose 0.95 or more, or make crops from 0.9 on."),
    ):
        answer = desk.save("detector", count_above="0.90", classify_above=classify)
        assert answer.status_code == 422
        assert f'id="detector-{field}-error"' in answer.text
        assert f'aria-describedby="detector-{field}-error detector-{field}-help"' in answer.text
        assert words in answer.text
        assert "><script>" not in answer.text
    assert 'value="0.95"' in answer.text  # what was typed stays
    assert (desk.project.count_above, desk.project.classify_above, desk.project.version) == (0.9, 0.9, 1)
    assert desk.noted() == []
    assert desk.jobs() == []


@pytest.mark.parametrize("card", [{"count_above": 0.6}, {"presets": {"card": {"count_above": 0.6}, "paper": {}}}])
def test_a_preset_is_one_click(desk: Desk, card: dict[str, object]) -> None:
    with desk.site.database.writing() as session:
        Checkpoint.known(session, DETECTOR, "starter", "a" * 64, card).activate(
            session.get_one(Project, desk.project_id)
        )
    assert "Use the detector's own, 0.60 and 0.20" in desk.show()
    assert desk.save("detector", preset="detector", count_above="nonsense").status_code == 303
    assert (desk.project.count_above, desk.project.classify_above) == (0.6, 0.2)
    assert "preset detector" in desk.show()
    assert desk.save("detector", preset="paper").status_code == 303
    assert (desk.project.count_above, desk.project.classify_above) == (0.9, 0.9)


def test_a_card_with_nonsense_offers_no_preset(desk: Desk) -> None:
    with desk.site.database.writing() as session:
        project = session.get_one(Project, desk.project_id)
        for number, card in enumerate(
            ({"count_above": "0.5"}, {"count_above": 7}, {}, {"presets": 3}, {"presets": {"card": "x"}})
        ):
            Checkpoint.known(session, DETECTOR, f"odd {number}", "a" * 64, card).activate(project)
    assert "the detector&#39;s own" not in desk.show()


def test_lower_crops_are_asked_from_the_worker_once(desk: Desk) -> None:
    desk.save("detector", count_above="0.9", classify_above="0.5")
    assert desk.jobs() == [("crop", {"classify_above": 0.5})]
    desk.save("detector", count_above="0.9", classify_above="0.5")
    desk.save("detector", count_above="0.9", classify_above="0.7")
    desk.save("detector", count_above="0.8", classify_above="0.7")
    assert len(desk.jobs()) == 1
    desk.save("detector", count_above="0.8", classify_above="0.6")
    assert desk.jobs()[1:] == [("crop", {"classify_above": 0.6})]


def test_rounds_are_saved_or_refused_at_their_field(desk: Desk) -> None:
    good = {"strategy": "margin", "first_round": "1,500", "round_size": " 50 "}
    assert desk.save("rounds", **good).status_code == 303
    assert (desk.project.strategy, desk.project.first_round, desk.project.round_size) == ("margin", 1500, 50)
    for field, value, words in (
        ("round_size", "0", "Between 1 and 10,000"),
        ("round_size", "10001", "Between 1 and 10,000"),
        ("first_round", "1.5", "Write a whole number, like 100"),
        ("first_round", "9" * 5000, "Write a whole number, like 100"),
        ("first_round", "-1", "Between 1 and 10,000"),
        ("strategy", "best", "is not one of k_center"),
    ):
        answer = desk.save("rounds", **(good | {field: value}))
        assert answer.status_code == 422, (field, value)
        assert f'id="rounds-{field}-error"' in answer.text
        assert words in answer.text
    assert desk.project.round_size == 50
    assert "What is asked next: <bdi>k_center</bdi> → <bdi>margin</bdi>" in desk.show()


def test_another_burst_gap_is_asked_from_the_worker(desk: Desk) -> None:
    assert desk.save("events", burst_gap="60", event_gap="60").status_code == 303
    assert desk.jobs() == []
    assert desk.save("events", burst_gap="120", event_gap="60").status_code == 303
    assert desk.jobs() == [("sequence", {"gap_s": 120})]
    assert (desk.project.sequence_gap_s, desk.project.event_gap_minutes) == (120, 60)
    for field, value in (("burst_gap", "3601"), ("burst_gap", ""), ("event_gap", "100000"), ("event_gap", "-5")):
        answer = desk.save("events", **({"burst_gap": "10", "event_gap": "10"} | {field: value}))
        assert answer.status_code == 422
        assert f'id="events-{field}-error"' in answer.text


def test_who_read_an_older_version_is_told_and_sees_what_stands(desk: Desk) -> None:
    desk.save("detector", count_above="0.9", classify_above="0.5")
    for form, fields in (
        ("detector", {"count_above": "0.95", "classify_above": "0.6"}),
        ("rounds", {"strategy": "random", "first_round": "9", "round_size": "9"}),
        ("events", {"burst_gap": "9", "event_gap": "9"}),
    ):
        for version in (1, 99, "", "x", "9" * 30):
            answer = desk.save(form, version=version, **fields)
            assert answer.status_code == 412
            assert "Somebody changed these settings since you opened the page. Look at them again." in answer.text
            assert 'value="0.50"' in answer.text
            assert 'name="version" value="2"' in answer.text
    assert (desk.project.classify_above, desk.project.round_size, desk.project.sequence_gap_s) == (0.5, 100, 60)


def test_the_same_click_twice_is_one_change(desk: Desk) -> None:
    for _ in range(2):
        assert desk.save("detector", version=1, count_above="0.9", classify_above="0.5").status_code == 303
    assert len(desk.noted()) == len(desk.jobs()) == 1


def test_of_eight_who_save_at_the_same_moment_one_wins(both_desks: Desk) -> None:
    desk = both_desks
    with ThreadPoolExecutor(8) as pool:
        sent = pool.map(
            lambda number: desk.save("events", version=1, burst_gap=number, event_gap="30").status_code, range(1, 9)
        )
        assert sorted(sent) == [303] + [412] * 7
    assert len(desk.noted()) == 1


def test_the_price_of_each_threshold_is_shown_when_asked(both_desks: Desk) -> None:
    desk = both_desks
    with desk.site.database.writing() as session:
        image = make.image(session, make.batch(session, session.get_one(Project, desk.project_id)))
        for score in (0.06, 0.3, 0.95):
            make.box(session, image, score)
        elsewhere = make.image(session, make.batch(session, make.project(session)))
        make.box(session, elsewhere, 0.95)
    assert "<th>At or above</th>" not in desk.show()
    shown = desk.show("?price=1").replace("\n", "")
    for threshold, boxes in (("0.05", 3), ("0.10", 2), ("0.30", 2), ("0.50", 1), ("0.90", 1)):
        assert f'<tr><td>{threshold}</td><td class="n">{boxes}</td></tr>' in shown


def test_a_long_history_goes_on_over_pages(desk: Desk) -> None:
    for number in range(33):
        desk.save("events", burst_gap=number + 1, event_gap="30")
    shown = desk.show()
    assert "seconds: <bdi>32</bdi> → <bdi>33</bdi>" in shown
    assert "seconds: <bdi>60</bdi> → <bdi>1</bdi>" not in shown
    older = shown.split('href="?before=')[1].split("#")[0]
    assert "seconds: <bdi>60</bdi> → <bdi>1</bdi>" in desk.show(f"?before={older}")
    for odd in ("-1", "0", str(2**70)):
        assert desk.client.get(f"/projects/{desk.project_id}/settings?before={odd}").status_code == 200


def networks(desk: Desk) -> dict[str, int]:
    """Two classifiers of one embedder, one of another, and one of another project."""
    with desk.site.database.writing() as session:
        project = session.get_one(Project, desk.project_id)
        image = make.image(session, make.batch(session, project))
        make.box(session, image)
        embedder = make.embedder(session)
        embedder.activate(project)
        unused = Checkpoint.known(session, EMBEDDER, "other", "1" * 64, {})
        elsewhere = make.project(session)

        def classifier(of: Project, parent: Checkpoint, labels: int) -> Checkpoint:
            made = Checkpoint(
                project_id=of.id,
                kind=CLASSIFIER,
                name="classifier",
                sha256="b" * 64,
                parent_id=parent.id,
                label_count=labels,
            )
            session.add(made)
            session.flush()
            return made

        made = {
            "old": classifier(project, embedder, 100), "new": classifier(project, embedder, 200),
            "foreign": classifier(project, unused, 300), "elsewhere": classifier(elsewhere, embedder, 400), "unused": unused,
        }  # fmt: skip
        made["new"].activate(project)
        return {name: checkpoint.id for name, checkpoint in made.items()}


def test_an_older_network_is_rolled_back_to(desk: Desk) -> None:
    ids = networks(desk)
    shown = desk.show()
    assert "200 answers" in shown
    assert "400 answers" not in shown
    assert f"/settings/networks/{ids['new']}" not in shown
    for _ in range(2):  # a second click does no harm
        assert desk.save(f"networks/{ids['old']}", version=1).status_code == 303
    assert (desk.project.classifier_id, desk.project.version) == (ids["old"], 2)
    [entry] = desk.noted()
    assert entry.details["changes"] == {"in_use": [f"classifier ({ids['new']})", f"classifier ({ids['old']})"]}
    assert "Rolled back the classifier to classifier" in desk.show()


def test_a_network_that_fits_nothing_here_is_refused(desk: Desk) -> None:
    ids = networks(desk)
    for name, status, words in (
        ("foreign", 422, "learnt from the vectors of another embedder"),
        ("unused", 422, "it is put to use under Embedding"),
        ("elsewhere", 404, "There is no such network in this project"),
    ):
        answer = desk.save(f"networks/{ids[name]}")
        assert answer.status_code == status
        assert words in answer.text
    assert desk.save("networks/999999").status_code == 404
    assert desk.save(f"networks/{2**63}").status_code == 404
    assert desk.save(f"networks/{ids['old']}", version=7).status_code == 412
    assert desk.project.classifier_id == ids["new"]


def test_entries_of_other_parts_and_older_programs_are_shown_too(desk: Desk) -> None:
    with desk.site.database.writing() as session:
        for act, details in (
            ("somebody.danced", {"changes": "none"}),
            ("member.added", {}),
            ("member.removed", {"name": "<script>{role}", "role": "{name}"}),
            ("settings.gaps", {"changes": {"moon": [None, True], "odd": 3}}),
        ):
            session.add(AuditEntry(act=act, project_id=desk.project_id, details=details))
    shown = desk.show()
    assert "somebody.danced" in shown
    assert "the command line" in shown
    assert "&lt;script&gt;{role}, who was {name}" in shown


def test_every_strategy_that_a_project_may_choose_is_offered_and_known_to_the_worker(desk: Desk) -> None:
    offered = re.findall(r'<option value="(\w+)"', desk.show().split('id="rounds-strategy"')[1].split("</select>")[0])
    assert sorted(offered) == sorted(STRATEGY_NAMES)
    assert set(STRATEGY_NAMES) == set(STRATEGIES) - NEEDS_CROPS


def test_what_was_measured_of_each_strategy_stands_beside_the_choice_the_best_first(desk: Desk) -> None:
    assert set(EVIDENCE) == set(STRATEGY_NAMES) - {"random"}  # what all are compared with
    shown = desk.show()
    table = shown.split("What was measured of them</summary>")[1].split("</details>")[0]
    gained = [float(points.replace("−", "-")) for points in re.findall(r'<td class="n">([+−][0-9.]+)</td>', table)]
    assert len(gained) == len(EVIDENCE) and gained == sorted(gained, reverse=True)
    default = EVIDENCE[Project.__table__.c.strategy.default.arg]
    assert (
        default.low > 0
    )  # a new project begins with what beats random by more than chance, and nothing beats it by more
    assert all(each.low <= default.above for each in EVIDENCE.values())
    assert f"{default.saved}%" in table and "not on camera-trap photos" in table


def test_the_goal_is_saved_and_a_bad_one_stands_at_its_field(desk: Desk) -> None:
    assert desk.save("goal", target="97,5", label_budget="12,000").status_code == 303
    assert (desk.project.target, desk.project.label_budget) == (0.975, 12_000)
    assert desk.project.planned_rounds == 1 + (12_000 - 1000) // 100
    assert desk.jobs() == [("curve", {"target": 0.975})]  # drawn anew
    shown = desk.show()
    assert 'value="97.5"' in shown and "Stop when right at least: <bdi>0.95</bdi> → <bdi>0.975</bdi>" in shown
    for target, budget, field, words in (
        ("100", "5000", "target", "Between 50 and 99%"),
        ("nan", "5000", "target", "Write a number, like 0.90"),
        ("95", "3", "label_budget", "Between 100 and 1,000,000 answers"),
    ):
        answer = desk.save("goal", target=target, label_budget=budget)
        assert answer.status_code == 422 and words in answer.text and f'id="goal-{field}-error"' in answer.text
    assert (desk.project.target, desk.project.label_budget) == (0.975, 12_000)


def test_the_rule_of_visits_is_chosen_in_words_and_a_gap_by_one_click(desk: Desk) -> None:
    saved = {"burst_gap": "60", "event_gap": "30", "event_rule": "last_record", "cameras": "shared"}
    assert desk.save("events", **saved).status_code == 303
    assert (desk.project.event_rule, desk.project.cameras_independent) == ("last_record", False)
    assert re.search(r'value="last_record" checked', desk.show()) and re.search(r'value="shared" checked', desk.show())
    assert desk.save("events", **saved | {"event_gap_preset": "1440"}).status_code == 303
    assert desk.project.event_gap_minutes == 1440
    assert desk.save("events", burst_gap="60", event_gap="60").status_code == 303  # what is not said stays
    assert (desk.project.event_rule, desk.project.cameras_independent) == ("last_record", False)
    assert desk.save("events", **saved | {"event_rule": "moon"}).status_code == 422
    assert 'id="events-event_rule-error"' in desk.save("events", **saved | {"event_rule": "moon"}).text
    assert desk.jobs() == []  # the worker sees by itself that the events are old
