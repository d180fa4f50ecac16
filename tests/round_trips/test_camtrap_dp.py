"""Any project goes out as Camtrap DP and comes in again the same, but for what the note says."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

from app.exports.checks.camtrap_dp import check
from app.exports.lost import Facts
from app.exports.study import Study
from models.database import Database
from models.project import Project
from models.storage import Store
from tests.round_trips.projects import PROJECTS, Drawn, cameras_of, everything, made, photos_of
from tests.round_trips.trips import Place, members, rows_of

MANY = int(os.environ.get("WATERHOLE_TEST_PROJECTS", "25"))  # projects that are drawn
# Without shrinking: an example is whole projects, and a smaller one would be sought for minutes.
ONE_DATABASE = settings(
    max_examples=MANY, report_multiple_bugs=False, phases=(Phase.explicit, Phase.reuse, Phase.generate), deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


def without_size(photo: dict[str, Any]) -> dict[str, Any]:
    """The format has no place for it, and it comes back with the file."""
    return {name: value for name, value in photo.items() if name != "size"}


def carried(photo: dict[str, Any]) -> dict[str, Any]:
    """Figures of people go out where the photo has no boxes."""
    figures = [] if photo["boxes"] else [each for each in photo["figures"] if each[0] is not None and each[1]]
    return without_size(photo) | {"figures": figures}


@ONE_DATABASE
@given(drawn=PROJECTS)
def test_a_project_comes_back_the_same(sqlite_database: Database, store: Store, tmp_path: Path, drawn: Drawn) -> None:
    place = Place(sqlite_database, store)
    first = made(place, drawn)
    content = place.written(first, "camtrap-dp")
    package = tmp_path / "camtrap-dp.zip"
    package.write_bytes(content)
    assert check(package) == []
    second, by = place.project(count_above=drawn.count_above, classify_above=0.1, zone="UTC")
    import_ = place.taken(second, by, {"camtrap-dp.zip": content})
    assert place.bad_rows(import_.id) == []
    assert cameras_of(place, second) == cameras_of(place, first)
    before, after = photos_of(place, first), photos_of(place, second)
    lost = set(everything(place, first)) - set(after)
    assert set(after) == set(before) - lost
    for path, photo in after.items():
        assert carried(photo) == carried(before[path]), path
    again = members(place.written(second, "camtrap-dp"))
    same_tables(members(content), again)
    losses(place, first, lost)


def same_tables(went: dict[str, bytes], came: dict[str, bytes]) -> None:
    """Every table is written again as it was read."""
    for name in ("deployments.csv", "media.csv", "observations.csv", "waterhole_labels.csv"):
        before, after = (Counter(cells(row) for row in rows_of(side[name])) for side in (went, came))
        assert before - after == Counter() and after - before == Counter(), name
    first, second = (json.loads(side["datapackage.json"]) for side in (went, came))
    for part in ("spatial", "temporal", "taxonomic"):
        assert first[part] == second[part], part
    assert first["waterhole"]["deployments"] == second["waterhole"]["deployments"]
    # names that only a machine gave are none of the list
    assert second["waterhole"]["species"].items() <= first["waterhole"]["species"].items()


def cells(row: dict[str, str]) -> tuple[tuple[str, Any], ...]:
    """A row whose shares are numbers: 0.1250 is 0.125."""
    shares = ("classificationProbability", "bboxX", "bboxY", "bboxWidth", "bboxHeight")
    return tuple((name, round(float(cell), 4) if name in shares and cell else cell) for name, cell in row.items())


def losses(place: Place, project_id: int, lost: set[str]) -> None:
    """The figures of the note are the photos that are missing, each for one of its reasons."""
    with place.database.reading() as session:
        facts = Facts(Study(session, place.store, session.get_one(Project, project_id)))
        stations = facts.study.stations.values()
        homeless = {each.name for each in stations if None in (each.point, each.starts_at, each.ends_at)}
        of_homeless = {path for path in lost if path.rsplit("/", 1)[0] in homeless}
        most = facts.undated + facts.not_seen + facts.failed + facts.outside
        assert len(lost - of_homeless) <= most
        assert len(lost) >= max(facts.undated, facts.not_seen, facts.failed, facts.outside)
        if not homeless:
            assert len(lost) == most
