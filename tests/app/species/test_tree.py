"""Where a species hangs, what it is called elsewhere, merging by the page, and what the label page makes of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import numpy as np
import pytest
from sqlalchemy import select

from app.exports.files import write_table
from app.projects.overview_queries import figures
from models.audit import AuditEntry
from models.box import Box
from models.checkpoint import CLASSIFIER, Checkpoint
from models.job import Job
from models.label import Label
from models.predictions import write_part
from models.project import Project
from models.species import CommonName, Species, TaxonId
from tests import make
from tests.app.species.test_species import Desk, both_desks, desk

__all__ = ["both_desks", "desk"]
JSON = {"accept": "application/json"}


def one(desk: Desk, species_id: int) -> Species:
    """As the database has it."""
    with desk.site.database.reading() as session:
        return session.get_one(Species, species_id)


def test_a_parent_is_given_by_name_and_a_circle_is_refused(both_desks: Desk) -> None:
    desk = both_desks
    cat, jaguar = desk.add("Cat family", "Jaguar")
    assert desk.send(f"/{jaguar}/parent", parent="cat FAMILY").status_code == 303
    assert one(desk, jaguar).parent_id == cat
    for parent, words in (
        ("Jaguar", "is below Cat family already"),
        ("Nobody", "Nobody is not in the list"),
        ("Person", "is no taxon"),
    ):
        refused = desk.send(f"/{cat}/parent", parent=parent)
        assert refused.status_code == 422 and words in refused.text, parent
    assert desk.send(f"/{jaguar}/parent", parent="Jaguar").status_code == 422
    assert "Cat family" in desk.show("?view=tree") and "<details open>" in desk.show("?view=tree")
    assert desk.send(f"/{jaguar}/parent", parent=" ").status_code == 303 and one(desk, jaguar).parent_id is None
    with desk.site.database.reading() as session:
        acts = list(session.scalars(select(AuditEntry.act).where(AuditEntry.project_id == desk.project_id)))
    assert acts.count("species.placed") == 2


def test_names_of_languages_and_registers_are_kept_and_taken_away(desk: Desk) -> None:
    (jaguar,) = desk.add("Jaguar")
    assert desk.send(f"/{jaguar}/names", language="PT-br", name="Onça-pintada").status_code == 303
    assert (
        "is already one of its names in pt-BR"
        in desk.send(f"/{jaguar}/names", language="pt-br", name="Onça-pintada").text
    )
    assert "is no language tag" in desk.send(f"/{jaguar}/names", language="portuguese!", name="x").text
    assert desk.send(f"/{jaguar}/ids", register="GBIF", value="5219426").status_code == 303
    assert desk.send(f"/{jaguar}/ids", register="gbif", value="1").status_code == 303
    assert desk.send(f"/{jaguar}/ids", register="", value="1").status_code == 422
    assert desk.send(f"/{jaguar}/sensitivity", sensitivity="extreme").status_code == 303
    assert desk.send(f"/{jaguar}/sensitivity", sensitivity="secret").status_code == 422
    shown = desk.show(f"/{jaguar}/edit")
    assert "Onça-pintada" in shown and ">1<" in shown.replace("<bdi>", "").replace("</bdi>", "")
    assert desk.listed()["Jaguar"]["sensitivity"] == "extreme"
    assert desk.listed()["Jaguar"]["synonyms"] == ["Onça-pintada"]
    with desk.site.database.reading() as session:
        name, register = session.query(CommonName).one(), session.query(TaxonId).one()
    assert desk.send(f"/{jaguar}/names/{name.id}/remove").status_code == 303
    assert desk.send(f"/{jaguar}/ids/{register.id}/remove").status_code == 303
    assert desk.send(f"/{jaguar}/ids/{register.id}/remove").status_code == 303  # a second click
    with desk.site.database.reading() as session:
        assert session.query(CommonName).count() == session.query(TaxonId).count() == 0


def test_the_list_is_searched_by_every_name(desk: Desk) -> None:
    jaguar, ocelot, _paca = desk.add("Jaguar", "Ocelot", "Lowland paca")
    desk.send(f"/{jaguar}/names", language="es", name="Yaguareté")
    desk.send(f"/{ocelot}/synonyms", name="Tigrillo")
    for words, found in (("YAGUARETE", "Jaguar"), ("tigri", "Ocelot"), ("paca", "Lowland paca")):
        shown = desk.show(f"?find={words}")
        names = [name for name in ("Jaguar", "Ocelot", "Lowland paca") if f'<span class="strong"><bdi>{name}' in shown]
        assert names == [found], words
    assert "No species is called so." in desk.show("?find=zebra")


def test_a_rename_keeps_the_old_name_where_that_is_wished(desk: Desk) -> None:
    jaguar, ocelot = desk.add("Jaguar", "Ocelot")
    desk.send(f"/{jaguar}/rename", name="Yaguareté", keep="1")
    desk.send(f"/{ocelot}/rename", name="Tigrillo")
    with desk.site.database.reading() as session:
        kept = Species.named(session, desk.project_id, "jaguar")
        assert kept is not None and kept.name == "Yaguareté"
        assert Species.named(session, desk.project_id, "ocelot") is None
    desk.send(f"/{jaguar}/rename", name="Jaguar", keep="1")  # back: its own other name is its name again
    assert desk.listed()["Jaguar"]["synonyms"] == ["Yaguareté"]


class Labeled:
    """A desk with photos, a classifier, and what the label page gets."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        with desk.site.database.writing() as session:
            project = session.get_one(Project, desk.project_id)
            photo = make.image(session, make.batch(session, project))
            self.boxes = [make.box(session, photo).id for _ in range(3)]
            make.round_of(session, project, [session.get_one(Box, each) for each in self.boxes])

    def guess(self, shares: dict[int, float]) -> None:
        """A classifier that says this of every crop."""
        with self.desk.site.database.writing() as session:
            project = session.get_one(Project, self.desk.project_id)
            learnt = Checkpoint(
                project_id=project.id, kind=CLASSIFIER, name="fake", sha256="0" * 64, parent_id=project.embedder_id,
                label_count=9, classes=list(shares),
            )  # fmt: skip
            session.add(learnt)
            session.flush()
            project.classifier_id = learnt.id
            store = self.desk.site.store
            folder = store.predictions(f"job-{learnt.id}")
            rows = np.array([list(shares.values())] * len(self.boxes))
            write_part(store, folder, "all", np.array(self.boxes), rows, list(shares))
            learnt.predictions = store.relative(folder)

    def crops(self) -> dict[int, dict[str, object]]:
        """What the page's script gets, by box."""
        sent = {"count": 20, "have": [], "classifier_id": None, "by": None}
        path = f"/projects/{self.desk.project_id}/leases"
        got = self.desk.client.post(path, json={"count": sent["count"], "have": []}, headers=JSON)
        assert got.status_code == 200, got.text
        return {crop["box_id"]: crop for crop in got.json()["crops"]}

    def say(self, box: int, species: int | str, key: str) -> dict[str, object]:
        """An answer by the script; the status goes along."""
        sent = {"species": species, "idempotency_key": key}
        got = self.desk.client.post(f"/boxes/{self.boxes[box]}/labels", json=sent, headers=JSON)
        return got.json() | {"status": got.status_code}  # type: ignore[no-any-return]

    def settled(self) -> list[int | None]:
        """What each box is called."""
        with self.desk.site.database.reading() as session:
            return [session.get_one(Box, each).settled_species_id for each in self.boxes]


@pytest.fixture
def labeled(both_desks: Desk) -> Iterator[Labeled]:
    """Over each kind of database."""
    yield Labeled(both_desks)


def test_an_answer_between_page_load_and_merge_rename_or_retirement(labeled: Labeled) -> None:
    desk = labeled.desk
    ocelot, margay, puma = desk.add("Ocelot", "Margay", "Puma")
    labeled.crops()  # the page is open
    desk.send(f"/{puma}/rename", name="Cougar", keep="1")
    assert desk.send(f"/{margay}/merge", into="ocelot").status_code == 303
    assert labeled.say(0, margay, "tab-open-0001")["name"] == "Ocelot"
    assert labeled.say(1, puma, "tab-open-0002")["name"] == "Cougar"
    assert labeled.say(2, "Puma", "tab-open-0003")["name"] == "Cougar"
    assert labeled.settled() == [ocelot, puma, puma]
    desk.send(f"/{puma}/retire")
    refused = labeled.say(2, puma, "tab-open-0004")
    assert refused["status"] == 422 and "was taken off the list" in str(refused["error"])
    assert labeled.say(2, 10**8, "tab-open-0005")["status"] == 422
    with desk.site.database.reading() as session:
        said = list(session.scalars(select(Label.species_id).order_by(Label.id)))
    assert said == [margay, puma, puma]


def test_merging_by_the_page_and_undoing_it(labeled: Labeled) -> None:
    desk = labeled.desk
    ocelot, margay = desk.add("Ocelot", "Margay")
    labeled.say(0, margay, "before-merge-1")
    labeled.say(1, ocelot, "before-merge-2")
    for into, words in (("", "is not in the list"), ("Margay", "into itself"), ("person", "belongs to every project")):
        refused = desk.send(f"/{margay}/merge", into=into)
        assert refused.status_code == 422 and words in refused.text
    assert desk.send(f"/{margay}/merge", into="Ocelot").status_code == 303
    assert labeled.settled()[:2] == [ocelot, ocelot]
    assert "Margay" not in desk.listed() and desk.listed()["Ocelot"]["synonyms"] == ["Margay"]
    page = desk.show()
    assert "Answers count as the other one" in page and f'value="{ocelot}"' in page
    assert "Undo the merge" in desk.show(f"/{margay}/edit") and "Bring back" not in desk.show(f"/{margay}/edit")
    assert (
        "margay is already in the list, as Margay" in str(desk.ask(name="margay").json())
        or desk.ask(name="margay").status_code == 422
    )
    assert desk.send(f"/{margay}/unmerge", into_id="999").status_code == 412
    assert desk.send(f"/{margay}/unmerge", into_id=str(ocelot)).status_code == 303
    assert labeled.settled()[:2] == [margay, ocelot]
    assert desk.listed()["Margay"]["hotkey"] == "2"
    with desk.site.database.reading() as session:
        kinds = list(session.scalars(select(Job.kind).where(Job.project_id == desk.project_id, Job.kind == "settle")))
        acts = set(session.scalars(select(AuditEntry.act).where(AuditEntry.project_id == desk.project_id)))
    assert kinds == ["settle", "settle"] and {"species.merged", "species.unmerged"} <= acts


def test_the_label_page_says_the_level_that_it_is_sure_of(labeled: Labeled) -> None:
    desk = labeled.desk
    jaguar, ocelot, paca = desk.add("Jaguar", "Ocelot", "Paca")
    desk.send(name="Cat family", rank="family", key="")
    cats = desk.listed()["Cat family"]["id"]
    labeled.guess({jaguar: 0.41, ocelot: 0.41, paca: 0.18})
    assert all("rolled" not in crop["guesses"][0] for crop in labeled.crops().values())  # type: ignore[index]
    for species in (jaguar, ocelot):
        desk.send(f"/{species}/parent", parent="Cat family")
    shown = desk.client.get(f"/projects/{desk.project_id}/label").text
    assert "Cat family" in shown and 'class="rolled"' in shown and "82%" in shown
    crop = labeled.crops()[labeled.boxes[0]]
    rolled = crop["guesses"][0]["rolled"]  # type: ignore[index]
    assert rolled == {
        "species_id": cats, "p": pytest.approx(0.82, abs=2e-3),
        "parts": [[jaguar, pytest.approx(0.41, abs=1e-3)], [ocelot, pytest.approx(0.41, abs=1e-3)]],
    }  # fmt: skip
    assert desk.send("/names", language="", roll_up_above="0.9").status_code == 303
    assert "rolled" not in labeled.crops()[labeled.boxes[0]]["guesses"][0]  # type: ignore[index]
    for bar in ("0.2", "2", "much"):
        assert desk.send("/names", language="", roll_up_above=bar).status_code == 422
    assert desk.send("/names", language="es", roll_up_above="1").status_code == 303
    assert 'class="rolled"' not in desk.client.get(f"/projects/{desk.project_id}/label").text


def test_guesses_of_a_merged_species_count_for_the_other(labeled: Labeled) -> None:
    desk = labeled.desk
    ocelot, margay, paca = desk.add("Ocelot", "Margay", "Paca")
    labeled.guess({ocelot: 0.3, margay: 0.3, paca: 0.4})
    desk.send(f"/{margay}/merge", into="Ocelot")
    first = labeled.crops()[labeled.boxes[0]]["guesses"][0]  # type: ignore[index]
    assert (first["species_id"], first["p"]) == (ocelot, pytest.approx(0.6, abs=2e-3))
    assert "Margay" in desk.client.get(f"/projects/{desk.project_id}/label").text  # found under its old name


def test_the_name_in_the_language_of_the_project_goes_to_the_label_page(desk: Desk) -> None:
    labeled = Labeled(desk)
    (jaguar,) = desk.add("Jaguar")
    desk.send(f"/{jaguar}/names", language="es", name="Yaguareté")
    assert '"called": ""' in desk.client.get(f"/projects/{desk.project_id}/label").text
    desk.send("/names", language="es-AR", roll_up_above="0.65")
    shown = desk.client.get(f"/projects/{desk.project_id}/label").text
    assert '"called": "Yaguaret' in shown
    assert labeled.say(0, "YAGUARETE", "common-name-01")["species_id"] == jaguar  # typed without script
    assert labeled.say(1, "Yaguar", "common-name-02")["status"] == 422


def test_the_overview_counts_a_merged_species_as_the_other_before_the_worker_has_come(labeled: Labeled) -> None:
    desk = labeled.desk
    ocelot, margay, paca = desk.add("Ocelot", "Margay", "Paca")
    labeled.guess({ocelot: 0.6, margay: 0.3, paca: 0.1})
    labeled.say(0, margay, "overview-00001")
    with desk.site.database.writing() as session:
        for place, guess in ((1, margay), (2, ocelot)):
            session.get_one(Box, labeled.boxes[place]).guess_species_id = guess
    desk.send(f"/{margay}/merge", into="Ocelot")
    with desk.site.database.reading() as session:
        project = session.get_one(Project, desk.project_id)
        lines = {line.name: (line.people, line.classifier, line.photos) for line in figures(session, project).species}
    assert lines == {"Ocelot": (1, 2, 1), "Paca": (0, 0, 0)}


def test_exports_and_the_grid_say_what_a_merged_species_means(labeled: Labeled) -> None:
    desk = labeled.desk
    ocelot, margay, paca = desk.add("Ocelot", "Margay", "Paca")
    labeled.guess({ocelot: 0.3, margay: 0.35, paca: 0.35})
    labeled.say(0, margay, "exported-00001")
    with desk.site.database.writing() as session:
        session.get_one(Box, labeled.boxes[1]).guess_species_id = margay
    desk.send(f"/{margay}/merge", into="Ocelot")
    with desk.site.database.writing() as session:  # as if the worker had not come yet
        session.get_one(Box, labeled.boxes[0]).settled_species_id = margay
    out = io.StringIO()
    with desk.site.database.reading() as session:
        project = session.get_one(Project, desk.project_id)
        write_table(session, desk.site.store, project, "species.csv", out)
    rows = [(row["species"], row["count"], row["source"]) for row in csv.DictReader(io.StringIO(out.getvalue()))]
    assert rows == [("Ocelot", "1", "human"), ("Ocelot", "2", "predicted")]
    tiles = desk.client.get(f"/projects/{desk.project_id}/grid/tiles?of=all&species={ocelot}", headers=JSON).json()
    assert set(str(tiles)) and str(margay) not in {str(each) for each in flat(tiles)}
    assert ocelot in flat(tiles)


def flat(told: object) -> list[object]:
    """Every species that tiles say."""
    found: list[object] = []
    if isinstance(told, dict):
        for name, value in told.items():
            found += value if name in ("said", "guess", "near") and isinstance(value, list) else flat(value)
    elif isinstance(told, list):
        for value in told:
            found += flat(value)
    return found
