"""Cheap hashes: these tests are about who gets in, not about how long a guess takes."""

from __future__ import annotations

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.security import passwords
from tests import make

CHEAP = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=64, parallelism=1),))


@pytest.fixture(autouse=True)
def cheap_hashes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """For every test but those that ask for real_hashes."""
    if "real_hashes" in request.fixturenames:
        return
    monkeypatch.setattr(passwords, "HASHES", CHEAP)
    monkeypatch.setattr(passwords, "NOBODY", CHEAP.hash("nobody"))
    monkeypatch.setattr(make, "PASSWORD_HASH", CHEAP.hash(make.PASSWORD))


@pytest.fixture
def real_hashes() -> None:
    """As in earnest."""
