"""Argon2 hashes and the line that slows guessing down."""

from __future__ import annotations

import ipaddress
import math
import secrets
import threading
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from models.errors import Invalid, TooManyTries
from models.user import User
from models.words import figure, say, say_many

MIN_LENGTH, MAX_LENGTH = 10, 1000
TRIES = 5  # wrong passwords for one account from one address in ten minutes
TRIES_OF_ADDRESS = 50  # from one address for all accounts
TRIES_OF_ACCOUNT = (
    50  # for one account from all addresses, since an address can be forged inside the proxy's own network
)
WINDOW_MINUTES = 10

# Each hash takes 64 MiB: forty at the same moment would take 2.5 GiB.
AT_ONCE = threading.BoundedSemaphore(4)
HASHES = PasswordHash((Argon2Hasher(),))
# Verified when the account is unknown, so that both cases take the same time.
NOBODY = HASHES.hash(secrets.token_urlsafe(16))


def hash_password(password: str) -> str:
    """The hash that the table keeps. Raises Invalid for a password that is too short or too long."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise Invalid(
            "password: "
            + say(
                "%(min_length)s to %(max_length)s characters",
                min_length=MIN_LENGTH,
                max_length=figure(MAX_LENGTH),
            )
        )
    with AT_ONCE:
        return HASHES.hash(password)


def is_password_of(user: User | None, password: str) -> bool:
    """Whether the password belongs to the user; takes as long for an unknown or disabled one."""
    known = user is not None and user.password_hash is not None and user.disabled_at is None
    kept = user.password_hash if known and user and user.password_hash else NOBODY
    with AT_ONCE:
        return HASHES.verify(password[: MAX_LENGTH + 1], kept) and known


class SignInLimit:
    """Counts tries by (address, account) and by address. A try is counted before the password is looked at, so that a hundred
    tries at the same moment are a hundred tries."""

    def __init__(self) -> None:
        """Kept in the memory of this process."""
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._pair = RateLimitItemPerMinute(TRIES, WINDOW_MINUTES)
        self._address = RateLimitItemPerMinute(TRIES_OF_ADDRESS, WINDOW_MINUTES)
        self._account = RateLimitItemPerMinute(TRIES_OF_ACCOUNT, WINDOW_MINUTES)

    def take(self, address: str, email: str) -> int:
        """Use one try up; how many are left for this account. Raises TooManyTries before the password is even looked at."""
        network = network_of(address)
        limits = ((self._pair, (network, email)), (self._address, (network,)), (self._account, ("account", email)))
        for item, keys in limits:
            if not self._limiter.hit(item, *keys):
                wait_s = self._limiter.get_window_stats(item, *keys).reset_time - time.time()
                minutes = max(1, math.ceil(wait_s / 60))
                raise TooManyTries(
                    say_many(
                        "Too many tries. Wait %(num)s minute, or ask your administrator.",
                        "Too many tries. Wait %(num)s minutes, or ask your administrator.",
                        minutes,
                    )
                )
        return self._limiter.get_window_stats(self._pair, network, email).remaining

    def forget(self, address: str, email: str) -> None:
        """The password was right: the account's tries from here start anew."""
        self._limiter.clear(self._pair, network_of(address), email)


def network_of(address: str) -> str:
    """Whose address it is: a household has a whole /64 of IPv6, and must not get a new count for each address in it."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else str(parsed)
