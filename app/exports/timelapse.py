"""Timelapse (FORMATS 5): timelapse.csv, one row a photo and species, by folder and file, and the photos to duplicate first.

Timelapse finds a photo by RelativePath and File and passes silently over rows beyond the duplicates that its own database has:
duplicate-first.csv names the photos with several species. Every column behind the standard ones must be a field of the
template. Boxes travel as MegaDetector JSON, which Timelapse reads as recognitions.
"""

from __future__ import annotations

from collections.abc import Iterator

from app.cells import guard, line
from app.exports.columns import number, probability, tally, yes_no
from app.exports.enclosing import enclose
from app.exports.per_species import per_species
from app.exports.rows import SpeciesRow
from app.exports.sinks import Archive, ByteSink
from app.exports.sorted_lines import Sorted
from app.exports.study import Study
from app.formats.timelapse import DATETIME, FILE, OURS, RELATIVE_PATH, STANDARD

TABLE, DUPLICATES = "timelapse.csv", "duplicate-first.csv"
MOST_NAMES = 1000  # that a spreadsheet would take for a formula, in the manifest


def write(study: Study, sink: ByteSink) -> None:
    """A zip. A file name that had to be guarded does not match in Timelapse; the manifest lists those."""
    rows, twice, guarded = Sorted(), Sorted(), list[str]()
    try:
        for photo, said in study.photos():
            folder, _slash, name = photo.path.rpartition("/")
            found = per_species(photo, said, study.naming)
            for number_, (_id, _kind, row) in enumerate(found):
                rows.add(folder, name, f"{photo.id:020d}", f"{number_:04d}", line(cells(row, folder, name, study)))
            if len(found) > 1:
                twice.add(folder, name, line((guard(folder_of(folder, study)), guard(name), str(len(found)))))
            if guard(folder) != folder or guard(name) != name:
                guarded.append(photo.path)
        with Archive(sink) as archive:
            copy(archive, TABLE, (*STANDARD, *OURS), rows)
            copy(archive, DUPLICATES, (RELATIVE_PATH, FILE, "Rows"), twice)
            enclose(archive, study, "timelapse", guarded_names=guarded[:MOST_NAMES])
    finally:
        rows.close()
        twice.close()


def copy(archive: Archive, name: str, head: tuple[str, ...], rows: Sorted) -> None:
    """One table."""
    with archive.text(name) as file:
        file.write(line(head))
        for *_key, row in rows.lines():
            file.write(row)
            file.rows += 1


def cells(row: SpeciesRow, folder: str, name: str, study: Study) -> Iterator[str]:
    """One row."""
    yield guard(name)
    yield guard(folder_of(folder, study))
    yield "" if row.photo.taken_at is None else f"{row.photo.taken_at:{DATETIME}}"
    yield "false"
    yield guard(row.species)
    yield guard(row.scientific_name)
    yield number(row.count)
    yield row.source
    yield probability(row.probability)
    yield guard(row.who)
    yield yes_no(row.certain)
    yield guard(row.checkpoint)
    yield tally(each.sex for each in row.observed)
    yield tally(each.life_stage for each in row.observed)
    yield guard(tally(each.behaviour for each in row.observed))


def folder_of(folder: str, study: Study) -> str:
    """As the person's Timelapse writes folders."""
    return folder if study.options.forward_slashes else folder.replace("/", "\\")
