"""Deployments from the folders: what a pattern says of the real paths, the change, and the way back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from models.deployment import Deployment
from models.errors import Invalid
from models.folders import FolderPattern, Named, Pattern, deployment_of
from models.image import Image
from tests.app.deployments.conftest import Field

Days = Callable[[int], list[dt.datetime]]


@pytest.mark.parametrize(
    ("pattern", "path", "named"),
    [
        ("{site}/{camera}/*", "Creek/C1/IMG_1.JPG", Named("Creek/C1", "Creek", "C1")),
        ("{site}/{camera}", "Creek/C1/DCIM/100/IMG_1.JPG", Named("Creek/C1", "Creek", "C1")),
        ("{site}/{camera}/*", "Creek/IMG_1.JPG", None), ("{site}", "IMG_1.JPG", None),
        ("{site}_{camera}_{date}", "Creek_C1_2026-03-01/1.JPG", Named("Creek/C1/2026-03-01", "Creek", "C1")),
        ("{site}_{camera}_{date}", "Creek_North_C1_20260301/1.JPG", Named("Creek/North_C1/20260301", "Creek", "North_C1")),
        ("{site}_{camera}_{date}", "Creek_C1_March/1.JPG", None), ("*/{deployment}", "2026/SD 4/1.JPG", Named("SD 4")),
        ("{any}/{deployment}/DCIM", "2026/SD 4/DCIM/1.JPG", Named("SD 4")),
        ("{any}/{deployment}/DCIM", "2026/SD 4/raw/1.JPG", None),
        ("S{site}", "S 12/1.JPG", Named("12", "12")), ("S{site}", "S /1.JPG", None),
        ("{camera}.x+", "C1.x+/1.JPG", Named("C1", "", "C1")),
        ("/{site}/", "Creek/1.JPG", Named("Creek", "Creek")), ("{site}", "Río 🦌/1.JPG", Named("Río 🦌", "Río 🦌")),
    ],
)  # fmt: skip
def test_a_pattern_reads_the_folders_of_a_path(pattern: str, path: str, named: Named | None) -> None:
    assert Pattern.read(pattern).match(path) == named


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("", "1 to 200"), ("x" * 201, "1 to 200"), ("{place}", "is not one of"), ("{site}{camera}", "must stand between"),
        ("{site}*", "must stand between"), ("{site}/{site}", "stands there twice"), ("{date}", "name at least one"),
        ("{site}//{camera}", "two slashes"), ("{site", "has no partner"), ("site}", "has no partner"),
        ("{site}_{camera}_{any}_{date}", "at most 3"), ("*/{any}", "name at least one"),
    ],
)  # fmt: skip
def test_what_is_no_pattern_says_why(pattern: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        Pattern.read(pattern)


@given(st.text("ab_/-12", max_size=60))
def test_whatever_the_path_a_match_has_every_part(path: str) -> None:
    named = Pattern.read("{site}_{camera}/{any}").match(path)
    assert named is None or (named.site and named.camera and named.deployment == f"{named.site}/{named.camera}")


def where(field: Field) -> dict[str, str]:
    """Path -> deployment of every photo."""
    rows = select(Image.path, Deployment.name).join(Deployment, Deployment.id == Image.deployment_id)
    with field.site.database.reading() as session:
        return dict(session.execute(rows.where(Image.project_id == field.project_id)).all())


def test_a_pattern_is_looked_at_applied_and_taken_back_and_nothing_is_lost(both_fields: Field, days: Days) -> None:
    field = both_fields
    for folder in ("Creek/C1", "Creek/C2", "Ridge/C1", "Loose"):
        field.photos(folder, *days(2))
    before = where(field)
    assert set(before.values()) == {"Creek", "Ridge", "Loose"}
    page = field.show("/folders", pattern="{site}/{camera}/*")
    assert (
        "3 folders match: 3 deployments, 2 sites, 6 photos" in page
        and "2 photos lie in folders that do not match" in page
    )
    assert "Creek/C2" in page and where(field) == before
    assert field.send("/folders", pattern="{site}/{camera}/*").status_code == 303
    after = where(field)
    assert set(after.values()) == {"Creek/C1", "Creek/C2", "Ridge/C1", "Loose"} and after.keys() == before.keys()
    assert (field.row("Creek/C2").camera, field.row("Creek/C2").site_id) == ("C2", field.row("Creek/C1").site_id)
    assert field.times("Creek/C1") == days(2)
    with field.site.database.writing() as session:
        new = deployment_of(session, field.project_id, "Creek/C9/IMG_1.JPG", otherwise="batch")
        assert (new.name, new.camera) == ("Creek/C9", "C9")
        pattern = session.scalars(select(FolderPattern.id)).one()
    for _click in range(2):
        field.send("/folders/take-back", pattern_id=str(pattern))
    assert where(field) == before


def test_a_bad_pattern_comes_back_and_corrections_that_would_stay_behind_are_named(field: Field, days: Days) -> None:
    field.photos("Creek/C1", *days(2))
    field.send(f"/{field.deployment('Creek')}/corrections", way="later", from_at="2026-03-01")
    assert "do not follow the photos: Creek" in field.show("/folders", pattern="{site}/{camera}")
    refused = field.client.get(f"{field.path}/folders", params={"pattern": "{site}{camera}"})
    assert refused.status_code == 422 and "must stand between" in refused.text and "{site}{camera}" in refused.text
    assert field.send("/folders", pattern="{").status_code == 422
    field.send("/folders", pattern="{site}/{camera}")
    assert field.times("Creek/C1") == days(2)  # the correction stayed with the deployment Creek


def test_without_photos_a_pattern_holds_for_those_that_come(field: Field) -> None:
    assert "The pattern will hold for those that come." in field.show("/folders", pattern="{site}/{camera}")
    assert field.send("/folders", pattern="{site}/{camera}").status_code == 303
