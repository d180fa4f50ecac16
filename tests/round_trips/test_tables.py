"""Timelapse and Wildlife Insights: what people, else a machine, say of each photo comes back; outlines do not (both have no place
for them), and neither does a machine's name beside a person's."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from hypothesis import given
from sqlalchemy import select

from app.formats.wildlife_insights import BLANK_ID, COMPUTER
from models.database import Database
from models.species import Species, TaxonId
from models.storage import Store
from tests.round_trips.projects import PROJECTS, Drawn, made
from tests.round_trips.test_camtrap_dp import ONE_DATABASE
from tests.round_trips.trips import Place, members, rows_of

Row = tuple[Any, ...]
TIMELAPSE = {
    "file": "File", "folder": "RelativePath", "time": "DateTime", "species": "Species", "scientific_name": "ScientificName",
    "count": "Count", "source": "Source", "probability": "Probability", "who": "Who", "sex": "Sex", "life_stage": "LifeStage",
    "behaviour": "Behaviour", "delete": "DeleteFlag",
}  # fmt: skip
NOTHING = ("empty", "unclassified", "Blank")


def same_list(place: Place, drawn: Drawn, project_id: int) -> None:
    """The taxa of the plan, where the project lacks them, each with an identifier on Wildlife Insights."""
    with place.database.writing() as session:
        known = set(session.scalars(select(Species.name).where(Species.project_id == project_id)))
        for name, scientific, rank in drawn.taxa:
            if name not in known:
                Species.add(session, project_id, name, scientific_name=scientific, rank=rank)
        for species in session.scalars(select(Species).where(Species.project_id == project_id)):
            session.add(TaxonId(species_id=species.id, register="wildlife_insights", value=f"guid-{species.name}"))


def carried(rows: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """What people say of a photo with a figure, else what a machine says. A row: (is by a person, name, count, ...)."""
    found = {}
    for photo, said in rows.items():
        named = [row for row in said if row[1] not in NOTHING and row[2] not in ("0", "")]
        by_people = [row for row in named if row[0]]
        found[photo] = sorted(by_people if by_people or any(row[0] for row in said) else named, key=str)
    return found


def timelapse(content: bytes) -> dict[str, list[Row]]:
    """Folder, file and time -> its rows. A table trims the ends of its cells."""
    found = defaultdict(list)
    for row in rows_of(members(content)["timelapse.csv"]):
        photo = f"{row['RelativePath'].strip()}/{row['File'].strip()} {row['DateTime']}"
        found[photo].append((row["Source"] == "human", row["Species"], row["Count"], row["Probability"]))
    return found


@ONE_DATABASE
@given(drawn=PROJECTS)
def test_what_is_said_of_photos_comes_back_from_timelapse(
    sqlite_database: Database, store: Store, drawn: Drawn
) -> None:
    place = Place(sqlite_database, store)
    content = place.written(made(place, drawn), "timelapse", people=True)
    second, by = place.project(count_above=drawn.count_above, classify_above=0.1)
    same_list(place, drawn, second)
    table = {"timelapse.csv": members(content)["timelapse.csv"]}
    if not timelapse(content):
        return
    how = {"columns": TIMELAPSE, "confirmed": True, "delimiter": ",", "encoding": "utf-8"}
    import_ = place.taken(second, by, table, **how)
    assert place.bad_rows(import_.id) == []
    assert carried(timelapse(place.written(second, "timelapse", people=True))) == carried(timelapse(content))


def wildlife_insights(content: bytes) -> dict[str, list[Row]]:
    """File and time -> its rows."""
    found = defaultdict(list)
    for row in rows_of(members(content)["images.csv"]):
        by_machine = row["identified_by"].startswith(COMPUTER)
        name = "Blank" if row["wi_taxon_id"] == BLANK_ID else row["wi_taxon_id"]
        photo = f"{row['deployment_id'].strip()} {row['location'].strip()} {row['timestamp']} {row['highlighted']}"
        found[photo].append((not by_machine, name, row["number_of_objects"], row["uncertainty"] if by_machine else ""))
    return found


@ONE_DATABASE
@given(drawn=PROJECTS)
def test_what_is_said_of_photos_comes_back_from_wildlife_insights(
    sqlite_database: Database, store: Store, drawn: Drawn
) -> None:
    place = Place(sqlite_database, store)
    first = made(place, drawn)
    same_list(place, drawn, first)
    content = place.written(first, "wildlife-insights", people=True)
    if not wildlife_insights(content):
        return
    second, by = place.project(count_above=drawn.count_above, classify_above=0.1)
    same_list(place, drawn, second)
    import_ = place.taken(second, by, {"upload.zip": content})
    assert place.bad_rows(import_.id) == []
    assert carried(wildlife_insights(place.written(second, "wildlife-insights", people=True))) == carried(
        wildlife_insights(content)
    )
