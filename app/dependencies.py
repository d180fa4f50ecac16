"""What a route may ask for: a session, the signed-in person, a project with the right to act in it.

The doorway: a writing session is committed here, once, before the answer leaves (scope="function"; DECISIONS 6).
"""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends
from sqlalchemy.orm import Session
from starlette.requests import Request

from app.languages import Languages
from app.security.passwords import SignInLimit
from app.security.sessions import token_of
from app.security.tokens import BadTokenLimit
from models.base import utc_now
from models.database import Database
from models.errors import Busy, NotAllowed, NotSignedIn, NotYours
from models.membership import Membership, Role
from models.project import Project
from models.session import UserSession
from models.settings import Settings
from models.storage import Store
from models.user import User
from models.words import say

LARGEST_ID = 2**31 - 1  # beyond it no row can be, and SQLite would not even take the question


@dataclass(frozen=True)
class House:
    """What one process holds: settings, database, store, limits, languages. Lies at app.state.house."""

    settings: Settings
    database: Database
    store: Store
    sign_in_limit: SignInLimit
    languages: Languages
    bad_token_limit: BadTokenLimit = field(default_factory=BadTokenLimit)


def get_house(request: Request) -> House:
    """The process's one house."""
    house: House = request.app.state.house
    return house


async def get_reading(house: Annotated[House, Depends(get_house)]) -> AsyncIterator[Session]:
    """A session that sees one snapshot."""
    async with house.database.reading_async() as session:
        yield session


async def get_writing(house: Annotated[House, Depends(get_house)]) -> AsyncIterator[Session]:
    """A session that commits when the route ends well, before the answer is sent."""
    async with house.database.writing_async() as session:
        yield session


InHouse = Annotated[House, Depends(get_house)]
Reading = Annotated[Session, Depends(get_reading, scope="function")]
Writing = Annotated[Session, Depends(get_writing, scope="function")]


def signed_in(request: Request, session: Session) -> User:
    """The person of the cookie. Raises NotSignedIn."""
    token = token_of(request)
    found = UserSession.alive(session, token) if token else None
    if found is None:
        raise NotSignedIn(say("Sign in first."))
    request.state.user = found.user
    request.state.sign_in = found
    get_house(request).languages.of(found.user.language)
    return found.user


def touch(request: Request, house: House) -> None:
    """Remember that the person is still here; when the writers' line is busy, the next request does it."""
    sign_in: UserSession = request.state.sign_in
    if sign_in.needs_touch:
        with contextlib.suppress(Busy), house.database.writing(timeout_s=0.2) as session:
            session.get_one(UserSession, sign_in.id).last_seen_at = utc_now()


def reading_user(request: Request, session: Reading, house: InHouse) -> User:
    """The signed-in person, for a route that only reads."""
    user = signed_in(request, session)
    touch(request, house)
    return user


def writing_user(request: Request, session: Writing) -> User:
    """The signed-in person, for a route that writes; the touch rides along in the same transaction."""
    user = signed_in(request, session)
    if request.state.sign_in.needs_touch:
        request.state.sign_in.last_seen_at = utc_now()
    return user


ReadingUser = Annotated[User, Depends(reading_user)]
WritingUser = Annotated[User, Depends(writing_user)]


@dataclass(frozen=True)
class Access:
    """A member in a project, with the session in which the right was checked."""

    session: Session
    user: User
    project: Project
    role: Role

    def may(self, least: Role | str) -> bool:
        """Whether the role suffices; templates ask too."""
        return self.role.rank >= Role(least).rank


def access(session: Session, user: User, project_id: int, least: Role, *, deleted: bool = False) -> Access:
    """Raises NotYours for strangers (404), NotAllowed for members below the role (403). A project that is deleted is nobody's,
    except where it can be brought back (deleted)."""
    if not 0 < project_id <= LARGEST_ID:
        raise not_yours()
    membership = Membership.require(session, project_id, user.id, least)
    project = session.get_one(Project, project_id)
    if project.deletion_id is not None and not deleted:
        raise not_yours()
    return Access(session, user, project, Role(membership.role))


class InProject:
    """Dependency: the member of the project in the path, for reading."""

    def __init__(self, least: Role) -> None:
        """least: the role that suffices."""
        self.least = least

    def __call__(self, project_id: int, session: Reading, user: ReadingUser) -> Access:
        """project_id comes from the path."""
        return access(session, user, project_id, self.least)


class ActingInProject(InProject):
    """The same in a writing session. In an archived project nobody acts."""

    def __call__(self, project_id: int, session: Writing, user: WritingUser) -> Access:
        """project_id comes from the path."""
        found = access(session, user, project_id, self.least)
        found.project.expect_open()
        return found


class KeptProject(InProject):
    """The member of the project in the path, for reading: also of one that is deleted and can be brought back."""

    def __call__(self, project_id: int, session: Reading, user: ReadingUser) -> Access:
        """project_id comes from the path."""
        return access(session, user, project_id, self.least, deleted=True)


class KeepingProject(InProject):
    """The same for who archives, deletes and brings back: also where the project is archived or deleted."""

    def __call__(self, project_id: int, session: Writing, user: WritingUser) -> Access:
        """project_id comes from the path."""
        return access(session, user, project_id, self.least, deleted=True)


Viewer = Annotated[Access, Depends(InProject(Role.viewer))]
Annotator = Annotated[Access, Depends(InProject(Role.annotator))]
Expert = Annotated[Access, Depends(InProject(Role.expert))]
Admin = Annotated[Access, Depends(InProject(Role.admin))]
ActingExpert = Annotated[Access, Depends(ActingInProject(Role.expert))]
ActingViewer = Annotated[Access, Depends(ActingInProject(Role.viewer))]
ActingAnnotator = Annotated[Access, Depends(ActingInProject(Role.annotator))]
KeptAdmin = Annotated[Access, Depends(KeptProject(Role.admin))]
KeepingAdmin = Annotated[Access, Depends(KeepingProject(Role.admin))]
ActingAdmin = Annotated[Access, Depends(ActingInProject(Role.admin))]


def site_admin(user: WritingUser) -> User:
    """Somebody who may make projects and accounts."""
    return only_site_admin(user)


def reading_site_admin(user: ReadingUser) -> User:
    """The same, for a route that only reads."""
    return only_site_admin(user)


def only_site_admin(user: User) -> User:
    """Raises NotAllowed for everybody else."""
    if not user.is_admin:
        raise NotAllowed(say("Only an administrator of this installation may do this."))
    return user


SiteAdmin = Annotated[User, Depends(site_admin)]
ReadingSiteAdmin = Annotated[User, Depends(reading_site_admin)]


def not_yours() -> NotYours:
    """The one sentence for what does not exist or is not yours."""
    return NotYours(say("This page does not exist, or is not yours to see."))
