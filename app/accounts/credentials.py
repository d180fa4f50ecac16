"""Passwords are verified and hashed here, before a route stands in the line of writers: argon2 takes longer than a label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Form
from starlette.requests import Request

from app.dependencies import House, InHouse, signed_in
from app.security.passwords import hash_password, is_password_of
from models.errors import DomainError, Invalid, TooManyTries
from models.session import OneTimeLink
from models.user import User, clean_email
from models.words import say, say_many

Text = Annotated[str, Form()]


@dataclass(frozen=True)
class SignIn:
    """What came of an email and a password: a person, or the reason why not."""

    email: str
    user_id: int = 0
    error: DomainError | None = None


@dataclass(frozen=True)
class Chosen:
    """A new password as its hash, or the reason why not."""

    hash: str = ""
    error: DomainError | None = None


def sign_in_of(request: Request, house: InHouse, email: Text = "", password: Text = "") -> SignIn:
    """Whose email and password these are. An unknown, a disabled and a known person take the same time."""
    with house.database.reading() as session:
        user = User.by_email(session, email)
        error = refusal_of(
            request, house, user, clean_email(email)[:320], password, say("Email and password do not belong together.")
        )
        return SignIn(email, error=error) if error or user is None else SignIn(email, user.id)


def change_of(request: Request, house: InHouse, old_password: Text = "", password: Text = "") -> Chosen:
    """A signed-in person's new password, when the old one is right. Raises NotSignedIn."""
    with house.database.reading() as session:
        user = signed_in(request, session)
        error = refusal_of(request, house, user, user.email, old_password, say("This is not your password."))
    return Chosen(error=Invalid(f"old_password: {error}")) if error else hashed(password)


def choice_of(token: str, house: InHouse, password: Text = "") -> Chosen:
    """The password of somebody with a one-time link. Raises Invalid for a spent link, before anything is hashed."""
    with house.database.reading() as session:
        OneTimeLink.usable(session, token)
    return hashed(password)


def refusal_of(
    request: Request, house: House, user: User | None, email: str, password: str, words: str
) -> DomainError | None:
    """None when the password is the user's; otherwise the words, and how many tries are left."""
    address = request.client.host if request.client else "unknown"
    try:
        left = house.sign_in_limit.take(address, email)
    except TooManyTries as error:
        return error
    if is_password_of(user, password):
        house.sign_in_limit.forget(address, email)
        return None
    return Invalid(f"{words} {tries_left(left)}")


def tries_left(left: int) -> str:
    """4 tries are left."""
    if left == 0:
        return say("No try is left: wait 10 minutes, or ask your administrator.")
    return say_many("%(num)s try is left.", "%(num)s tries are left.", left)


def hashed(password: str) -> Chosen:
    """The hash, or why this is no password."""
    try:
        return Chosen(hash_password(password))
    except Invalid as error:
        return Chosen(error=error)


CheckedSignIn = Annotated[SignIn, Depends(sign_in_of)]
CheckedChange = Annotated[Chosen, Depends(change_of)]
CheckedChoice = Annotated[Chosen, Depends(choice_of)]
