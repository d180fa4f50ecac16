"""How sure the overview says we are: each state in words, the curve, and the goal in the settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.projects.sureness import described, forecast_of, verdict_of
from models.checkpoint import CLASSIFIER, Checkpoint
from models.estimate import Estimate
from models.membership import Role
from models.project import Project
from models.species import Species
from tests import make
from tests.conftest import Site


def look(number: int = 1, **columns: Any) -> dict[str, Any]:
    """A look after this round: 88 of 100 random crops were right."""
    return {
        "round_number": number, "look": number, "planned": 41, "labels": 900 + 100 * number, "audited": 100, "rest": 4000,
        "estimate": 0.88, "low": 0.802, "high": 0.9303, "always_low": 0.75, "always_high": 0.95, "target": 0.95,
        "kappa": 0.97, "kappa_of_three": 0.97, "more": None, "more_low": None, "more_high": None,
    } | columns  # fmt: skip


@dataclass
class Overview:
    """A project with a photo and a person who looks at its page."""

    site: Site
    project_id: int
    client: httpx.Client

    def keep(self, **columns: Any) -> None:
        """One look more."""
        with self.site.database.writing() as session:
            made = Checkpoint(project_id=self.project_id, kind=CLASSIFIER, name="fake", sha256="0" * 64)
            session.add(made)
            session.flush()
            assert Estimate.keep(session, self.project_id, classifier_id=made.id, **columns)

    @property
    def page(self) -> str:
        """As it is now."""
        return self.client.get(f"/projects/{self.project_id}").text


@pytest.fixture
def overview(site: Site) -> Iterator[Overview]:
    """Nothing was estimated yet."""
    with site.database.writing() as session:
        who = make.user(session)
        project = make.project(session, (who, Role.admin))
        make.box(session, make.image(session, make.batch(session, project)))
        make.species(session, project, "Jaguar", "Ocelot")
        project_id, token = project.id, make.token(session, who)
    with site.client(token, accept="text/html") as client:
        yield Overview(site, project_id, client)


def test_the_page_says_what_the_looks_said(overview: Overview) -> None:
    assert "0 of the 30 random crops needed have been answered." in overview.page
    overview.keep(**look(1, audited=21, low=0.5))
    assert "21 of the 30 random crops needed have been answered." in overview.page
    with overview.site.database.reading() as session:
        jaguar = Species.named(session, overview.project_id, "Jaguar")
        assert jaguar is not None
    drawn = {"wide": "<svg>wide</svg>", "narrow": "<svg>narrow</svg>"}
    overview.keep(**look(2, estimate=0.8, low=0.71, high=0.87, charts=drawn))
    overview.keep(**look(3, by_guess={str(jaguar.id): [0.94, 0.88, 0.97, 60]}))
    page = overview.page
    assert "Of 100 crops that nobody has looked at, <b>80 to 93</b> are named right." in page
    assert "80.2–93.0% (95% interval) after round 3, from 100 crops that were drawn at random" in page
    assert f"the {look(3)['rest']:,} crops that lay open then, not of photos that came later" in page
    for size, svg in drawn.items():  # the last one that was drawn, until the worker has drawn the next
        assert f'class="chart chart-{size}" role="img" aria-label="Share named right, by answers learnt from:' in page
        assert svg in page
    assert "80.0% at 1,100, 88.0% at 1,200, 95% interval 80.2–93.0%; the target is 95%" in page
    assert "<h3>Go on</h3>" in page and "75.0–95.0%" in page and "3 of 41 planned" in page and "κ 0.97" in page
    assert "94, between 88 and 97" in page and page.count("too few to say") == 5  # Ocelot and the four flags


def test_the_words_follow_from_the_bounds() -> None:
    def said(**columns: Any) -> tuple[str, str]:
        last = Estimate(**look(5, **columns))
        return verdict_of(last, 0.9).title, forecast_of(last, Project(target=last.target, round_size=100)).title

    assert said() == ("Go on", "Too early to say")
    assert said(low=0.91, more=900.0, more_low=500.0, more_high=1600.0) == ("Nearly: go on for a while", "About 900")
    assert said(low=0.96, always_low=0.951) == ("You may stop", "None")
    assert said(more=inf, more_low=inf, more_high=inf)[1] == "Far away"
    assert said(more=900.0, more_low=500.0, more_high=inf)[1] == "At least 500"
    assert said(more=inf, more_low=500.0, more_high=900.0)[1] == "At least 500"
    assert said(more=0.0, more_low=0.0, more_high=0.0)[1] == "None"
    assert verdict_of(Estimate(**look(5, always_low=0.95999)), 0.9).words.startswith("At least 95.9% of the rest")
    told = forecast_of(
        Estimate(**look(5, more=900.0, more_low=500.0, more_high=1600.0)), Project(target=0.95, round_size=100)
    )
    assert (
        told.words == "for your target of 95% right; 500 to 1,600 (95% interval). That is 10 rounds."
    )  # 7 of 100 crops teach nothing
    assert forecast_of(Estimate(**look(5)), Project(target=0.9, round_size=100)).title == "Not known yet"


def test_crops_that_no_draw_has_reached_are_told(overview: Overview) -> None:
    overview.keep(**look(1))
    assert "not here yet" not in overview.page
    overview.keep(**look(2, unreached=1500, effective=20))
    assert "1,500 of them were not here yet when the last random crops were drawn" in overview.page


def test_a_look_does_not_let_people_stop_for_an_older_classifier(overview: Overview) -> None:
    for number in (1, 2):
        overview.keep(**look(number, low=0.97, always_low=0.96))
    assert "<h3>You may stop</h3>" in overview.page
    with overview.site.database.writing() as session:
        older = session.scalars(select(Checkpoint).where(Checkpoint.kind == CLASSIFIER).order_by(Checkpoint.id)).first()
        assert older is not None
        older.activate(session.get_one(Project, overview.project_id))
    page = overview.page
    assert "You may stop" not in page and "An older classifier was put to use since this look" in page


def test_thirty_crops_must_have_been_answered_before_a_look_counts() -> None:
    assert not Estimate(**look(audited=29, always_low=1.0, low=1.0)).reaches(0.9)
    assert Estimate(**look(audited=30, always_low=0.9)).reaches(0.9)


def test_the_curve_in_words_ends_where_the_forecast_meets_the_target() -> None:
    looks = [Estimate(**look(2)), Estimate(**look(4, more=600.0, more_high=900.0))]
    assert described(looks, 0.95).endswith("the target is 95%. The forecast meets the target near 1,900 answers.")
    assert described(looks, 0.9).endswith("the target is 90%.")
    for more, high in ((inf, inf), (600.0, inf)):  # where the curve cannot say how many, it says no number here either
        assert described([*looks, Estimate(**look(5, more=more, more_high=high))], 0.95).endswith("the target is 95%.")


def test_a_look_of_a_round_that_was_looked_at_is_not_kept_twice(overview: Overview) -> None:
    overview.keep(**look(1, stop_set={"1": 2}))
    overview.keep(**look(2, stop_set={"1": 3}))
    with overview.site.database.writing() as session:
        assert Estimate.keep(session, overview.project_id, classifier_id=1, **look(2)) is None
        assert [(each.round_number, each.stop_set) for each in Estimate.history(session, overview.project_id)] == [
            (1, {}), (2, {"1": 3}),
        ]  # fmt: skip
