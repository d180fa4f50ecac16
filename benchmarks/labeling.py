"""How fast people can label: `python -m benchmarks.labeling`.

A tireless person with real Chromium answers crops of a large project by key, with a moment of thought before each; then as many
in the grid (benchmarks/grid.py says how). Then twenty scripted people at once over HTTP, each with twenty crops on the desk,
nobody waiting for anybody. --photos: what a worker ingests meanwhile. Every answer that was acknowledged must be in the
database, once; no crop may be on two desks.
A table for people, then one JSON object on the last line.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import sqlalchemy as sa

from app.security.sessions import COOKIE
from benchmarks.desk import NEXT_CROP, label_page
from benchmarks.drawn_project import furnished, guessed
from benchmarks.grid import name_round
from benchmarks.household import Household, household
from models.importing import import_folder
from models.label import Label
from models.membership import Membership, Role
from models.session import UserSession
from models.species import Species
from models.user import User


@dataclass
class Person:
    """One scripted person: what was leased and said, and how long each took, in ms."""

    client: httpx.Client
    leased: list[int] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    next_ms: list[float] = field(default_factory=list)
    label_ms: list[float] = field(default_factory=list)


def main() -> None:
    """Measure, print."""
    given = arguments()
    with household(worker=given.photos is not None) as house:
        alone = furnished(house, "Alone", given.in_project, given.crops)
        tiled = furnished(house, "Tiled", given.crops, given.crops)
        truth = guessed(house, tiled, given.right)
        together = furnished(house, "Together", given.people * given.each, given.people * given.each)
        if given.photos is not None:
            busy = house.project("Meanwhile")
            import_folder(
                house.database, house.store, busy, given.photos, name="photos", by=None, progress=lambda _: None
            )
        per_min, answers_ms = single_view(house, alone, given.crops, given.thought_s)
        in_grid = name_round(house, tiled, given.thought_s, truth)
        people = crowd(house, together, given.people, given.each)
        double, lost = checked(house, together, people)
    next_ms = np.concatenate([person.next_ms for person in people])
    label_ms = np.concatenate([person.label_ms for person in people])
    figures = {
        "labels_per_min_single": round(per_min, 1), "labels_per_min_grid": round(in_grid, 1),
        "key_to_next_ms_p50": p(answers_ms, 50), "key_to_next_ms_p95": p(answers_ms, 95),
        "key_to_next_ms_p99": p(answers_ms, 99), "next_ms_p50": p(next_ms, 50),
        "next_ms_p99": p(next_ms, 99), "label_ms_p50": p(label_ms, 50), "label_ms_p99": p(label_ms, 99),
        "double_leases": double, "lost": lost,
    }  # fmt: skip
    print(f"{given.crops:,} crops by key, {given.thought_s} s of thought, {given.in_project:,} crops in the project")
    print(
        f"{given.crops:,} in the grid, {given.right:.0%} of the guesses right, {given.thought_s} s a row and a correction"
    )
    print(f"{given.people} people at once, {given.each} answers each\n")
    for name, figure in figures.items():
        print(f"{name:26}{figure:12,.1f}")
    print(json.dumps(figures))


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    ask_for = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask_for.add_argument("--crops", type=int, default=1000, help="answered in Chromium")
    ask_for.add_argument("--in-project", type=int, default=50_000, help="crops of that project")
    ask_for.add_argument("--thought-s", type=float, default=0.8)
    ask_for.add_argument("--right", type=float, default=0.9, help="share of the guesses in the grid that are right")
    ask_for.add_argument("--people", type=int, default=20)
    ask_for.add_argument("--each", type=int, default=100, help="answers of each")
    ask_for.add_argument("--photos", type=Path, help="a folder that is ingested meanwhile")
    return ask_for.parse_args()


def single_view(house: Household, project_id: int, crops: int, thought_s: float) -> tuple[float, list[float]]:
    """(labels a minute by the clock, ms from each key to the next crop on the screen); after the last crop none comes."""
    every: list[float] = []
    with label_page(house, project_id) as page:
        start = time.perf_counter()
        while len(every) < crops - 1:
            time.sleep(thought_s)
            every.append(page.evaluate(NEXT_CROP, "123"[len(every) % 3]))
        seconds = time.perf_counter() - start
        page.wait_for_selector('.saved[data-waiting="0"]')
    with house.database.reading() as session:
        kept = session.scalar(sa.select(sa.func.count()).where(Label.project_id == project_id))
    if kept != len(every):
        raise SystemExit(f"{len(every)} answers were given, {kept} are kept")
    return 60 * len(every) / seconds, every


def crowd(house: Household, project_id: int, people: int, each: int) -> list[Person]:
    """All at once, each in a thread of its own."""
    with house.database.writing() as session:
        tokens = []
        for number in range(people):
            who = User.register(session, f"person{number}@example.org", f"Person {number}")
            session.flush()
            Membership.grant(session, project_id, who.id, Role.annotator)
            tokens.append(UserSession.start(session, who))
        species = list(session.scalars(sa.select(Species.id).where(Species.project_id == project_id).limit(3)))
    # Secure cookies are not sent over http by a client that is no browser on localhost: it is written by hand.
    everybody = [
        Person(httpx.Client(base_url=house.address, headers=headers(house, token), timeout=60)) for token in tokens
    ]
    together = threading.Barrier(people)
    threads = [
        threading.Thread(target=work, args=(person, project_id, each, species, together)) for person in everybody
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for person in everybody:
        person.client.close()
    return everybody


def headers(house: Household, token: str) -> dict[str, str]:
    """What a signed-in page sends."""
    return {"cookie": f"{COOKIE}={token}", "origin": house.address, "accept": "application/json"}


def work(person: Person, project_id: int, each: int, species: list[int], together: threading.Barrier) -> None:
    """Lease, answer, until so many are said."""
    desk: list[dict[str, Any]] = []
    together.wait()
    while len(person.said) < each:
        if not desk:
            start = time.perf_counter()
            reply = person.client.post(f"/projects/{project_id}/leases", json={"count": 20})
            person.next_ms.append(1000 * (time.perf_counter() - start))
            desk = reply.raise_for_status().json()["crops"]
            person.leased += [crop["pick_id"] for crop in desk]
            if not desk:
                return
        crop, key = desk.pop(0), uuid.uuid4().hex
        body = {
            "species": species[len(person.said) % len(species)], "idempotency_key": key, "pick_id": crop["pick_id"],
            "lease_token": crop["lease_token"],
        }  # fmt: skip
        start = time.perf_counter()
        person.client.post(f"/boxes/{crop['box_id']}/labels", json=body).raise_for_status()
        person.label_ms.append(1000 * (time.perf_counter() - start))
        person.said.append(key)


def checked(house: Household, project_id: int, people: list[Person]) -> tuple[int, int]:
    """(crops that lay on two desks, acknowledged answers that are not there once)."""
    leases = Counter(pick_id for person in people for pick_id in set(person.leased))
    with house.database.reading() as session:
        rows = session.scalar(sa.select(sa.func.count()).where(Label.project_id == project_id)) or 0
    return sum(count - 1 for count in leases.values()), abs(sum(len(person.said) for person in people) - rows)


def p(values: object, percentile: float) -> float:
    """Of milliseconds, to a tenth."""
    return round(float(np.percentile(np.asarray(values, float), percentile)), 1)


if __name__ == "__main__":
    main()
