"""A pattern against the folders that the project's photos have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.dependencies import Access
from models.audit import note
from models.base import utc_now
from models.batch import Batch
from models.clock import standing
from models.deployment import Deployment, folder_of
from models.folders import FolderPattern, Named, Pattern
from models.image import Image
from models.placing import ask_to_place

SHOWN = 300


@dataclass(frozen=True)
class Folder:
    """One folder with photos. named: what the pattern says of it; none: it does not match, and stays as by default."""

    path: str
    photos: int
    named: Named | None
    default: str


@dataclass(frozen=True)
class Seen:
    """What a pattern makes of a project. corrected: deployments that lose photos and have corrections of their clocks."""

    pattern: Pattern
    folders: Sequence[Folder]
    deployments: int
    sites: int
    matching: int
    photos: int
    unmatched_photos: int
    corrected: Sequence[str]


def preview(session: Session, project_id: int, text: str) -> Seen:
    """Reads every path once: about two seconds a million photos. Raises Invalid for a text that is no pattern."""
    pattern = Pattern.read(text)
    directory = func.rtrim(Image.path, func.replace(Image.path, "/", ""))
    rows = session.execute(
        select(directory, Batch.name, Image.deployment_id, func.count())
        .join(Batch, Batch.id == Image.batch_id)
        .where(Image.project_id == project_id)
        .group_by(directory, Batch.name, Image.deployment_id)
    )
    counted: Counter[tuple[str, str]] = Counter()
    named: dict[str, Named | None] = {}
    leaving: dict[int, set[str]] = {}
    for path, batch, deployment_id, count in rows:
        said = named.setdefault(path, pattern.match(path + "x"))
        default = folder_of(path + "x", batch)
        counted[path, "" if said else default] += count
        leaving.setdefault(deployment_id, set()).add(said.deployment if said else default)
    found = [
        Folder(path or "/", count, named[path], default)
        for (path, default), count in sorted(counted.items(), key=lambda each: (named[each[0][0]] is not None, each[0]))
    ]
    matching = [each for each in found if each.named]
    return Seen(
        pattern, found,
        len({each.named.deployment for each in matching if each.named}),
        len({each.named.site for each in matching if each.named and each.named.site}),
        len(matching), sum(each.photos for each in matching), sum(each.photos for each in found if not each.named),
        losing_corrections(session, leaving),
    )  # fmt: skip


def losing_corrections(session: Session, leaving: dict[int, set[str]]) -> list[str]:
    """Names of deployments with standing corrections whose photos would go elsewhere."""
    corrected = standing(session, list(leaving))
    names = dict(
        session.execute(select(Deployment.id, Deployment.name).where(Deployment.id.in_(list(corrected)))).all()
    )
    return sorted(names[each] for each in corrected if leaving[each] != {names[each]})


def apply(access: Access, text: str) -> None:
    """The pattern counts from now on. Raises Invalid for a text that is no pattern; the same again changes nothing."""
    session, project = access.session, access.project
    pattern = Pattern.read(text)
    project.lock(session)
    before = FolderPattern.standing(session, project.id)
    if before is not None and before.pattern == pattern.text:
        return
    session.add(FolderPattern(project_id=project.id, pattern=pattern.text, user_id=access.user.id))
    session.flush()
    note(session, "folders.applied", user=access.user, project_id=project.id, pattern=pattern.text)
    ask_to_place(session, project)


def take_back(access: Access, pattern_id: str) -> None:
    """The one before counts again. pattern_id: the one that the page showed, so that a second click changes nothing."""
    session, project = access.session, access.project
    project.lock(session)
    last = FolderPattern.standing(session, project.id)
    if last is None or str(last.id) != pattern_id:
        return
    last.taken_back_at, last.taken_back_by_id = utc_now(), access.user.id
    session.flush()
    note(session, "folders.taken_back", user=access.user, project_id=project.id, pattern=last.pattern)
    ask_to_place(session, project)
