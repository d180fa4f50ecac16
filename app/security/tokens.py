"""Bearer tokens in requests, and the limit on those that are none."""

from __future__ import annotations

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.requests import Request

from app.security.passwords import network_of
from models.errors import TooManyTries
from models.words import say_many

BAD_TOKENS, WINDOW_MINUTES = 30, 10


def bearer_of(request: Request) -> str | None:
    """The token of `Authorization: Bearer`, None where there is none or it is of another kind."""
    kind, _space, text = request.headers.get("authorization", "").partition(" ")
    return text.strip() if kind.lower() == "bearer" and text.strip() else None


class BadTokenLimit:
    """Counts refused tokens by address. Nobody guesses 256 bits, so a good token is never held up by bad ones beside it: the
    limit slows down a script that goes on with a token that was revoked."""

    def __init__(self) -> None:
        """Kept in the memory of this process."""
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._item = RateLimitItemPerMinute(BAD_TOKENS, WINDOW_MINUTES)

    def take(self, address: str) -> None:
        """Count one. Raises TooManyTries once there were too many."""
        network = network_of(address)
        if not self._limiter.hit(self._item, network):
            wait_s = self._limiter.get_window_stats(self._item, network).reset_time - time.time()
            minutes = max(1, math.ceil(wait_s / 60))
            raise TooManyTries(
                say_many(
                    "Too many tokens that do not work. Wait %(num)s minute.",
                    "Too many tokens that do not work. Wait %(num)s minutes.",
                    minutes,
                )
            )
