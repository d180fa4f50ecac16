"""The files of a bundle: photos under their hashes, everything else under the ids that its rows got here."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import load, save
from sqlalchemy import update

from models.batch import Batch
from models.checkpoint import CLASSIFIER, Checkpoint
from models.database import Database
from models.errors import Invalid
from models.oldnew import OldNew
from models.pack import Member
from models.parts import VectorPart
from models.predictions import SUFFIX, Part, write_part
from models.storage import Store
from models.vectors import read_ids, read_vectors, write_vectors
from models.words import say

FILES = re.compile(
    r"(originals|thumbnails|previews|crops|boxes|weights|predictions|vectors|parts)/([\w.-]+)(?:/([\w. -]+))?$"
)
HASH = re.compile(r"[0-9a-f]{64}")


class Files:
    """Takes one member after the other. What a file changes about its row is written at the end."""

    def __init__(
        self, database: Database, store: Store, ids: Mapping[str, OldNew], checkpoint: Callable[[int], int | None],
        file_name: Callable[[str], str],
    ) -> None:  # fmt: skip
        """ids: of the rows. checkpoint: old id -> new. file_name: of a vectors file."""
        self._database, self._store, self._ids = database, store, ids
        self._checkpoint, self._file_name = checkpoint, file_name
        self._takers = {
            "originals": self._original, "thumbnails": self._picture, "previews": self._picture, "crops": self._crop,
            "boxes": self._boxes, "weights": self._weights, "predictions": self._predictions, "vectors": self._vectors,
            "parts": self._part,
        }  # fmt: skip

    def take(self, member: Member) -> None:
        """Raises Invalid for a name that is none of ours."""
        found = FILES.match(member.name)
        if found is None:
            raise Invalid(
                say("the bundle has a member that this program does not know: %(name)s", name=member.name[:80])
            )
        self._takers[found.group(1)](member, found.group(2), found.group(3) or "")

    def _original(self, member: Member, sha256: str, _rest: str) -> None:
        place = self._store.original(hash_in(member, sha256))
        if place.is_file() and place.stat().st_size == member.size:
            return
        if self._store.receive(member.chunks()).sha256 != sha256:
            raise Invalid(say("%(name)s has other bytes than its name says", name=member.name))

    def _picture(self, member: Member, sha256: str, _rest: str) -> None:
        place = self._store.thumbnail if member.name.startswith("thumb") else self._store.preview
        self._store.write_cheaply(place(hash_in(member, sha256)), member.file.read())

    def _crop(self, member: Member, sha256: str, box_id: str) -> None:
        here = self._ids["box"].get(number_in(member, box_id))
        if here is not None:
            self._store.write_cheaply(self._store.crop(hash_in(member, sha256), here), member.file.read())

    def _boxes(self, member: Member, batch_id: str, _rest: str) -> None:
        content = member.file.read()
        place = self._store.root / "boxes" / f"{hashlib.sha256(content).hexdigest()}.json"
        self._store.write(place, content)
        here = self._ids["batch"].get(number_in(member, batch_id))
        with self._database.writing() as session:
            session.execute(update(Batch).where(Batch.id == here).values(boxes_file=self._store.relative(place)))

    def _network(self, member: Member, old: str) -> Checkpoint:
        with self._database.reading() as session:
            found = session.get(Checkpoint, self._checkpoint(number_in(member, old)) or 0)
        if found is None:
            raise Invalid(say("%(name)s belongs to no row of the bundle", name=member.name))
        return found

    def _weights(self, member: Member, old: str, _rest: str) -> None:
        """A classifier's outputs mean the species of this project."""
        network, content = self._network(member, old), member.file.read()
        if network.kind == CLASSIFIER:
            arrays = load(content)
            species = [self._ids["species"].get(int(each)) or 0 for each in arrays["classes"]]
            content = save(arrays | {"classes": np.array(species, np.int64)})
            with self._database.writing() as session:
                session.get_one(Checkpoint, network.id).sha256 = hashlib.sha256(content).hexdigest()
        self._store.write(self._store.root / network.file, content)

    def _predictions(self, member: Member, old: str, name: str) -> None:
        network = self._network(member, old)
        with tempfile.TemporaryDirectory(dir=self._store.root / "staging") as folder:
            part = Part(kept(member, Path(folder)))
            here, ids = self._ids["box"].many(part.box_ids)
            classes = [self._ids["species"].get(each) or 0 for each in part.classes]
            into = self._store.root / network.predictions
            write_part(self._store, into, name.removesuffix(SUFFIX), ids, part.probabilities[here], classes)

    def _vectors(self, member: Member, old: str, name: str) -> None:
        place = self._store.vectors(self._network(member, old).id, self._file_name(name))
        self._store.write(place, member.file.read())

    def _part(self, member: Member, old: str, name: str) -> None:
        embedder = self._network(member, old)
        project_id = self._ids["project"].first
        place = self._store.vector_parts(embedder.id, project_id) / name
        with tempfile.TemporaryDirectory(dir=self._store.root / "staging") as folder:
            path = kept(member, Path(folder))
            here, ids = self._ids["box"].many(read_ids(path))
            write_vectors(self._store, place, np.array(read_vectors(path))[here], ids=ids)
        mine = (VectorPart.project_id == project_id, VectorPart.embedder_id == embedder.id, VectorPart.name == name)
        with self._database.writing() as session:
            session.execute(update(VectorPart).where(*mine).values(rows=len(ids), size=place.stat().st_size))


def kept(member: Member, folder: Path) -> Path:
    """The member as a file that can be mapped."""
    path = folder / "member"
    with path.open("wb") as file:
        for chunk in member.chunks():
            file.write(chunk)
    return path


def hash_in(member: Member, text: str) -> str:
    """Raises Invalid unless it is one."""
    if not HASH.fullmatch(text):
        raise Invalid(say("the bundle has a member that this program does not know: %(name)s", name=member.name[:80]))
    return text


def number_in(member: Member, text: str) -> int:
    """Raises Invalid unless it is one."""
    if not text.isascii() or not text.isdecimal():
        raise Invalid(say("the bundle has a member that this program does not know: %(name)s", name=member.name[:80]))
    return int(text)
