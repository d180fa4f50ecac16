"""Detection histories for occupancy models (camtrapR's detectionHistory): sites by occasions, one table a species, with effort.

A cell is 1 where the species was recorded in the occasion, 0 where the cameras of the site worked and did not record it, NA where
none worked. Occasions are so many days long and begin for all sites with the first day of the survey (day1 = "survey").
effort.csv has the active days of each cell, all cameras of a site summed; camera_operation.csv the working cameras of each day.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict

from app.cells import guard, line
from app.exports.enclosing import enclose
from app.exports.sinks import Archive, ByteSink
from app.exports.study import Station, Study
from models.effort import active_shares
from models.errors import Invalid
from models.records import event_lines
from models.species import TAXON
from models.words import say

NA = "NA"
DAY = dt.timedelta(days=1)


def write(study: Study, sink: ByteSink) -> None:
    """A zip with a table for each species. Raises Invalid where no camera has a period."""
    survey = Survey(study)
    found = survey.detections(study)
    with Archive(sink) as archive:
        with archive.text("effort.csv") as file:
            file.write(survey.head())
            file.rows = len(survey.sites)
            for site in survey.sites:
                file.write(line([guard(site), *(days(survey.effort[site, at]) for at in range(survey.occasions))]))
        with archive.text("camera_operation.csv") as file:
            dates = survey.dates()
            file.write(line(["station", *(f"{each:%Y-%m-%d}" for each in dates)]))
            file.rows = len(survey.sites)
            for site in survey.sites:
                file.write(line([guard(site), *(survey.working(site, each) for each in dates)]))
        for species_id in sorted(found, key=study.scientific):
            with archive.text(f"detections_{file_word(study.scientific(species_id))}_{species_id}.csv") as file:
                file.write(survey.head())
                file.rows = len(survey.sites)
                for site in survey.sites:
                    cells = (survey.cell(site, at, found[species_id]) for at in range(survey.occasions))
                    file.write(line([guard(site), *cells]))
        enclose(archive, study, "detections")


class Survey:
    """The sites, the days and when cameras worked."""

    def __init__(self, study: Study) -> None:
        """Of the deployments that have a period. Raises Invalid where none has."""
        stations = [each for each in study.stations.values() if each.starts_at and each.ends_at]
        if not stations:
            raise Invalid(
                "deployments: "
                + say("no camera has a period yet, so there is no effort; give them one on the Deployments page")
            )
        self.length = study.options.occasion_days
        self.first = min(each.starts_at for each in stations if each.starts_at).date()
        self.last = max(each.ends_at for each in stations if each.ends_at).date()
        self.occasions = (self.last - self.first).days // self.length + 1
        self.sites = sorted({each.site_name for each in stations})
        self.effort: dict[tuple[str, int], float] = defaultdict(float)
        self._days: dict[tuple[str, dt.date], float] = {}
        self._site = {each.deployment.id: each.site_name for each in stations}
        for each in stations:
            self._add(each)

    def _add(self, station: Station) -> None:
        assert station.starts_at is not None and station.ends_at is not None
        for day, share in active_shares(station.starts_at, station.ends_at, station.problems).items():
            key = (station.site_name, day)
            self._days[key] = self._days.get(key, 0.0) + share
            self.effort[station.site_name, self.occasion(day)] += share

    def occasion(self, day: dt.date) -> int:
        """Which one it lies in, from 0."""
        return (day - self.first).days // self.length

    def dates(self) -> list[dt.date]:
        """Every day of the survey."""
        return [self.first + number * DAY for number in range((self.last - self.first).days + 1)]

    def head(self) -> str:
        """The header of a history."""
        return line(["station", *(f"o{number}" for number in range(1, self.occasions + 1))])

    def working(self, site: str, day: dt.date) -> str:
        """NA before and after, 0 where nothing worked, else the active cameras, parts of a day as parts."""
        share = self._days.get((site, day))
        return NA if share is None else days(share)

    def detections(self, study: Study) -> dict[int, set[tuple[str, int]]]:
        """Species id -> (site, occasion) in which it was recorded. A visit over midnight counts where it begins and ends."""
        found: dict[int, set[tuple[str, int]]] = defaultdict(set)
        for each in event_lines(study.session, study.store, study.project):
            site = self._site.get(each.deployment_id)
            if site is None or each.species_id in study.extreme or study.taxa[each.species_id].species.kind != TAXON:
                continue
            for moment in (each.first_at, each.last_at):
                at = self.occasion(moment.date())
                if self.effort.get((site, at), 0.0) > 0:
                    found[each.species_id].add((site, at))
        return found

    def cell(self, site: str, at: int, found: set[tuple[str, int]]) -> str:
        """1, 0 or NA."""
        return NA if self.effort.get((site, at), 0.0) <= 0 else "1" if (site, at) in found else "0"


def days(value: float) -> str:
    """At most two digits behind the point."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def file_word(name: str) -> str:
    """A name as part of a file's name."""
    return re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_") or "species"
