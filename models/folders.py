"""Which deployment a photo belongs to, by the folders of its path.

By default the first folder below the batch is the deployment (DECISIONS 14). A project may say more with a pattern of the
folders, `{site}/{camera}/*`: deployments are then a function of path and pattern, so that applying another pattern, or taking one
back, puts every photo where that one says, and nothing is lost.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from functools import lru_cache

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, utc_now
from models.deployment import Deployment, folder_of
from models.errors import Invalid
from models.site import Site

NAMED = ("deployment", "site", "camera", "date")
ANY = "any"
AT_MOST = 3  # placeholders in the name of one folder: with more, what belongs to which is a guess, and a slow one
LONGEST = 200
TOKEN = re.compile(r"\{([^{}]*)\}|(\*)|([^{}*]+)")
DATE = r"(?P<date>\d{4}[-_.]?\d{2}[-_.]?\d{2})"


class FolderPattern(Base):
    """A pattern that a person applied; the newest that was not taken back counts."""

    __tablename__ = "folder_pattern"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    pattern: Mapped[str] = mapped_column(String(LONGEST))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    made_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    taken_back_at: Mapped[dt.datetime | None]
    taken_back_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))

    @classmethod
    def standing(cls, session: Session, project_id: int) -> FolderPattern | None:
        """The one that counts; none: the first folder is the deployment."""
        here = select(cls).where(cls.project_id == project_id, cls.taken_back_at.is_(None))
        return session.scalars(here.order_by(cls.id.desc()).limit(1)).first()


@dataclass(frozen=True)
class Named:
    """What a path says. Empty: the pattern does not speak of it."""

    deployment: str
    site: str = ""
    camera: str = ""


@dataclass(frozen=True)
class Pattern:
    """A pattern of the folders of a path, read. Build with Pattern.read()."""

    text: str
    folders: re.Pattern[str] = field(repr=False)

    @classmethod
    def read(cls, text: str) -> Pattern:
        """Raises Invalid for a text that is no pattern, and says why."""
        cleaned = text.strip().strip("/")
        if not cleaned or len(cleaned) > LONGEST or "\0" in cleaned:
            raise Invalid(f"pattern: 1 to {LONGEST} characters, like {{site}}/{{camera}}/*")
        parts = cleaned.split("/")
        while len(parts) > 1 and parts[-1] == "*":  # what comes behind the last folder is free anyway
            parts.pop()
        used: set[str] = set()
        expressions = [folder_expression(part, used) for part in parts]
        if not used & {"deployment", "site", "camera"}:
            raise Invalid("pattern: name at least one of {deployment}, {site} and {camera}")
        return cls(cleaned, re.compile("/".join(expressions) + "(?:/.*)?", re.DOTALL))

    def match(self, path: str) -> Named | None:
        """What the folders of a photo's path say; None where they do not match. The file's own name is never looked at."""
        folders, slash, _file = path.rpartition("/")
        found = self.folders.fullmatch(folders) if slash else None
        if found is None:
            return None
        said = {name: value.strip() for name, value in found.groupdict().items()}
        if not all(said.values()):
            return None
        name = said.get("deployment") or "/".join(said[each] for each in NAMED if each in said)
        return Named(name[:255], said.get("site", "")[:255], said.get("camera", "")[:100])


def folder_expression(part: str, used: set[str]) -> str:
    """The regular expression of one folder. used: the placeholders so far; they grow. Raises Invalid."""
    if not part:
        raise Invalid("pattern: two slashes stand side by side")
    if "".join(match.group(0) for match in TOKEN.finditer(part)) != part:
        raise Invalid(f"pattern: a brace of {part[:40]!r} has no partner")
    expression, holes, beside = "", 0, False
    for match in TOKEN.finditer(part):
        name, star, literal = match.groups()
        if literal is not None:
            expression, beside = expression + re.escape(literal), False
            continue
        if beside:
            raise Invalid(f"pattern: in {part[:40]!r} something must stand between two placeholders, like _ or -")
        expression, beside, holes = expression + hole(name or "", bool(star), used), True, holes + 1
    if holes > AT_MOST:
        raise Invalid(f"pattern: at most {AT_MOST} placeholders in the name of one folder")
    return expression


def hole(name: str, star: bool, used: set[str]) -> str:
    """The expression of a placeholder."""
    if star:
        return "[^/]*?"
    if name == ANY:
        return "[^/]+?"
    if name not in NAMED:
        raise Invalid(f"pattern: {{{name[:20]}}} is not one of {', '.join(f'{{{each}}}' for each in (*NAMED, ANY))}")
    if name in used:
        raise Invalid(f"pattern: {{{name}}} stands there twice")
    used.add(name)
    return DATE if name == "date" else f"(?P<{name}>[^/]+?)"


read_pattern = lru_cache(maxsize=64)(Pattern.read)


def deployment_of(session: Session, project_id: int, path: str, *, otherwise: str) -> Deployment:
    """The deployment of a photo that comes in, made when it is new. otherwise: for a photo outside every folder."""
    standing = FolderPattern.standing(session, project_id)
    named = read_pattern(standing.pattern).match(path) if standing else None
    return place(session, project_id, named or Named(folder_of(path, otherwise)))


def place(session: Session, project_id: int, named: Named) -> Deployment:
    """The deployment of this name; it learns its site and camera where nobody has said them."""
    deployment = Deployment.of_folder(session, project_id, named.deployment)
    if named.site and deployment.site_id is None:
        deployment.site_id = Site.of_name(session, project_id, named.site).id
    if named.camera and not deployment.camera:
        deployment.camera = named.camera
    return deployment
