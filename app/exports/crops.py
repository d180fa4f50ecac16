"""Crops by species as folders: <species>/<photo>_<box>.jpg of 256 x 256 pixels, and crops.csv with who or what says so.

For training elsewhere and for looking through. Photos of people stay out unless they may go, and so does a crop on which the box
of a person lies, however low its score (PRACTICE 1.5). A crop whose file is not there is named in the manifest.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from app.cells import guard, line
from app.exports.columns import probability, yes_no
from app.exports.enclosing import enclose
from app.exports.naming import HUMAN, PREDICTED, Said
from app.exports.queries import CHUNK, CountedBox, Photo
from app.exports.sinks import Archive, ByteSink, Later
from app.exports.study import Study
from models.privacy import HIDDEN, Corners, people_on, veils

COLUMNS = (
    "crop",
    "file",
    "deployment",
    "species",
    "scientific_name",
    "source",
    "probability",
    "who",
    "certain",
    "checkpoint",
    "score",
)
LETTERS = 60  # of a name in a path
MOST_NAMES = 1000  # of missing crops in the manifest


def write(study: Study, sink: ByteSink) -> None:
    """A zip that is written as the crops are read. Memory: about 0.6 kB a crop, for the list of members at the end of a zip."""
    folders, index, missing, rows, lacking = Folders(study), Later(), list[str](), 0, 0
    index.write(line(COLUMNS))
    with Archive(sink) as archive:
        for photo, said, box in pictured(study):
            path = study.store.crop(photo.row.sha256, box.id)
            content = content_of(path)
            if content is None:
                lacking += 1
                if lacking <= MOST_NAMES:
                    missing.append(f"{photo.path} {box.id}")
                continue
            name = f"{folders.of(said)}/{file_word(Path(photo.path).stem)}_{photo.id}_{box.id}.jpg"
            archive.picture(name, content)
            index.write(line(cells(study, name, photo, said, box)))
            rows += 1
        archive.taken("crops.csv", index, rows)
        enclose(archive, study, "crops", missing=lacking, missing_crops=missing)


def pictured(study: Study) -> Iterator[tuple[Photo, Said, CountedBox]]:
    """Every counted box of a photo whose crop may go out, photo by photo."""
    photos = study.photos()
    while chunk := list(itertools.islice(photos, CHUNK)):
        ids = [photo.id for photo, _said in chunk]
        hidden = set[int]()
        people = dict[int, list[Corners]]()
        if not study.options.people:
            hidden = {id_ for id_, veil in veils(study.session, ids).items() if veil.kind == HIDDEN}
            people = people_on(study.session, ids)
        for photo, said in chunk:
            if photo.id not in hidden:
                for each, box in zip(said, photo.boxes, strict=True):
                    if not any(overlap(box.corners, other) for other in people.get(photo.id, ())):
                        yield photo, each, box


def overlap(one: Corners, other: Corners) -> bool:
    """Whether two boxes share some of the photo."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def content_of(path: Path) -> bytes | None:
    """The crop; None where there is no file or it is empty."""
    try:
        return path.read_bytes() or None
    except OSError:
        return None


class Folders:
    """One folder a name: two species whose names look alike as folders keep apart by their ids."""

    def __init__(self, study: Study) -> None:
        """All names are known beforehand, so a folder's name does not hang on the order of the photos."""
        words = {id_: folder_word(each.species.name) for id_, each in study.taxa.items()}
        times = Counter(word.casefold() for word in words.values())
        self._of = {id_: word if times[word.casefold()] == 1 else f"{word}_{id_}" for id_, word in words.items()}

    def of(self, said: Said) -> str:
        """The folder of what a box is called."""
        return self._of.get(said.species_id or 0) or said.word


def cells(study: Study, name: str, photo: Photo, said: Said, box: CountedBox) -> Iterator[str]:
    """One row of crops.csv."""
    by_classifier = said.source == PREDICTED and said.probability is not None
    checkpoint = study.naming.checkpoint(study.naming.classifier_id if by_classifier else photo.detector_id)
    yield guard(name)
    yield guard(photo.path)
    yield guard(photo.deployment)
    yield guard(said.word)
    yield guard(said.scientific_name)
    yield said.source
    yield probability(said.probability)
    yield guard(said.who) if said.source == HUMAN else ""
    yield yes_no(said.certain)
    yield guard(checkpoint)
    yield f"{box.score:.3f}"


def folder_word(name: str) -> str:
    """A name of any script that every system takes as a folder: no signs that one of them forbids, no dots at its ends."""
    return re.sub(r"[^\w.-]+", "_", name).strip("_.-")[:LETTERS].rstrip("_.-") or "species"


def file_word(name: str) -> str:
    """The same for a file."""
    return folder_word(name)
