"""Who is in a project, and what each may do there."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, StrictStr
from starlette.requests import Request

from app.api.access import Id, Manager, Viewer
from app.api.shapes import KEY, Listed, Moment, Sent, Shape
from app.dependencies import Access, InHouse
from app.links import link_address
from app.projects.members_changes import add_member, change_role, remove_member
from app.projects.members_queries import Member, member, members
from models.membership import Membership, Role
from models.session import OneTimeLink
from models.user import User

router = APIRouter(tags=["Members"])


class MemberShape(Shape):
    """One person in a project. Addresses and when somebody was here are for its administrators."""

    user_id: int
    name: str
    role: Role
    disabled: bool = Field(description="The account is disabled; what the person said stays.")
    answers: int = Field(description="Boxes that the person named.")
    email: str | None = None
    last_seen_at: Moment | None = None


class Added(MemberShape):
    """Who was let in."""

    join_link: str | None = Field(
        None,
        description="Where the account was made for this: the link that the person opens to choose a password. Once.",
    )


class NewMember(Sent):
    """A person to let in; an unknown address gets an account."""

    email: Annotated[StrictStr, Field(max_length=320)]
    name: Annotated[StrictStr, Field(max_length=200)] = ""
    role: Role
    idempotency_key: Annotated[StrictStr, KEY]


class RoleChange(Sent):
    """Another role."""

    role: Role
    was: Role | None = Field(
        None, description="The role that you read: when it is another one by now, the answer is 412."
    )


@router.get("/projects/{project_id}/members")
def list_members(access: Viewer) -> Listed[MemberShape]:
    """Administrators first, then by name."""
    everything = access.may(Role.admin)
    items = [shape_of(each, everything=everything) for each in members(access.session, access.project.id)]
    return Listed[MemberShape](items=items)


@router.post("/projects/{project_id}/members", status_code=201)
def add(request: Request, access: Manager, new: NewMember, house: InHouse) -> Added:
    """Let somebody in."""
    typed = {"email": new.email, "name": new.name, "role": new.role.value, "idempotency_key": new.idempotency_key}
    made = add_member(access, typed)
    link = None
    if made:
        link = link_address(
            request, house.settings, "join", OneTimeLink.make(access.session, made[0], "join", by=access.user)
        )
    person = made[0] if made else User.by_email(access.session, new.email)
    found = member(access.session, access.project.id, person.id if person else 0)
    return Added(**changed(access, found).model_dump(), join_link=link)


@router.patch("/projects/{project_id}/members/{user_id}")
def set_role(access: Manager, user_id: Id, change: RoleChange) -> MemberShape:
    """Another role. The last administrator of a project keeps the role: 409."""
    found = member(access.session, access.project.id, user_id)
    change_role(access, found, change.role.value, change.was.value if change.was else "")
    return changed(access, found)


@router.delete("/projects/{project_id}/members/{user_id}", status_code=204)
def remove(access: Manager, user_id: Id) -> None:
    """Out of the project; what the person said stays."""
    found = member(access.session, access.project.id, user_id)
    remove_member(access, found, found.user.name)


def changed(access: Access, found: Membership) -> MemberShape:
    """The member as it is now."""
    access.session.flush()
    everybody = members(access.session, access.project.id)
    return shape_of(next(each for each in everybody if each.membership.id == found.id), everything=True)


def shape_of(one: Member, *, everything: bool) -> MemberShape:
    """everything: also what only administrators see."""
    person = one.membership.user
    more = {"email": person.email, "last_seen_at": one.last_seen_at} if everything else {}
    return MemberShape(
        user_id=person.id, name=person.name, role=Role(one.membership.role), disabled=person.disabled_at is not None,
        answers=one.answers, **more,
    )  # fmt: skip
