"""A person who knows every answer, at the desk of the label page: leases and answers over HTTP, crop by crop."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from types import TracebackType
from typing import Any

import httpx

from app.security.sessions import COOKIE
from benchmarks.household import Household

DESK = 20  # crops that the page leases at a time


class KnownPerson:
    """Answers in the order in which crops are served, and never before the worker has done all that was asked of it.

    So the figures do not depend on the machine's speed: a person who thinks for 0.4 s a crop gives the worker as much time.
    """

    def __init__(self, house: Household, project_id: int, species_of: dict[int, int]) -> None:
        """species_of: box id -> the species to say."""
        self._house, self._project_id, self._species_of = house, project_id, species_of
        headers = {"cookie": f"{COOKIE}={house.token}", "origin": house.address, "accept": "application/json"}
        self._client = httpx.Client(base_url=house.address, headers=headers, timeout=60)

    def __enter__(self) -> KnownPerson:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def answer(self, count: int, after_round: Callable[[], None]) -> None:
        """Give `count` answers. after_round: called whenever a round is full and has been learnt from."""
        left = count
        while left:
            crops = self._lease(min(DESK, left))
            for crop in crops:
                standing = self._say(crop)
                self._house.quiet(self._project_id)
                if standing["full"]:
                    after_round()
            left -= len(crops)

    def _lease(self, count: int) -> list[dict[str, Any]]:
        told = self._post(f"/projects/{self._project_id}/leases", {"count": count})
        crops: list[dict[str, Any]] = told["crops"]
        if not crops:
            raise SystemExit(f"no crop to answer: {told['waiting']}")
        return crops

    def _say(self, crop: dict[str, Any]) -> dict[str, Any]:
        """How the round stands after the answer."""
        said = {
            "species": self._species_of[crop["box_id"]], "idempotency_key": uuid.uuid4().hex,
            "lease_token": crop["lease_token"], "pick_id": crop["pick_id"],
        }  # fmt: skip
        standing: dict[str, Any] = self._post(f"/boxes/{crop['box_id']}/labels", said)["round"]
        return standing

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self._client.post(path, json=body)
        if answer.status_code != 200:
            raise SystemExit(f"{path}: {answer.status_code} {answer.text[:300]}")
        told: dict[str, Any] = answer.json()
        return told
