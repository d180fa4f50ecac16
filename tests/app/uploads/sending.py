"""A project with people, and a sender that speaks the upload protocol."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import select

from models.batch import BatchFile
from models.image import Image
from models.membership import Role
from tests import make
from tests.conftest import Site

numbers = itertools.count(1)


def jpeg(text: str = "", size: int = 2000) -> bytes:
    """Bytes that begin as a JPEG; what follows is only hashed and stored."""
    seed = (text or f"photo {next(numbers)}").encode()
    return b"\xff\xd8\xff\xe0" + (seed * (size // len(seed) + 1))[: size - 4]


@dataclass
class Sending:
    """An administrator with a browser, and a batch that was begun."""

    site: Site
    client: httpx.Client
    token: str
    project_id: int
    user_id: int
    batch_id: int = 0

    @property
    def batch(self) -> str:
        return f"/projects/{self.project_id}/batches/{self.batch_id}"

    def begin(self, name: str = "SD 4", key: str = "", **announced: int) -> dict[str, Any]:
        body = {"name": name, "idempotency_key": key or f"beginning-{next(numbers)}", **announced}
        answer = self.client.post(f"/projects/{self.project_id}/batches", json=body)
        assert answer.status_code == 200, answer.text
        said: dict[str, Any] = answer.json()
        self.batch_id = said["id"]
        return said

    def put(self, path: str, content: bytes, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.put(f"{self.batch}/files", params={"path": path}, content=content, headers=named)

    def missing(self, *files: dict[str, Any]) -> dict[str, Any]:
        answer = self.client.post(f"{self.batch}/missing", json=list(files))
        assert answer.status_code == 200, answer.text
        said: dict[str, Any] = answer.json()
        return said

    def finish(self) -> httpx.Response:
        return self.client.post(f"{self.batch}/finish")

    def files(self) -> dict[str, tuple[str, str]]:
        """path -> (state, reason)."""
        with self.site.database.reading() as session:
            rows = session.scalars(select(BatchFile).where(BatchFile.batch_id == self.batch_id))
            return {row.path: (row.state, row.reason) for row in rows}

    def images(self) -> list[Image]:
        with self.site.database.reading() as session:
            return list(session.scalars(select(Image).order_by(Image.id)))

    def stored(self) -> list[str]:
        """What lies in the store: hashes, and anything left in staging."""
        root = self.site.store.root
        staged = [f"staging/{path.name}" for path in (root / "staging").iterdir()]
        return sorted(path.name for path in (root / "originals").glob("*/*")) + staged


@contextlib.contextmanager
def sending(site: Site, *, begin: bool = True) -> Iterator[Sending]:
    """An administrator of a fresh project on this site."""
    with site.database.writing() as session:
        admin = make.user(session)
        project = make.project(session, (admin, Role.admin))
        token = make.token(session, admin)
        ids = project.id, admin.id
    with site.client(token) as client:
        made = Sending(site, client, token, *ids)
        if begin:
            made.begin()
        yield made
