"""Deployments by hand: facts and their limits, versions, effort, roles, the period that is offered, the map."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from sqlalchemy import select

from models.audit import AuditEntry
from models.membership import Role
from models.site import Site as Place
from tests.app.deployments.conftest import START, Field
from tests.conftest import Site

Days = Callable[[int], list[dt.datetime]]


def test_a_deployment_gets_site_period_place_and_problems_and_shows_its_effort(both_fields: Field, days: Days) -> None:
    field = both_fields
    field.photos("Camera A", *days(5))
    answer = field.save(
        "Camera A", site="Creek", camera="C-07", starts_at="2026-03-01 10:00", ends_at="2026-03-31 10:00", zone="America/Lima",
        latitude="-12,5461", longitude="-70.1", uncertainty_m="30", comments="By the bridge",
        problems="not working; 2026-03-05 10:00; 2026-03-07 10:00\nblocked;2026-03-06 10:00;2026-03-08 10:00",
    )  # fmt: skip
    assert answer.status_code == 303 and answer.headers["location"].endswith("?saved=facts#facts")
    row = field.row("Camera A")
    assert (row.camera, row.starts_at, row.zone, row.latitude, row.uncertainty_m) == (
        "C-07",
        START,
        "America/Lima",
        -12.5461,
        30,
    )
    page = field.show(f"/{row.id}")
    assert "27.0 trap nights." in page and "Creek" in page and "not working; 2026-03-05 10:00; 2026-03-07 10:00" in page
    listed = field.show()
    assert (
        "27.0" in listed
        and "complete" in listed
        and 'aria-labelledby="map-title-wide' in listed
        and "-12.54610" in listed
    )
    with field.site.database.reading() as session:
        assert session.scalars(select(Place.name)).all() == ["Creek"]
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.act == "deployment.saved"))
        assert entry.details["changes"]["latitude"] == [None, -12.5461]


def test_a_knocked_down_camera_closes_the_effort_even_without_an_end_of_it(field: Field, days: Days) -> None:
    field.photos("Camera A", *days(5))
    field.save(
        "Camera A", starts_at="2026-03-01 10:00", ends_at="2026-03-31 10:00", problems="knocked down; 2026-03-11 10:00"
    )
    assert "10.0 trap nights." in field.show(f"/{field.deployment('Camera A')}")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"starts_at": "2026-04-01", "ends_at": "2026-03-01"}, "Lies before the start"),
        ({"starts_at": "yesterday"}, "is no time"), ({"starts_at": "2026-02-30 10:00"}, "is no time"),
        ({"starts_at": "0001-01-01"}, "not between 1970 and 2200"), ({"latitude": "91", "longitude": "0"}, "Lies between -90"),
        ({"latitude": "1", "longitude": "-180.1"}, "Lies between -180"), ({"latitude": "1"}, "belong together"),
        ({"latitude": "nan", "longitude": "north"}, "is no number"), ({"zone": "Peru"}, "is no zone of the IANA list"),
        ({"problems": "asleep; 2026-03-01"}, "Line 1: write it like"), ({"problems": "moved; ; "}, "Line 1: it needs a time"),
        ({"problems": "not working; 2026-03-05; 2026-03-01"}, "ends before it begins"), ({"camera": "x" * 101}, "at most 100"),
        ({"uncertainty_m": "0"}, "1 metre or more"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_comes_back_with_its_reason_and_stores_nothing(
    field: Field, days: Days, fields: dict[str, str], said: str
) -> None:
    field.photos("Camera A", *days(1))
    answer = field.save("Camera A", **({"comments": "typed"} | fields))
    assert answer.status_code == 422 and said.lower() in answer.text.lower() and "typed" in answer.text
    assert field.row("Camera A").version == 1 and field.row("Camera A").comments == ""


def test_who_was_slower_is_told_and_nothing_is_overwritten(field: Field, days: Days) -> None:
    field.photos("Camera A", *days(1))
    assert field.save("Camera A", camera="first").status_code == 303
    late = field.send(f"/{field.deployment('Camera A')}", version="1", camera="second")
    assert late.status_code == 412 and "Somebody changed this deployment" in late.text and 'value="first"' in late.text
    assert field.row("Camera A").camera == "first"
    again = field.send(f"/{field.deployment('Camera A')}", version="1", camera="first")  # a second click
    assert again.status_code == 303 and field.row("Camera A").version == 2


def test_first_and_last_photo_are_offered_as_the_period(both_fields: Field, days: Days) -> None:
    field = both_fields
    field.photos("Camera A", *days(5))
    here = f"/{field.deployment('Camera A')}"
    assert "The first photo says 2026-03-01 10:00:00, the last one 2026-03-05 10:00:00." in field.show(here)
    assert field.send(f"{here}/period").status_code == 303
    assert (field.row("Camera A").starts_at, field.row("Camera A").ends_at) == (START, START + dt.timedelta(days=4))
    assert "Take these as the period" not in field.show(here)


def test_photos_outside_the_period_are_counted_and_a_day_belongs_whole(field: Field, days: Days) -> None:
    field.photos("Camera A", *days(5))
    field.save("Camera A", starts_at="2026-03-02 18:00", ends_at="2026-03-04 06:00")
    assert "wrong clock" in field.show()
    page = field.show(f"/{field.deployment('Camera A')}")
    assert "2 of 5 photos: 1 before the day it began, 1 after the day it ended." in page


def test_a_viewer_looks_and_changes_nothing_and_an_annotator_neither(sqlite_site: Site, days: Days) -> None:
    for role in (Role.viewer, Role.annotator):
        field = Field(sqlite_site, role)
        field.photos("Camera A", *days(2))
        here = f"/{field.deployment('Camera A')}"
        assert "You may look" in field.show() and "You may look" in field.show(here)
        for path in (
            here,
            f"{here}/period",
            f"{here}/corrections",
            "",
            "/table",
            "/table/save",
            "/folders",
            "/folders/take-back",
        ):
            assert (
                field.send(path, version="1", camera="x", name="y", text="deployment\nx", pattern="{site}").status_code
                == 403
            )
        for path in ("/table", "/folders", f"{here}/clock"):
            assert field.client.get(field.path + path).status_code == 403
        assert field.row("Camera A").version == 1


def test_one_by_hand_is_shown_without_photos_and_only_once(field: Field) -> None:
    answer = field.send(name="Ridge 1")
    assert answer.status_code == 303 and "Ridge 1" in field.show()
    assert "There is already" in field.send(name="Ridge 1").text
    assert field.send(name="  ").status_code == 422 and field.send(name="a\x00b").status_code == 422


def test_a_deployment_of_another_project_is_not_there(field: Field, sqlite_site: Site, days: Days) -> None:
    other = Field(sqlite_site)
    other.photos("Camera B", *days(1))
    theirs = other.deployment("Camera B")
    assert field.client.get(f"{field.path}/{theirs}").status_code == 404
    assert field.send(f"/{theirs}", camera="mine").status_code == 404
    assert field.client.get(f"{field.path}/{2**40}").status_code == 404


def test_names_are_text_on_every_page(field: Field, days: Days) -> None:
    field.photos("<img src=x>", *days(2))
    field.save("<img src=x>", site="<b>Creek</b>", latitude="1", longitude="1")
    for page in (field.show(), field.show(f"/{field.deployment('<img src=x>')}")):
        assert "<img src=x>" not in page and "<b>Creek" not in page


def test_a_long_list_comes_in_pages(field: Field) -> None:
    rows = "\n".join(["deployment", *(f"Camera {number:03}" for number in range(205))])
    assert field.send("/table/save", text=rows).status_code == 303
    first = field.show()
    assert "Camera 199" in first and "Camera 200" not in first and "205 deployments" in first
    assert "Camera 204" in field.show(after="Camera 199") and "Camera 199<" not in field.show(after="Camera 199")
