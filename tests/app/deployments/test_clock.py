"""Clocks: a correction is shown first, applied, taken back; the doctor's findings are mended or called not wrong."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from sqlalchemy import select

from models.batch import Batch
from models.clock import ClockCorrection
from models.clock_finding import ClockFinding
from models.image import Image
from models.job import Job
from models.project import Project
from models.sequence import Sequence
from tests import make
from tests.app.deployments.conftest import START, Field

Days = Callable[[int], list[dt.datetime]]
HOUR = dt.timedelta(hours=1)


def here(field: Field) -> str:
    """The page of the one camera."""
    return f"/{field.deployment('Camera A')}"


def findings(field: Field) -> list[tuple[str, bool]]:
    """(kind, dismissed) of every finding that is remembered."""
    with field.site.database.reading() as session:
        rows = session.scalars(select(ClockFinding).where(ClockFinding.project_id == field.project_id))
        return [(row.kind, row.dismissed_at is not None) for row in rows]


def finding_id(page: str) -> str:
    """Of the first one on the page."""
    found = re.search(r"/findings/(\d+)/dismiss", page)
    assert found
    return found[1]


def test_a_pair_of_times_is_shown_first_then_applied_and_taken_back(both_fields: Field, days: Days) -> None:
    field = both_fields
    times = [*days(3), days(3)[0] + dt.timedelta(seconds=20)]
    field.photos("Camera A", *times)
    pair = {"way": "shift", "shown_1": "2026-03-01 10:00:00", "true_1": "2026-03-01 11:30:00"}
    page = field.show(f"{here(field)}/clock", **pair)
    assert "1 hour 30 minutes later" in page and "It moves 4 photos." in page and "2026-03-01 11:30:00" in page
    assert field.times("Camera A") == times
    assert field.send(f"{here(field)}/corrections", **pair).status_code == 303
    later = [at + 1.5 * HOUR for at in times]
    assert field.times("Camera A") == later
    with field.site.database.reading() as session:
        assert session.scalars(select(Image.captured_at).order_by(Image.path)).all() == times
        spans = session.execute(select(Sequence.first_at, Sequence.last_at).order_by(Sequence.first_at)).all()
        assert spans[0] == (START + 1.5 * HOUR, START + 1.5 * HOUR + dt.timedelta(seconds=20))
        correction = session.scalars(select(ClockCorrection.id)).one()
    twice = field.send(f"{here(field)}/corrections", **pair)
    assert twice.status_code == 409 and field.times("Camera A") == later
    for _click in range(2):
        assert field.send(f"{here(field)}/corrections/{correction}/take-back").status_code == 303
    assert field.times("Camera A") == times
    assert "taken back" in field.show(here(field))
    with field.site.database.reading() as session:
        first_at = session.scalars(select(Sequence.first_at).order_by(Sequence.first_at)).first()
        assert first_at == START


def test_corrections_stand_on_one_another_and_each_is_taken_back_alone(field: Field, days: Days) -> None:
    field.photos("Camera A", *days(3))
    for way in ("later", "earlier"):
        field.send(f"{here(field)}/corrections", way=way, from_at="2026-03-02")
    assert field.times("Camera A") == days(3)  # from noon of the second day on, both
    field.send(f"{here(field)}/corrections", way="shift", shown_1="2026-01-01 00:00", true_1="2027-01-01 00:00")
    with field.site.database.reading() as session:
        first = session.scalars(select(ClockCorrection.id).order_by(ClockCorrection.id)).first()
    field.send(f"{here(field)}/corrections/{first}/take-back")
    year = dt.timedelta(days=365)
    assert field.times("Camera A") == [at + year - (HOUR if at.day > 2 else 0 * HOUR) for at in days(3)]


def test_a_swap_says_how_many_photos_it_cannot_move(field: Field) -> None:
    field.photos("Camera A", *(dt.datetime(2026, 3, day, 10) for day in (2, 5, 13, 20)))
    page = field.show(f"{here(field)}/clock", way="swap")
    assert "It moves 2 photos." in page and "2 photos stay, because their day is no month." in page
    field.send(f"{here(field)}/corrections", way="swap")
    assert [at.strftime("%m-%d") for at in field.times("Camera A") if at] == ["02-03", "05-03", "03-13", "03-20"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"way": "shift"}, "Write a time"), ({"way": "later"}, "needs a moment"),
        ({"way": "zone", "set_at": "2026-01-01"}, "A zone is"),
        ({"way": "drift", "shown_1": "2026-01-01", "true_1": "2026-01-01"}, "Write a time"), ({"way": "magic"}, "is not one of"),
        ({"way": "swap", "from_at": "2026-02-01", "to_at": "2026-01-01"}, "Lies before"),
        ({"way": "shift", "shown_1": "2026-01-01 10:00", "true_1": "2026-01-01 10:00"}, "the same"),
    ],
)  # fmt: skip
def test_a_correction_that_makes_no_sense_says_why_and_keeps_what_was_typed(
    field: Field, days: Days, query: dict[str, str], said: str
) -> None:
    field.photos("Camera A", *days(2))
    asked = field.client.get(f"{field.path}{here(field)}/clock", params=query)
    sent = field.send(f"{here(field)}/corrections", **query)
    assert said in asked.text and said in sent.text and sent.status_code == 422
    assert field.times("Camera A") == days(2)


def test_a_reset_is_found_when_the_deployment_changes_mended_and_found_again_after_undo(
    both_fields: Field, days: Days
) -> None:
    field = both_fields
    wrong = [dt.datetime(2015, 1, 1, 0, 10) + dt.timedelta(days=number) for number in range(4)]
    field.photos("Camera A", *days(5), *wrong)
    field.save("Camera A", starts_at="2026-03-01 10:00", ends_at="2026-03-20 10:00")
    page = field.show(here(field))
    assert "The clock fell back to a default date" in page and "4 of 9 photos" in page
    assert "taken between 5 March 2026, 10:00:00 and 17 March 2026" in page and "It moves 4 photos." in page
    assert "wrong clock" in field.show()
    assert field.send(f"{here(field)}/findings/{finding_id(page)}/mend").status_code == 303
    assert field.times("Camera A") == [*days(5), *(days(5)[-1] + dt.timedelta(days=number) for number in range(4))]
    assert findings(field) == [] and "complete" in field.show()
    with field.site.database.reading() as session:
        correction = session.scalars(select(ClockCorrection)).one()
        assert "4 of 9 photos" in correction.reason and correction.from_at == wrong[0]
    field.send(f"{here(field)}/corrections/{correction.id}/take-back")
    assert field.times("Camera A") == [*days(5), *wrong] and findings(field) == [("reset", False)]


def test_not_wrong_is_remembered_until_the_deployment_is_another(field: Field, days: Days) -> None:
    field.photos("Camera A", *days(5))
    field.save("Camera A", starts_at="2026-03-03", ends_at="2026-03-20")
    assert field.send(f"{here(field)}/findings/{finding_id(field.show(here(field)))}/dismiss").status_code == 303
    assert findings(field) == [("outside", True)] and "photos outside" in field.show()
    field.save("Camera A", camera="another")
    assert findings(field) == [("outside", True)]
    field.save("Camera A", starts_at="2026-03-04")
    assert sorted(findings(field)) == [("outside", False), ("outside", True)]


def test_a_finding_without_an_explanation_proposes_nothing(field: Field, days: Days) -> None:
    field.photos("Camera A", dt.datetime(2025, 8, 14), dt.datetime(2025, 8, 30), *days(5))
    field.save("Camera A", starts_at="2026-03-01", ends_at="2026-03-20")
    page = field.show(here(field))
    assert "No single correction explains this" in page and "/mend" not in page
    answer = field.send(f"{here(field)}/findings/{finding_id(page)}/mend")
    assert answer.status_code == 422 and "no correction that would explain" in answer.text


def test_many_photos_are_corrected_by_a_job(field: Field, days: Days) -> None:
    field.photos("Camera A", *days(2))
    with field.site.database.writing() as session:
        batch = make.batch(session, session.get_one(Project, field.project_id))
        first = session.scalars(select(Image)).first()
        assert isinstance(batch, Batch) and first is not None
        session.add_all(
            Image(
                project_id=field.project_id, batch_id=batch.id, deployment_id=first.deployment_id, path=f"Camera A/{number}.JPG",
                sha256=f"{number:064}", size=1, state="ready", captured_at=START, taken_at=START,
            )
            for number in range(600)
        )  # fmt: skip
    field.send(f"{here(field)}/corrections", way="later", from_at="2026-03-01 10:00")
    with field.site.database.reading() as session:
        job = session.scalars(select(Job).where(Job.kind == "clock")).one()
        assert (job.total, job.arguments) == (602, {"deployments": [first.deployment_id]})
    assert "Bringing the times up to date: 0 of 602 photos." in field.show(here(field))


def test_a_correction_of_another_deployment_is_not_there(field: Field, days: Days) -> None:
    field.photos("Camera A", *days(2))
    field.photos("Camera B", *days(2))
    field.send(f"{here(field)}/corrections", way="swap")
    with field.site.database.reading() as session:
        correction = session.scalars(select(ClockCorrection.id)).one()
    other = field.deployment("Camera B")
    assert field.send(f"/{other}/corrections/{correction}/take-back").status_code == 404
    assert field.send(f"/{other}/findings/1/mend").status_code == 404
