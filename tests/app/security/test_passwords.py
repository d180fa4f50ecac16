"""The line that slows guessing down, where addresses can be forged."""

from __future__ import annotations

import pytest

from app.security.passwords import TRIES_OF_ACCOUNT, SignInLimit
from models.errors import TooManyTries


def test_a_new_address_for_every_try_does_not_get_past_the_accounts_own_limit() -> None:
    limit = SignInLimit()
    for number in range(TRIES_OF_ACCOUNT):
        limit.take(f"203.0.113.{number}", "ann@example.org")
    with pytest.raises(TooManyTries):
        limit.take("198.51.100.7", "ann@example.org")
    limit.take("198.51.100.7", "bob@example.org")
