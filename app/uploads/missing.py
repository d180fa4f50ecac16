"""Which files of a folder are still needed: what a resumed upload need not send (LIBRARIES 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from models.batch import PASSED_OVER, REFUSED, Batch, clean_path
from models.database import CHUNK_ROWS
from models.errors import Invalid
from models.importing import shown
from models.words import retold, say

MOST_ASKED = 2000
HASH = r"^[0-9a-f]{64}$"


class Asked(BaseModel):
    """One file of the sender's folder. path: relative to the folder. sha256: only from senders who know it."""

    path: str = Field(max_length=4096)
    size: int = Field(ge=0, lt=1 << 50)
    sha256: str | None = Field(None, pattern=HASH)


@dataclass
class Missing:
    """The answer. needed: paths, exactly as they were asked. refused: (path, reason) of names that cannot be kept."""

    needed: list[str] = field(default_factory=list)
    known: int = 0
    duplicates: int = 0
    passed_over: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """For the script."""
        refused = [{"path": path, "reason": retold(reason)} for path, reason in self.refused]
        return {
            "needed": self.needed, "known": self.known, "duplicates": self.duplicates, "passed_over": self.passed_over,
            "refused": refused,
        }  # fmt: skip


def missing(session: Session, batch: Batch, asked: Sequence[Asked]) -> Missing:
    """Sort the files: known by path and size, here already by hash (recorded at once), passed over, impossible, needed."""
    if sum(file.sha256 is not None for file in asked) > CHUNK_ROWS:
        raise Invalid("files: " + say("at most %(chunk_rows)s with a sha256 at a time", chunk_rows=CHUNK_ROWS))
    answer = Missing()
    clean = cleaned(session, batch, asked, answer)
    known = batch.known(session, [path for path, _file in clean])
    for path, file in clean:
        earlier = known.get(path)
        if earlier is not None and earlier.size == file.size and file.sha256 in (None, earlier.sha256):
            answer.known += 1
        elif file.sha256 is not None and batch.duplicate(session, path, file.size, file.sha256):
            answer.duplicates += 1
        else:
            answer.needed.append(file.path)
    return answer


def cleaned(session: Session, batch: Batch, asked: Sequence[Asked], answer: Missing) -> list[tuple[str, Asked]]:
    """(path as the row keeps it, file); what is passed over or impossible goes into the answer."""
    clean: list[tuple[str, Asked]] = []
    for file in asked:
        if PASSED_OVER.search(file.path.replace("\\", "/")):
            answer.passed_over += 1
            continue
        try:
            clean.append((clean_path(file.path), file))
        except Invalid as error:
            batch.record(session, shown(file.path), file.size, None, REFUSED, str(error), None)
            answer.refused.append((file.path, str(error)))
    return clean
