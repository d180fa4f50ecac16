"""Who calls: the person of a bearer token, with the token's scope and the person's own role. Cookies count for nothing here.

Each route names its scope and its least role in one of these dependencies; the document and the tests read them from there.
"""

import contextlib
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path
from fastapi.security import HTTPBearer
from sqlalchemy.orm import Session
from starlette.requests import Request

from app.dependencies import LARGEST_ID, Access, House, InHouse, Reading, Writing, access, not_yours, only_site_admin
from app.imports.bringer import Bringer
from app.security.tokens import bearer_of
from app.uploads.sender import Sender, batch_of
from models.api_token import ApiToken, Scope
from models.audit import speaks_for
from models.base import utc_now
from models.box import Box
from models.errors import Busy, NotSignedIn
from models.image import Image
from models.membership import Role
from models.user import User
from models.words import say

Id = Annotated[int, Path(ge=1, le=LARGEST_ID)]
bearer = HTTPBearer(
    scheme_name="token",
    auto_error=False,
    description="A token of your account page: Account, Tokens. It begins with wh_.",
)


def token_of_request(request: Request, session: Session, house: House, scope: Scope | None) -> ApiToken:
    """The living token, with its person on the request. Raises NotSignedIn, TooManyTries, ScopeMissing."""
    text = bearer_of(request)
    if text is None:
        raise NotSignedIn(say("Send a token of your account page: Authorization: Bearer wh_..."))
    token = ApiToken.alive(session, text)
    if token is None:
        house.bad_token_limit.take(request.client.host if request.client else "unknown")
        raise NotSignedIn(say("This token does not work: it is none, was revoked or has expired."))
    token.require(scope)
    request.state.user = token.user
    return token


def reader(request: Request, session: Session, house: House, scope: Scope | None) -> User:
    """The person, for a route that only reads; that the token was used is written when the writers' line is free."""
    token = token_of_request(request, session, house, scope)
    if token.needs_touch:
        with contextlib.suppress(Busy), house.database.writing(timeout_s=0.2) as writing:
            writing.get_one(ApiToken, token.id).last_used_at = utc_now()
    return token.user


def writer(request: Request, session: Session, house: House, scope: Scope | None) -> User:
    """The person, for a route that writes; that the token was used rides along."""
    token = token_of_request(request, session, house, scope)
    if token.needs_touch:
        token.last_used_at = utc_now()
    speaks_for(session, token.name)
    return token.user


@dataclass(frozen=True)
class Needs:
    """scope: of the token; None: any. least: role in the project; None: the route belongs to no project."""

    scope: Scope | None
    least: Role | None = None


@dataclass(frozen=True)
class Calling:
    """A person, with the session in which the token was checked."""

    session: Session
    user: User


class Caller(Needs):
    """Dependency: the person, for reading."""

    def __call__(self, request: Request, session: Reading, house: InHouse) -> Calling:
        """No project."""
        return Calling(session, reader(request, session, house, self.scope))


class SiteAdmin(Needs):
    """Dependency: an administrator of the installation, in a writing session."""

    def __call__(self, request: Request, session: Writing, house: InHouse) -> Calling:
        """No project."""
        return Calling(session, only_site_admin(writer(request, session, house, self.scope)))


class InProject(Needs):
    """Dependency: the member of the project in the path, for reading."""

    def __call__(self, request: Request, project_id: Id, session: Reading, house: InHouse) -> Access:
        """project_id comes from the path."""
        return access(session, reader(request, session, house, self.scope), project_id, self.role)

    @property
    def role(self) -> Role:
        """The least role."""
        return self.least or Role.admin


class ActingInProject(InProject):
    """The same in a writing session. In an archived project nobody acts."""

    def __call__(self, request: Request, project_id: Id, session: Writing, house: InHouse) -> Access:
        """project_id comes from the path."""
        found = access(session, writer(request, session, house, self.scope), project_id, self.role)
        found.project.expect_open()
        return found


@dataclass(frozen=True)
class AtPhoto:
    """A photo and the member who asks for it."""

    access: Access
    photo: Image


@dataclass(frozen=True)
class AtBox:
    """A box and the member who asks for it or acts on it."""

    access: Access
    box: Box


class ToPhoto(InProject):
    """Dependency: a photo, for reading. A photo of another project is not there."""

    def __call__(self, request: Request, photo_id: Id, session: Reading, house: InHouse) -> AtPhoto:  # type: ignore[override]
        """photo_id comes from the path."""
        user = reader(request, session, house, self.scope)
        photo = session.get(Image, photo_id)
        if photo is None:
            raise not_yours()
        return AtPhoto(access(session, user, photo.project_id, self.role), photo)


class ActingAtPhoto(InProject):
    """Dependency: a photo, in a writing session."""

    def __call__(self, request: Request, photo_id: Id, session: Writing, house: InHouse) -> AtPhoto:  # type: ignore[override]
        """photo_id comes from the path."""
        user = writer(request, session, house, self.scope)
        photo = session.get(Image, photo_id)
        if photo is None:
            raise not_yours()
        found = access(session, user, photo.project_id, self.role)
        found.project.expect_open()
        return AtPhoto(found, photo)


class ToBox(InProject):
    """Dependency: a box, for reading."""

    def __call__(self, request: Request, box_id: Id, session: Reading, house: InHouse) -> AtBox:  # type: ignore[override]
        """box_id comes from the path."""
        return at_box(session, reader(request, session, house, self.scope), box_id, self.role)


class ActingAtBox(InProject):
    """Dependency: a box, in a writing session."""

    def __call__(self, request: Request, box_id: Id, session: Writing, house: InHouse) -> AtBox:  # type: ignore[override]
        """box_id comes from the path."""
        found = at_box(session, writer(request, session, house, self.scope), box_id, self.role)
        found.access.project.expect_open()
        return found


def at_box(session: Session, user: User, box_id: int, least: Role) -> AtBox:
    """Raises NotYours for strangers, NotAllowed for members below the role."""
    box = session.get(Box, box_id)
    if box is None:
        raise not_yours()
    return AtBox(access(session, user, box.project_id, least), box)


class Sending(InProject):
    """Dependency: who sends a file, checked in a session that ends before the bytes come (app/uploads/sender.py)."""

    def __call__(self, request: Request, project_id: Id, batch_id: Id, house: InHouse) -> Sender:  # type: ignore[override]
        """project_id and batch_id come from the path."""
        with house.database.reading() as session:
            user = reader(request, session, house, self.scope)
            access(session, user, project_id, self.role).project.expect_open()
            batch_of(session, project_id, batch_id)
            return Sender(user.id, project_id)


class Bringing(InProject):
    """Dependency: who brings a file of another tool, checked in a session that ends before the file is read."""

    def __call__(self, request: Request, project_id: Id, house: InHouse) -> Bringer:  # type: ignore[override]
        """project_id comes from the path."""
        with house.database.reading() as session:
            user = reader(request, session, house, self.scope)
            access(session, user, project_id, self.role).project.expect_open()
            return Bringer(user.id, project_id)


Known = Annotated[Calling, Depends(Caller(None))]
Reader = Annotated[Calling, Depends(Caller(Scope.read))]
ProjectMaker = Annotated[Calling, Depends(SiteAdmin(Scope.admin))]
Viewer = Annotated[Access, Depends(InProject(Scope.read, Role.viewer))]
Exporter = Annotated[Access, Depends(InProject(Scope.export, Role.viewer))]
ViewerAtPhoto = Annotated[AtPhoto, Depends(ToPhoto(Scope.read, Role.viewer))]
ViewerAtBox = Annotated[AtBox, Depends(ToBox(Scope.read, Role.viewer))]
Labeler = Annotated[Access, Depends(ActingInProject(Scope.label, Role.annotator))]
LabelerAtBox = Annotated[AtBox, Depends(ActingAtBox(Scope.label, Role.annotator))]
LabelerAtPhoto = Annotated[AtPhoto, Depends(ActingAtPhoto(Scope.label, Role.annotator))]
Uploader = Annotated[Access, Depends(ActingInProject(Scope.upload, Role.admin))]
FileSender = Annotated[Sender, Depends(Sending(Scope.upload, Role.admin))]
PlaceReader = Annotated[Access, Depends(InProject(Scope.read, Role.expert))]
PlaceEditor = Annotated[Access, Depends(ActingInProject(Scope.admin, Role.expert))]
FileBringer = Annotated[Bringer, Depends(Bringing(Scope.upload, Role.admin))]
ImportTaker = Annotated[Access, Depends(ActingInProject(Scope.upload, Role.admin))]
SpeciesAdder = Annotated[Access, Depends(ActingInProject(Scope.admin, Role.annotator))]
SpeciesEditor = Annotated[Access, Depends(ActingInProject(Scope.admin, Role.expert))]
Manager = Annotated[Access, Depends(ActingInProject(Scope.admin, Role.admin))]
