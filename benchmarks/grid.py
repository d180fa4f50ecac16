"""What the grid costs: `python -m benchmarks.grid`.

A project of 50,000 crops: how long the list of 20,000 tiles takes, what the browser computes in each frame while they scroll by
(script, style and layout, from Chromium's own trace, by the clock and as processor time of the page's thread: on two cores the
server, the decoders and the page wait for each other; goal 8 ms at the 95th percentile), how many tiles are in the page, and what
an act that names 2,000 crops, and its undo, cost the server.

`name_round` is the person of benchmarks/labeling.py who names a round: a moment of thought for each row of tiles, one more for
each run of tiles in it that are not what the classifier says, or about which it says nothing, which gets its name by click and
key, and one for each group, whose rest is selected and accepted.
A table for people, then one JSON object on the last line.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import time
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import sqlalchemy as sa
from playwright.sync_api import Page

from app.security.sessions import COOKIE
from benchmarks.desk import desk_page
from benchmarks.drawn_project import NAMES, furnished, guessed
from benchmarks.household import Household, household
from models.box import Box
from models.image import Image
from models.species import Species
from worker.learning.likeness import Line
from worker.learning.neighbours import opinions

READY = ".tile-list[data-ready]"
TRACED = ["devtools.timeline", "devtools.timeline.frame", "disabled-by-default-devtools.timeline"]
FRAMES = 400
WORK = {"FireAnimationFrame", "EventDispatch", "FunctionCall", "UpdateLayoutTree", "Layout", "TimerFire"}
# Where each tile of the list is and what it shows, asked of the page as it scrolls.
TILES = """() => [...document.querySelectorAll('.tile')].map(tile => {
  const place = tile.getBoundingClientRect();
  return {at: Number(tile.dataset.at), box: Number(tile.querySelector('img').src.split('/').at(-2)), x: place.x + place.width / 2,
    y: place.y + place.height / 2, name: tile.querySelector('.name').textContent};
})"""


def main() -> None:
    """Measure, print."""
    ask_for = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask_for.add_argument("--crops", type=int, default=50_000)
    ask_for.add_argument("--named", type=int, default=2_000, help="by one act")
    ask_for.add_argument(
        "--line", type=int, help="instead: what places and neighbours of so many crops cost the worker"
    )
    ask_for.add_argument("--step-px", type=int, default=200, help="a frame: 200 is 15 windows of tiles a second")
    given = ask_for.parse_args()
    if given.line:
        print(json.dumps(lined_up(given.line)))
        return
    with household(worker=False) as house:
        project_id = furnished(house, "Grid", given.crops, 1000)
        guessed(house, project_id, 0.9)
        pictured(house, project_id)
        figures = (
            listed(house, project_id)
            | named(house, project_id, given.named)
            | scrolled(house, project_id, given.step_px)
        )
    print(f"{given.crops:,} crops in the project, {given.named:,} named by one act\n")
    for name, figure in figures.items():
        print(f"{name:26}{figure:12,.1f}")
    print(json.dumps(figures))


def lined_up(count: int) -> dict[str, Any]:
    """Seconds for a line through so many crops of 300 kinds, for the places on it, and for the neighbours of 10,000 named ones;
    share of tiles whose next one along the line is of the same kind.
    """
    rng = np.random.default_rng(1)
    kinds = rng.integers(0, 300, count)
    middles = rng.normal(size=(300, 256)).astype(np.float32)
    vectors = middles[kinds] + rng.normal(size=(count, 256), scale=0.7).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    marks = [time.perf_counter()]
    line = Line.through(vectors, rng)
    marks.append(time.perf_counter())
    places = line.places(vectors)
    marks.append(time.perf_counter())
    named = vectors[: min(count, 10_000)]
    opinions(named, np.arange(len(named)), named, kinds[: len(named)] + 1, np.arange(len(named)))
    marks.append(time.perf_counter())
    along = kinds[np.argsort(places)]
    steps = [round(after - before, 1) for before, after in itertools.pairwise(marks)]
    figures = dict(zip(("line_s", "places_s", "neighbours_s"), steps, strict=True))
    return {"crops": count} | figures | {"same_kind_next": round(float((along[1:] == along[:-1]).mean()), 3)}


def listed(house: Household, project_id: int) -> dict[str, Any]:
    """The list of tiles over HTTP, all crops and one round, the median of five."""
    with client(house) as sent:
        every, a_round = f"/projects/{project_id}/grid/tiles?of=all", f"/projects/{project_id}/grid/tiles"
        reply = sent.get(every).raise_for_status()
        return {
            "tiles": len(reply.json()["tiles"]["box_id"]),
            "tiles_kb": round(len(reply.content) / 1000),
            "tiles_ms": median([timed(lambda: sent.get(every).raise_for_status()) for _ in range(5)]),
            "round_ms": median([timed(lambda: sent.get(a_round).raise_for_status()) for _ in range(5)]),
        }


def named(house: Household, project_id: int, count: int) -> dict[str, Any]:
    """One act for many crops, and its undo."""
    with house.database.reading() as session:
        boxes = session.scalars(sa.select(Box.id).where(Box.project_id == project_id).limit(count)).all()
        species = session.scalars(sa.select(Species.id).where(Species.project_id == project_id).limit(1)).one()
    with client(house) as sent:
        name, back = [], []
        for turn in range(3):
            body = {
                "box": boxes[0], "said": [[box_id, species] for box_id in boxes], "idempotency_key": f"bench-{turn:06}"
            }  # fmt: skip
            name.append(
                timed(lambda body=body: sent.post(f"/projects/{project_id}/grid-labels", json=body).raise_for_status())
            )
            undo = {"idempotency_key": f"bench-undo-{turn:06}"}
            back.append(
                timed(lambda undo=undo: sent.post(f"/projects/{project_id}/undo", json=undo).raise_for_status())
            )
    return {"act_ms": median(name), "undo_ms": median(back)}


def pictured(house: Household, project_id: int) -> None:
    """Every crop of the project has a picture, always the same: a missing one would cost the browser more than one that loads."""
    with house.database.reading() as session:
        wanted = sa.select(Image.sha256, Box.id).join(Image).where(Box.project_id == project_id)
        crops = [house.store.crop(sha256, box_id) for sha256, box_id in session.execute(wanted)]
    drawn = next(path for path in crops if path.exists())
    for path in crops:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            os.link(drawn, path)


def scrolled(house: Household, project_id: int, step_px: int) -> dict[str, Any]:
    """Scroll through the list, so far a frame; ms of work a frame, and the most tiles that were in the page."""
    with desk_page(house, f"/projects/{project_id}/grid?of=all") as page:
        page.wait_for_selector(READY)
        page.wait_for_timeout(1000)
        browser = page.context.browser
        assert browser is not None
        browser.start_tracing(page=page, categories=TRACED)
        most = page.evaluate(
            """([step, frames]) => new Promise(done => {
              const scroller = document.querySelector('.tile-scroll');
              let most = 0;
              const next = left => {
                most = Math.max(most, document.querySelectorAll('.tile').length);
                scroller.scrollTop += step;
                left ? requestAnimationFrame(() => next(left - 1)) : done(most);
              };
              next(frames);
            })""",
            [step_px, FRAMES],
        )
        events = json.loads(browser.stop_tracing())["traceEvents"]
    figures: dict[str, Any] = {"most_tiles_in_page": most}
    for name, clock in (("frame_ms", ("ts", "dur")), ("frame_cpu_ms", ("tts", "tdur"))):
        frames = list(work_a_frame(events, *clock))
        figures["frames"] = len(frames)
        figures |= {f"{name}_p{q}": round(float(np.percentile(frames, q)), 2) for q in (50, 95, 99)}
    return figures


def work_a_frame(events: list[dict[str, Any]], at: str, takes: str) -> Iterator[float]:
    """Milliseconds of script, style and layout before each frame was handed on, each moment counted once.

    at, takes: by the clock (ts, dur), which counts waiting for a core too, or of the page's thread alone (tts, tdur).
    """
    marks = [each for each in events if each["name"] == "Commit" and at in each]
    thread = (marks[0]["pid"], marks[0]["tid"])
    begins = sorted(each[at] for each in marks if (each["pid"], each["tid"]) == thread)
    work = sorted(
        (each[at], each[at] + each.get(takes, 0))
        for each in events
        if each["name"] in WORK and each.get("ph") == "X" and at in each and (each["pid"], each["tid"]) == thread
    )
    spent, until = np.zeros(len(begins) + 1), 0
    for start, end in work:
        frame = int(np.searchsorted(begins, start, side="right"))
        spent[frame] += max(0, end - max(start, until))
        until = max(until, end)
    yield from (spent[1:-1] / 1000).tolist()


def name_round(house: Household, project_id: int, thought_s: float, truth: dict[int, int]) -> float:
    """Labels a minute by the clock, the whole round named right. truth: box id -> place of its name in NAMES."""
    with desk_page(house, f"/projects/{project_id}/grid") as page:
        page.wait_for_selector(READY)
        start = time.perf_counter()
        correct(page, thought_s, truth)
        accept(page, thought_s)
        page.wait_for_selector('.saved[data-waiting="0"]')
        seconds = time.perf_counter() - start
    with house.database.reading() as session:
        names = {each.id: NAMES.index(each.name) for each in Species.open_in(session, project_id) if each.name in NAMES}
        rows = session.execute(sa.select(Box.id, Box.settled_species_id).where(Box.project_id == project_id)).all()
    wrong = sum(names.get(settled or 0) != truth[box_id] for box_id, settled in rows)
    if wrong:
        raise SystemExit(f"{wrong} crops of the grid have not the name that was given")
    return 60 * len(truth) / seconds


def correct(page: Page, thought_s: float, truth: dict[int, int]) -> None:
    """Look at each row in turn; what is not what it shows is clicked and named."""
    seen: set[int] = set()
    total = len(truth)
    while len(seen) < total:
        fresh = sorted((each for each in page.evaluate(TILES) if each["at"] not in seen), key=lambda each: each["at"])
        inside = [each for each in fresh if each["y"] < 720]
        if not inside:
            page.mouse.move(480, 480)
            page.mouse.wheel(0, 440)
            page.wait_for_timeout(50)
            continue
        row = [each for each in inside if abs(each["y"] - inside[0]["y"]) < 2]
        time.sleep(thought_s)
        seen |= {tile["at"] for tile in row}
        for name, run in itertools.groupby(row, key=lambda tile: wanted_name(tile, truth)):
            tiles = list(run)
            if name is not None:
                time.sleep(thought_s)
                page.mouse.click(tiles[0]["x"], tiles[0]["y"])
                if len(tiles) > 1:
                    with_shift(page, tiles[-1])
                page.keyboard.press(str(1 + name))


def wanted_name(tile: dict[str, Any], truth: dict[int, int]) -> int | None:
    """What a tile must be called that does not say so, None for one that does."""
    name = truth[tile["box"]]
    return None if tile["name"] == NAMES[name] else name


def with_shift(page: Page, tile: dict[str, Any]) -> None:
    """Select as far as there."""
    page.keyboard.down("Shift")
    page.mouse.click(tile["x"], tile["y"])
    page.keyboard.up("Shift")


def accept(page: Page, thought_s: float) -> None:
    """Group by group: select what is left open, take the classifier's word for each."""
    page.evaluate("document.querySelector('.tile-scroll').scrollTo(0, 0)")
    done: set[str] = set()
    while True:
        page.wait_for_timeout(50)
        titles = page.locator(".tile-head h2").all_inner_texts()
        title = next((each for each in titles if each not in done), None)
        if title is not None:
            done.add(title)
            time.sleep(thought_s)
            head = page.locator(".tile-head").filter(has=page.get_by_role("heading", name=title, exact=True))
            head.locator(".button").click()
            page.keyboard.press("Enter")
            page.wait_for_timeout(200)
        elif page.evaluate(
            "() => { const each = document.querySelector('.tile-scroll'), before = each.scrollTop;"
            " each.scrollBy(0, 500); return each.scrollTop === before }"
        ):
            return


def client(house: Household) -> httpx.Client:
    """The administrator's script."""
    headers = {"cookie": f"{COOKIE}={house.token}", "origin": house.address, "accept": "application/json"}
    return httpx.Client(base_url=house.address, headers=headers, timeout=60)


def timed(do: Any) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    do()
    return 1000 * (time.perf_counter() - start)


def median(values: list[float]) -> float:
    """To a tenth."""
    return round(float(np.median(values)), 1)


if __name__ == "__main__":
    main()
