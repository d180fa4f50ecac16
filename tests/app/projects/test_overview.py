"""The figures of the overview, and how they are kept."""

from __future__ import annotations

import datetime as dt
import threading
import time
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.projects import kept
from app.projects.kept import Kept
from app.projects.overview import period
from app.projects.overview_queries import Figures, SpeciesLine, figures, rounds_of
from models.base import utc_now
from models.checkpoint import Checkpoint
from models.database import Database
from models.membership import Membership, Role
from models.presence import arrive, listed, names_here
from models.project import Project
from models.round import Pick
from models.storage import Store
from tests import make
from tests.app.exports.scene import Scene, scene
from tests.conftest import Site


def count(session: Session, project: Project) -> Figures:
    session.flush()
    return figures(session, project)


def with_classifier(here: Scene) -> None:
    made = Checkpoint(kind="classifier", name="learn-1", sha256="c" * 64, project_id=here.project.id)
    here.session.add(made)
    here.session.flush()
    here.project.classifier_id = made.id


def by_name(lines: list[SpeciesLine]) -> dict[str, tuple[int, int, int]]:
    return {line.name: (line.people, line.classifier, line.photos) for line in lines}


def test_photos_are_counted_by_what_became_of_them(database: Database, store: Store) -> None:
    with database.writing() as session:
        here = scene(session, store)
        for state, number in (("ready", 3), ("waiting", 2), ("quarantined", 1), ("refused", 1)):
            for _ in range(number):
                here.photo(state=state, captured_at=dt.datetime(2014, 7, 10) if state == "ready" else None)
        here.photo("Cam 2/1.jpg", captured_at=dt.datetime(2005, 9, 1))
        scene(session, store).photo()
        seen = count(session, here.project)
    assert (seen.photos, seen.ready, seen.waiting, seen.failed, seen.cameras) == (8, 4, 2, 2, 2)
    assert (seen.first_at, seen.last_at) == (dt.datetime(2005, 9, 1), dt.datetime(2014, 7, 10))
    assert (seen.boxes, seen.filled, seen.empty) == (0, 0, 4)


def test_a_project_without_photos_counts_nothing(sqlite_database: Database, store: Store) -> None:
    with sqlite_database.writing() as session:
        seen = count(session, scene(session, store).project)
    assert (seen.photos, seen.empty, seen.first_at, seen.people, seen.unnamed.photos) == (0, 0, None, 0, 0)
    assert by_name(seen.species) == {"Jaguar": (0, 0, 0), "Ocelot": (0, 0, 0)}


def test_boxes_are_counted_by_their_name_and_by_who_gave_it(database: Database, store: Store) -> None:
    with database.writing() as session:
        here = scene(session, store)
        with_classifier(here)
        jaguar = {"guess_species_id": here.jaguar.id, "guess_p": 0.9}
        two = here.photo()
        here.box(two, here.jaguar)
        here.box(two, **jaguar)  # one photo, two boxes
        here.box(here.photo(), **jaguar)
        here.box(here.photo(), here.ocelot, **jaguar)  # a person's word wins
        here.box(here.photo(), here.ocelot, score=0.1)  # counts since it was named
        here.box(here.photo(), score=0.1, **jaguar)  # does not
        here.box(here.photo())  # nobody named it
        here.box(here.photo(), kind="person")  # the detector knows people
        here.box(here.photo(), here.kind("cannot_tell"))
        seen = count(session, here.project)
    assert by_name(seen.species) == {"Jaguar": (1, 2, 2), "Ocelot": (2, 0, 2)}
    assert by_name(seen.flags) == {
        "Person": (0, 1, 1), "Vehicle": (0, 0, 0), "Cannot tell": (1, 0, 1), "Not an animal": (0, 0, 0)
    }  # fmt: skip
    assert (seen.unnamed.photos, seen.people, seen.classifier) == (1, 4, 3)
    assert (seen.boxes, seen.filled, seen.ready, seen.empty) == (8, 7, 8, 1)


def test_not_an_animal_counts_nowhere(sqlite_database: Database, store: Store) -> None:
    with sqlite_database.writing() as session:
        here = scene(session, store)
        with_classifier(here)
        nothing = here.kind("not_animal")
        here.box(here.photo(), nothing)
        here.box(here.photo(), guess_species_id=nothing.id, guess_p=0.9)
        both = here.photo()
        here.box(both, nothing)
        here.box(both, here.jaguar)
        seen = count(session, here.project)
    assert (seen.boxes, seen.filled, seen.empty) == (1, 1, 2)
    assert by_name(seen.flags)["Not an animal"] == (2, 1, 3)


def test_without_an_active_classifier_its_old_guesses_are_not_shown(sqlite_database: Database, store: Store) -> None:
    with sqlite_database.writing() as session:
        here = scene(session, store)
        here.box(here.photo(), guess_species_id=here.jaguar.id, guess_p=0.9)
        seen = count(session, here.project)
    assert (seen.classifier, seen.unnamed.photos, by_name(seen.species)["Jaguar"]) == (0, 1, (0, 0, 0))


def test_thresholds_are_applied_when_reading(sqlite_database: Database, store: Store) -> None:
    with sqlite_database.writing() as session:
        here = scene(session, store)
        for score in (0.1, 0.3, 0.5, 0.7, 0.95):
            here.box(here.photo(), score=score)
        here.project.embedder_id = make.embedder(session).id
        seen = {}
        for above, crops in ((0.9, 0.9), (0.5, 0.3), (0.05, 0.05)):
            here.project.count_above, here.project.classify_above = above, crops
            figures_now = count(session, here.project)
            seen[above] = (figures_now.boxes, figures_now.filled, figures_now.crops)
    assert seen == {0.9: (1, 1, 1), 0.5: (3, 3, 4), 0.05: (5, 5, 5)}


def test_a_retired_species_is_shown_only_while_something_has_its_name(sqlite_database: Database, store: Store) -> None:
    with sqlite_database.writing() as session:
        here = scene(session, store)
        here.box(here.photo(), here.jaguar)
        here.jaguar.retire()
        here.ocelot.retire()
        assert [line.name for line in count(session, here.project).species] == ["Jaguar"]


def test_rounds_say_how_far_they_are(database: Database, store: Store) -> None:
    with database.writing() as session:
        here = scene(session, store)
        boxes = [here.box(here.photo()) for _ in range(7)]
        first = make.round_of(session, here.project, boxes[:4])
        make.round_of(session, here.project, boxes[4:])
        picks = session.query(Pick).filter_by(round_id=first.id).all()
        picks[0].state, picks[1].state = "answered", "skipped"
        session.flush()
        newest, oldest = rounds_of(session, here.project.id)
    assert (oldest.number, oldest.size, oldest.answered, oldest.skipped, oldest.left) == (1, 4, 1, 1, 2)
    assert (newest.number, newest.answered, newest.left) == (2, 0, 3)


def test_who_labels_now_is_who_asked_for_crops_lately(database: Database, store: Store) -> None:
    with database.writing() as session:
        here = scene(session, store)
        jonas = make.user(session, "Jonas Weber")
        member = Membership.grant(session, here.project.id, jonas.id, Role.annotator)
        assert names_here(session, here.project.id, besides=here.user.id) == []
        arrive(session, here.project.id, jonas.id)
        assert names_here(session, here.project.id, besides=here.user.id) == ["Jonas Weber"]
        assert names_here(session, here.project.id, besides=jonas.id) == []
        member.asked_at = utc_now() - dt.timedelta(minutes=6)
        session.flush()
        assert names_here(session, here.project.id, besides=here.user.id) == []


def test_the_words_of_times_and_names() -> None:
    september, july = dt.datetime(2005, 9, 3), dt.datetime(2014, 7, 10)
    assert period(september, july) == "September 2005 to July 2014"
    assert (period(july, july), period(None, None)) == ("July 2014", "")
    assert [listed(list("A")), listed(list("AB")), listed(list("ABC")), listed(list("ABCDE"))] == [
        "A", "A and B", "A, B and 1 other", "A, B and 3 others",
    ]  # fmt: skip


def test_the_page_shows_the_figures_of_this_moment(
    sqlite_site: Site, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "QUICK_S", 60.0)  # however busy this machine is
    with sqlite_site.database.writing() as session:
        here = scene(session, store, note="These scenes are drawn by the program, they are no photos.")
        here.box(here.photo("Cam 1/1.jpg"), here.jaguar)
        here.photo("Cam 1/2.jpg")
        here.photo("Cam 1/3.jpg", state="quarantined", captured_at=None)
        make.round_of(session, here.project, [here.box(here.photo("Cam 1/4.jpg"))])
        token, project_id = make.token(session, here.user), here.project.id
    with sqlite_site.client(token, accept="text/html") as client:
        text = client.get(f"/projects/{project_id}").text
        for words in (
            "These scenes are drawn by the program, they are no photos.", "4 photos, 1 camera, March 2026.",
            "1 broken, listed in Batches", "in 2 photos; 1 empty", "Label round 1, 1 left", "round 1: 0 of 1",
            "Too early to say how many are right: 0 of the 30 random crops needed have been answered.",
        ):  # fmt: skip
            assert words in text
        with sqlite_site.database.writing() as session:
            project = session.get_one(Project, project_id)
            make.image(session, make.batch(session, project), "Cam 2/1.jpg")
        assert "5 photos, 2 cameras, March 2026." in client.get(f"/projects/{project_id}").text


class Slow:
    """A costly figure."""

    def __init__(self, cost_s: float) -> None:
        self.cost_s, self.made = cost_s, 0

    def __call__(self) -> int:
        time.sleep(self.cost_s)
        self.made += 1
        return self.made


def test_quick_figures_are_always_fresh() -> None:
    figure, shelf = Slow(0), Kept[int]()
    assert [shelf.get("a", figure) for _ in range(3)] == [1, 2, 3]


def test_a_costly_figure_is_kept_and_then_renewed_behind_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "WORTH", 2.0)
    figure, shelf = Slow(0.15), Kept[int]()
    assert [shelf.get("a", figure), shelf.get("a", figure)] == [1, 1]
    assert shelf.get("b", figure) == 2
    time.sleep(0.35)
    assert shelf.get("a", figure) == 1  # had it waited, it would be 3
    until(lambda: shelf.get("a", figure) == 3)


def test_a_figure_that_is_far_too_old_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "TOO_OLD_S", 0.2)
    figure, shelf = Slow(0.12), Kept[int]()
    assert shelf.get("a", figure) == 1
    time.sleep(0.25)
    assert shelf.get("a", figure) == 2


def test_of_many_who_ask_at_once_one_counts() -> None:
    figure, shelf, got = Slow(0.2), Kept[int](), []
    threads = [threading.Thread(target=lambda: got.append(shelf.get("a", figure))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert figure.made <= 2
    assert set(got) <= {1, 2}


def test_a_count_that_fails_behind_the_page_leaves_the_old_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "WORTH", 0.0)
    figure, shelf, failed = Slow(0.12), Kept[int](), []

    def broken() -> int:
        failed.append(True)
        raise ConnectionError("gone")

    assert shelf.get("a", figure) == 1
    assert shelf.get("a", broken) == 1
    until(lambda: bool(failed))
    assert shelf.get("a", broken) == 1
    until(lambda: shelf.get("a", figure) == 2)


def test_the_shelf_does_not_grow() -> None:
    shelf: Kept[int] = Kept(most=3)
    for key in range(10):
        shelf.get(key, lambda: 0)
    assert len(shelf._entries) == 3


def until(condition: Any) -> None:
    for _try in range(300):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never happened")
