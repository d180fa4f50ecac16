"""Sites by hand: coordinates, what is refused and where, who may; and lists in the order in which people count."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from sqlalchemy import select

from models.audit import AuditEntry
from models.membership import Role
from models.site import Site as Place
from tests.app.deployments.conftest import Field
from tests.conftest import Site

Days = Callable[[int], list[dt.datetime]]


def posted(field: Field, path: str, **typed: str) -> tuple[int, str]:
    answer = field.client.post(f"{field.path}{path}", data=typed)
    return answer.status_code, answer.text


def place(field: Field, name: str) -> Place:
    with field.site.database.reading() as session:
        here = Place.project_id == field.project_id, Place.name == name
        return session.scalars(select(Place).where(*here)).one()


def test_a_site_is_added_and_described_and_its_cameras_are_where_it_is(both_fields: Field, days: Days) -> None:
    field = both_fields
    field.photos("Camera A", *days(2))
    assert posted(field, "/sites", name="Creek", latitude="-12,5461", longitude="-70.1")[0] == 303
    creek = place(field, "Creek")
    assert (creek.latitude, creek.longitude, creek.uncertainty_m) == (-12.5461, -70.1, None)
    assert (
        posted(
            field, f"/sites/{creek.id}", title="By the creek", latitude="-12.5", longitude="-70.1", uncertainty_m="30"
        )[0]
        == 303
    )
    field.save("Camera A", site="Creek")
    page = field.show("/sites")
    assert "By the creek" in page
    assert "-12.50000, -70.10000" in page
    assert "1 deployment" in page
    assert "-12.50000" in field.show()
    with field.site.database.reading() as session:
        saved = AuditEntry.act == "site.saved", AuditEntry.project_id == field.project_id
        entries = session.scalars(select(AuditEntry).where(*saved).order_by(AuditEntry.id)).all()
    assert [entry.details["name"] for entry in entries] == ["Creek", "Creek"]
    assert entries[1].details["changes"]["latitude"] == [-12.5461, -12.5]


@pytest.mark.parametrize(
    ("typed", "field_id"),
    [
        ({"latitude": "91", "longitude": "0"}, "latitude"), ({"latitude": "5"}, "longitude"), ({"longitude": "x"}, "longitude"),
        ({"latitude": "5", "longitude": "5", "uncertainty_m": "0"}, "uncertainty_m"),
    ],
)  # fmt: skip
def test_what_is_no_place_is_refused_at_its_field_and_what_was_typed_stays(
    field: Field, typed: dict[str, str], field_id: str
) -> None:
    posted(field, "/sites", name="Creek")
    creek = place(field, "Creek")
    status, page = posted(field, f"/sites/{creek.id}", title="Typed", **typed)
    assert status == 422
    assert f'id="site-{creek.id}-{field_id}-error"' in page
    assert 'value="Typed"' in page
    after = place(field, "Creek")
    assert (after.title, after.latitude, after.longitude) == ("", None, None)


def test_a_name_comes_once_and_the_sites_of_others_are_not_there(field: Field) -> None:
    posted(field, "/sites", name="Creek")
    assert posted(field, "/sites", name=" Creek ")[0] == 409
    assert posted(field, "/sites", name="")[0] == 422
    other = Field(field.site)
    posted(other, "/sites", name="River")
    assert posted(field, f"/sites/{place(other, 'River').id}", title="mine now")[0] == 404
    assert place(other, "River").title == ""


def test_a_viewer_looks_and_changes_nothing(site: Site) -> None:
    viewer = Field(site, Role.viewer)
    page = viewer.show("/sites")
    assert "No sites yet" in page
    assert "<button" not in re.sub(r"<header.*?</header>", "", page, flags=re.DOTALL).split('id="main"')[1]
    assert posted(viewer, "/sites", name="Creek")[0] == 403


def test_lists_go_as_people_count(both_fields: Field, days: Days) -> None:
    field = both_fields
    for name in ("CT10", "CT2", "ct1", "A", "CT02b"):
        field.photos(name, *days(1))
        posted(field, "/sites", name=f"Site {name}")
    page = field.show()
    listed = re.findall(r"/deployments/\d+\"><bdi>([^<]+)</bdi>", page)
    assert listed == ["A", "ct1", "CT2", "CT02b", "CT10"]
    assert re.findall(r"<b><bdi>Site ([^<]+)</bdi>", field.show("/sites")) == listed
    assert re.findall(r"/deployments/\d+\"><bdi>([^<]+)</bdi>", field.show(after="CT2")) == ["CT02b", "CT10"]
