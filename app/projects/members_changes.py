"""Changes of who is in a project: the last administrator stays, and every change is noted."""

from __future__ import annotations

from collections.abc import Mapping

from app.dependencies import Access
from app.projects.members_queries import release_leases
from models.act import Act
from models.audit import note
from models.errors import Changed, Invalid, NotAllowed
from models.membership import Membership, Role
from models.user import User, clean_email
from models.words import say


def add_member(access: Access, typed: Mapping[str, str]) -> list[User]:
    """Give a role to the person of this address. Returns the account when it was made for this, and waits for its link."""
    session, project = access.session, access.project
    role = role_of(typed["role"])
    project.lock(session)
    act = first_time(access, typed)
    if act is not None and act.answer:  # the same click again: the link of the first answer may never have arrived
        again = session.get_one(User, act.answer["user_id"])
        return [again] if act.answer["made"] and again.password_hash is None else []
    person = User.by_email(session, typed["email"])
    made = person is None
    if person is None:
        person = User.register(
            session, typed["email"], typed["name"].strip() or clean_email(typed["email"]).split("@")[0]
        )
    elif person.disabled_at is not None:
        raise Invalid("email: " + say("the account of %(email)s is disabled", email=person.email))
    elif Membership.of(session, project.id, person.id) is not None:
        raise Invalid(
            "email: " + say("%(name)s is in the project already. Change the role in the list.", name=person.name)
        )
    Membership.grant(session, project.id, person.id, role)
    note(
        session,
        "member.added",
        user=access.user,
        project_id=project.id,
        name=person.name,
        email=person.email,
        role=role,
    )
    if act is not None:
        act.answer = {"user_id": person.id, "made": made}
    return [person] if made else []


def first_time(access: Access, typed: Mapping[str, str]) -> Act | None:
    """The act of the form's hidden key, with its answer when it was sent before; None for a script without a key."""
    body = {"email": typed["email"], "role": typed["role"], "name": typed["name"]}
    key = typed["idempotency_key"]
    return Act.once(access.session, access.user.id, key, "form", body, access.project.id)[0] if key else None


def change_role(access: Access, member: Membership, role: str, was: str) -> None:
    """Raises Conflict for the last administrator, Changed when somebody else gave another role since the page was read."""
    session, wanted = access.session, role_of(role)
    access.project.lock(session)
    session.refresh(member)
    old = Role(member.role)
    if wanted == old:
        return
    if was and was != old:
        raise Changed(
            say(
                "Somebody made %(name)s %(old_value)s since you opened the page. Look again.",
                name=member.user.name,
                old_value=old.value,
            )
        )
    if member.user_id == access.user.id and wanted.rank > access.role.rank:
        raise NotAllowed(say("Nobody raises the own role."))
    Membership.grant(session, access.project.id, member.user_id, wanted)
    if wanted == Role.viewer:
        release_leases(session, access.project.id, member.user_id)
    note(
        session, "member.role", user=access.user, project_id=access.project.id, name=member.user.name,
        changes={"role": [old.value, wanted.value]},
    )  # fmt: skip


def remove_member(access: Access, member: Membership, typed_name: str) -> None:
    """Raises Invalid when the name was not typed, Conflict for the last administrator."""
    session, person = access.session, member.user
    if " ".join(typed_name.split()).casefold() != person.name.casefold():
        raise Invalid("name: " + say("type %(name)s to leave this member out", name=person.name))
    access.project.lock(session)
    session.refresh(member)
    role = member.role
    member.remove(session)
    release_leases(session, access.project.id, person.id)
    note(session, "member.removed", user=access.user, project_id=access.project.id, name=person.name, role=role)


def role_of(role: str) -> Role:
    """Raises Invalid for a role that is none."""
    if role not in {each.value for each in Role}:
        raise Invalid("role: " + say("choose administrator, expert, annotator or viewer"))
    return Role(role)
