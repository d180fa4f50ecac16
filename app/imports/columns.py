"""Tables whose columns a person names: plain CSV, and Timelapse, which is such a table with known columns for file and folder.

A row says one thing about one photo, or about a box in it. Cells of our own tables lose the mark that guards them against
spreadsheets. Nothing is read before a person has seen the first rows and which column is what.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from app.imports.checks import MISSING, Wrong, clock, one_of, real, whole
from app.imports.files import Files
from app.imports.lines import How, Line, Reading, aside, bad, corners, path_of, sighting
from app.imports.tables import Asks, Row, first_text, guess_delimiter, guess_encoding, reading, table, unguarded
from models.errors import Invalid
from models.import_records import ANIMAL, HUMAN, MACHINE, PhotoRecord
from models.imported import PHOTO
from models.observed import LIFE_STAGES, SEXES


class Wanted(NamedTuple):
    """What a column may be. names: columns, in small letters, that are probably it."""

    label: str
    names: tuple[str, ...]


WANTED: dict[str, Wanted] = {
    "file": Wanted(
        "File",
        (
            "file",
            "filename",
            "file_name",
            "filepath",
            "file_path",
            "path",
            "image",
            "photo",
            "archivo",
            "datei",
            "fichier",
        ),
    ),
    "folder": Wanted("Folder", ("relativepath", "relative_path", "folder", "directory")),
    "time": Wanted("Date and time", ("datetime", "datetimeoriginal", "timestamp", "captured_at", "taken_at")),
    "date": Wanted("Date alone", ("date",)),
    "clock": Wanted("Time alone", ("time",)),
    "deployment": Wanted("Deployment", ("deployment", "station", "location", "site", "camera")),
    "species": Wanted(
        "Species", ("species", "common_name", "commonname", "animal", "label", "especie", "art", "espece")
    ),
    "scientific_name": Wanted("Scientific name", ("scientificname", "scientific_name")),
    "count": Wanted("Count", ("count", "number", "number_of_objects", "individuals", "n", "anzahl", "numero")),
    "sex": Wanted("Sex", ("sex",)),
    "life_stage": Wanted("Life stage", ("lifestage", "life_stage", "age")),
    "behaviour": Wanted("Behaviour", ("behavior", "behaviour")),
    "who": Wanted("Who said it", ("who", "analyst", "observer", "classifiedby", "identified_by", "labelled_by")),
    "source": Wanted("Human or machine", ("source", "named_by", "classificationmethod")),
    "probability": Wanted("Probability", ("probability", "confidence", "score")),
    "box_x": Wanted("Box: left, as a share", ("bboxx", "x_min", "box_x")),
    "box_y": Wanted("Box: top", ("bboxy", "y_min", "box_y")),
    "box_width": Wanted("Box: width", ("bboxwidth", "box_width")),
    "box_height": Wanted("Box: height", ("bboxheight", "box_height")),
    "delete": Wanted("Rows to leave out", ("deleteflag",)),
}
# what a row says of who named it; any other word: as the person said of the whole table
SOURCES = {"human": HUMAN, "person": HUMAN, "predicted": MACHINE, "machine": MACHINE}
# what our own tables say where the animals of a row differ, "female: 1; male: 2": no row can say that of one animal
TALLY = re.compile(r"[^:;]+: \d+(; [^:;]+: \d+)+")
BESIDE = ("sex", "life_stage")
BOX = ("box_x", "box_y", "box_width", "box_height")


def read(files: Files, how: How) -> Reading:
    """Raises Asks until a person has said which column is what; Invalid for a table that cannot be read."""
    name = files.one(".csv", ".txt", ".tsv")
    if not how.confirmed:
        raise asks(files, name, how)
    found = table(files, name, how)
    for role, column in how.columns.items():
        if column not in found.header:
            raise Invalid(f"{role}: there is no column {column[:60]!r}")
    if "file" not in how.columns:
        raise Invalid("file: choose the column that names the photo")
    return Reading({}, lines_of(found.rows, how))


def asks(files: Files, name: str, how: How) -> Asks:
    """The first rows, and a guess for each column."""
    encoding = how.encoding or guess_encoding(files, name)
    delimiter = how.delimiter or guess_delimiter(first_text(files, name, encoding))
    shown = reading(files, name, encoding, delimiter, how.decimal)
    by_name = {column.strip().lower(): column.strip() for column in shown["header"]}
    guessed = {
        role: how.columns.get(role) or next((by_name[each] for each in wanted.names if each in by_name), "")
        for role, wanted in WANTED.items()
    }
    return Asks({"reading": shown, "wanted": [[role, wanted.label, guessed[role]] for role, wanted in WANTED.items()]})


def lines_of(rows: Iterator[Row], how: How) -> Iterator[Line]:
    """A line a row, and before the first row of each photo a line that describes it."""
    described: set[str] = set()
    for row in rows:
        cells = {role: unguarded(row.get(column)) for role, column in how.columns.items()}
        cells = {role: "" if cell in MISSING else cell for role, cell in cells.items()}
        if cells.get("delete", "").lower() == "true":
            yield aside(f"line {row.line}", "it is marked to be deleted")
            continue
        yield from row_lines(row, cells, how, described)


def row_lines(row: Row, cells: Mapping[str, str], how: How, described: set[str]) -> Iterator[Line]:
    """One row."""
    place = f"line {row.line}"
    values, wrong = values_of(cells, how)
    if "" in row.cells:
        wrong.append(("", "the row has more cells than the header"))
    path = ""
    folder = cells.get("folder", "").replace("\\", "/").strip("/")
    try:
        path = path_of("/".join(each for each in (folder, cells.get("file", "")) if each), how)
    except Invalid as error:
        wrong.append((how.columns["file"], str(error)))
    if wrong:
        yield from (bad(place, field, reason, photo=path) for field, reason in wrong)
        return
    if path not in described:
        described.add(path)
        record = PhotoRecord(deployment=cells.get("deployment", "")[:255], taken_at=values.get("taken_at", ""))
        yield Line(place, PHOTO, path, record)
    name = cells.get("species") or cells.get("scientific_name", "")
    if not name and "box" not in values:
        yield aside(place, "it names nothing", photo=path)
        return
    how = replace(how, said_by=SOURCES.get(cells.get("source", "").lower(), how.said_by))
    said = sighting(
        name, how, **{each: value for each, value in values.items() if each not in ("taken_at", "probability")}
    )
    if said.kind == ANIMAL and said.name:
        said = replace(
            said, scientific_name=cells.get("scientific_name", "")[:200], guesses=guesses(said.name, values, how)
        )
    yield Line(place, photo=path, record=said)


def guesses(name: str, values: Mapping[str, Any], how: How) -> list[list[Any]]:
    """A machine's name with its probability."""
    return [[name, values.get("probability")]] if how.said_by == MACHINE else []


def values_of(cells: Mapping[str, str], how: How) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The checked values of the cells that are not empty, and what is wrong by the file's own column."""
    behaviour = cells.get("behaviour", "")
    values: dict[str, Any] = {
        "who": cells.get("who", "")[:200], "behaviour": "" if TALLY.fullmatch(behaviour) else behaviour[:60],
    }  # fmt: skip
    wrong: list[tuple[str, str]] = []
    share = real(0, 1, how.decimal)
    checks = {
        "count": whole(0, 100_000), "probability": share, "sex": one_of(*SEXES), "life_stage": one_of(*LIFE_STAGES),
        **dict.fromkeys(BOX, share),
    }  # fmt: skip
    for role, check in checks.items():
        cell = cells.get(role, "")
        if cell and not (role in BESIDE and TALLY.fullmatch(cell)):
            try:
                values[role] = check(cell.lower() if role in ("sex", "life_stage") else cell)
            except ValueError as error:
                wrong.append((how.columns[role], str(error)))
    moment = cells.get("time") or " ".join(cells[each] for each in ("date", "clock") if cells.get(each))
    if moment:
        try:
            values["taken_at"] = clock(moment)
        except Wrong as error:
            wrong.append((how.columns.get("time") or how.columns.get("date", "time"), str(error)))
    sides = [values.pop(side) for side in BOX if side in values]
    if sides:
        values["box"] = corners(sides)
        if values["box"] is None:
            wrong.append((how.columns.get("box_x", "box"), "these four are no box within the photo"))
    return {each: value for each, value in values.items() if value != ""}, wrong
