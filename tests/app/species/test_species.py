"""The species list: what is added, renamed, found, retired; whose key is whose; and names that are only text."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from markupsafe import escape
from sqlalchemy import select

from models.act import Act
from models.membership import Role
from models.project import Project
from models.species import FREE_KEYS, Species
from tests import make
from tests.conftest import Site

ODD_NAMES = (
    "<script>window.__xss = 1</script>", '"><img src=x onerror=alert(1)>', "javascript:alert(1)", "{{ 7 * 7 }}", "{% raw %}",
    "=1+1", "+1", "-1", "@SUM(A1)", "＝1", "مها عربي", "\u202egpj.exe", "🦌 👩‍🌾", "Ñandú", "ỡ" * 200, "a;b", "' or 1=1 --",
)  # fmt: skip


class Desk:
    """An expert in front of the species of a project."""

    def __init__(self, site: Site, client: httpx.Client, project_id: int) -> None:
        """client: signed in; asks for pages unless told otherwise."""
        self.site, self.client, self.path, self.project_id = site, client, f"/projects/{project_id}/species", project_id

    def send(self, path: str = "", **form: str) -> httpx.Response:
        """Send a form as a browser does."""
        return self.client.post(f"{self.path}{path}", data=form)

    def ask(self, **form: str) -> httpx.Response:
        """Add a species as the label page does."""
        return self.client.post(self.path, data=form, headers={"accept": "application/json"})

    def listed(self) -> dict[str, dict[str, object]]:
        """The JSON list by name."""
        return {row["name"]: row for row in self.client.get(f"{self.path}.json").json()}

    def add(self, *names: str) -> list[int]:
        """Species straight into the database."""
        with self.site.database.writing() as session:
            return [each.id for each in make.species(session, session.get_one(Project, self.project_id), *names)]

    def show(self, path: str = "") -> str:
        """A page."""
        return self.client.get(f"{self.path}{path}").text


def desk_at(site: Site) -> Iterator[Desk]:
    """A new project, its expert signed in."""
    with site.database.writing() as session:
        who = make.user(session)
        project_id, token = make.project(session, (who, Role.expert)).id, make.token(session, who)
    with site.client(token, accept="text/html") as client:
        yield Desk(site, client, project_id)


@pytest.fixture
def desk(sqlite_site: Site) -> Iterator[Desk]:
    """Over SQLite, where the kind does not matter."""
    yield from desk_at(sqlite_site)


@pytest.fixture
def both_desks(site: Site) -> Iterator[Desk]:
    """Over each kind of database."""
    yield from desk_at(site)


def test_an_empty_list_says_how_to_begin(desk: Desk) -> None:
    assert "No species yet. Paste a list, one a line, or add them while labeling." in desk.show()
    assert [row["kind"] for row in desk.listed().values()] == ["not_animal", "cannot_tell", "person", "vehicle"]


def test_a_species_is_added_with_the_next_free_key_or_the_one_asked_for(desk: Desk) -> None:
    assert desk.send(name="Jaguar", scientific_name="Panthera onca", key="").status_code == 303
    assert desk.send(name="Puma", key="q").status_code == 303
    assert desk.send(name="Ocelot").status_code == 303
    listed = desk.listed()
    assert [listed[name]["hotkey"] for name in ("Jaguar", "Puma", "Ocelot")] == ["1", "Q", "2"]
    jaguar = listed["Jaguar"]
    del jaguar["id"]
    assert jaguar == {
        "kind": "taxon", "name": "Jaguar", "scientific_name": "Panthera onca", "rank": "species", "hotkey": "1", "synonyms": [],
        "parent_id": None, "sensitivity": "",
    }  # fmt: skip


def test_the_label_page_adds_a_species_and_gets_its_id_and_key(desk: Desk) -> None:
    answer = desk.ask(name="Jaguar", scientific_name="Panthera onca")
    assert answer.status_code == 200
    assert answer.json() == desk.listed()["Jaguar"]
    refused = desk.ask(name=" jaguar ")
    assert refused.status_code == 422
    assert refused.json()["error"] == "name: jaguar is already in the list"


def test_the_same_click_twice_adds_one(both_desks: Desk) -> None:
    desk = both_desks
    form = {"name": "Jaguar", "idempotency_key": "click-number-1"}
    assert desk.ask(**form).json() == desk.ask(**form).json()
    assert desk.ask(**(form | {"name": "Puma"})).status_code == 422
    assert [name for name, row in desk.listed().items() if row["kind"] == "taxon"] == ["Jaguar"]


def test_a_key_in_use_names_its_owner_and_the_free_ones(desk: Desk) -> None:
    with desk.site.database.writing() as session:
        for key in set(FREE_KEYS) - set("LOQ"):
            Species.add(session, desk.project_id, f"Species {key}", hotkey=key)
        Species.add(session, desk.project_id, "Opossum", hotkey="O")
    for key in ("O", "o", " o "):
        answer = desk.send(name="Southern naked-tailed armadillo", key=key)
        assert answer.status_code == 422
        assert "O belongs to Opossum. Free: L, Q." in answer.text
        assert 'aria-describedby="add-key-error add-key-help"' in answer.text
        assert 'value="Southern naked-tailed armadillo"' in answer.text
    for key, words in (
        ("X", "X belongs to Not an animal. Free: L, Q."),
        ("S", "S is not a key for a species. Free: L, Q."),
        ("LQ", "LQ is not a key for a species"),
        ("ä", "Ä is not a key for a species"),
        ("\x00", "is not a key for a species"),
    ):
        assert words in desk.send(name="Armadillo", key=key).text
    assert "Armadillo" not in desk.listed()


def test_a_refused_species_leaves_nothing_behind(desk: Desk) -> None:
    desk.send(name="Jaguar", key="X", idempotency_key="click-number-1")
    assert "Jaguar" not in desk.listed()
    with desk.site.database.reading() as session:
        assert session.scalars(select(Act)).all() == []
    assert desk.send(name="Jaguar", key="J", idempotency_key="click-number-1").status_code == 303


def test_the_key_is_changed_freed_and_given_again(desk: Desk) -> None:
    jaguar, puma = desk.add("Jaguar", "Puma")
    taken = desk.send(f"/{puma}/key", key="1")
    assert taken.status_code == 422
    assert "1 belongs to Jaguar. Free: 3, 4," in taken.text
    assert 'id="hotkey-key-error"' in taken.text
    assert desk.send(f"/{jaguar}/key", key="").status_code == 303
    assert desk.send(f"/{puma}/key", key="1").status_code == 303
    assert desk.send(f"/{puma}/key", key="1").status_code == 303
    assert (desk.listed()["Jaguar"]["hotkey"], desk.listed()["Puma"]["hotkey"]) == (None, "1")


def test_names_are_text_whatever_they_are(both_desks: Desk) -> None:
    desk = both_desks
    for name in ODD_NAMES:
        answer = desk.ask(name=name, key="")
        assert answer.status_code == 200, answer.text
        assert answer.json()["name"] == name
    shown = desk.show()
    for name in ODD_NAMES:
        assert f"<bdi>{escape(name)}</bdi>" in shown
        assert desk.ask(name=name, key="").status_code == 422  # it is found again, whatever its letters
    assert "<script>window" not in shown
    assert "<img src=x" not in shown
    species_id = desk.listed()[ODD_NAMES[0]]["id"]
    assert "<script>window" not in desk.show(f"/{species_id}/edit")


def test_names_that_cannot_be_shown_are_refused_at_their_field(desk: Desk) -> None:
    (puma,) = desk.add("Puma")
    for name in ("", "   ", "x" * 201, "a\x00b", "a\x1b[31mb", "\ue000"):
        for path, field in (
            ("", "add-name"),
            (f"/{puma}/rename", "rename-name"),
            (f"/{puma}/synonyms", "synonym-name"),
        ):
            answer = desk.send(path, name=name)
            assert answer.status_code == 422, (path, name)
            assert f'id="{field}-error"' in answer.text
    assert desk.listed()["Puma"]["synonyms"] == []


def test_a_renamed_species_keeps_its_answers_and_its_history(desk: Desk) -> None:
    puma, _jaguar = desk.add("Puma", "Jaguar")
    with desk.site.database.writing() as session:
        project, who = session.get_one(Project, desk.project_id), make.user(session)
        act = Act.once(session, who.id, "an-answer", "answer", {}, project.id)[0]
        box = make.box(session, make.image(session, make.batch(session, project)))
        box.answer(session, session.get_one(Species, puma), by=who.id, role=Role.annotator, act=act)
        box.guess_species_id = puma
    assert desk.send(f"/{puma}/rename", name="Cougar", scientific_name="Puma concolor").status_code == 303
    shown = desk.show().replace("\n", "")
    assert (
        '<bdi>Cougar</bdi></span> <em><bdi>Puma concolor</bdi></em></td><td class="maybe quiet">species</td>'
        '<td class="n">1</td><td class="n maybe">1</td>' in shown
    )
    assert "already in the list" in desk.send(f"/{puma}/rename", name="JAGUAR").text
    assert desk.send(f"/{puma}/rename", name="cougar").status_code == 303
    history = desk.client.get(f"/projects/{desk.project_id}/settings").text
    assert "Name: <bdi>Puma</bdi> → <bdi>Cougar</bdi>" in history


def test_a_species_is_found_under_its_other_names(both_desks: Desk) -> None:
    desk = both_desks
    puma, jaguar = desk.add("Puma", "Jaguar")
    assert desk.send(f"/{puma}/synonyms", name="Ñandú, not really").status_code == 303
    assert desk.listed()["Puma"]["synonyms"] == ["Ñandú, not really"]
    refused = desk.send(f"/{jaguar}/synonyms", name="ñandú, NOT really")
    assert refused.status_code == 422
    assert "is already in the list, as Puma" in refused.text
    assert desk.ask(name="ÑANDÚ, not really").status_code == 422
    synonym_id = desk.show(f"/{puma}/edit").split("/synonyms/")[1].split("/")[0]
    assert desk.send(f"/{jaguar}/synonyms/{synonym_id}/remove").status_code == 404
    for _ in range(2):
        assert desk.send(f"/{puma}/synonyms/{synonym_id}/remove").status_code == 303
    assert desk.listed()["Puma"]["synonyms"] == []


def test_a_retired_species_leaves_the_list_and_its_key_but_can_come_back(desk: Desk) -> None:
    (puma,) = desk.add("Puma")
    for _ in range(2):
        assert desk.send(f"/{puma}/retire").status_code == 303
    assert "Puma" not in desk.listed()
    assert "Retired" in desk.show()
    assert "Puma was retired. Bring Puma back instead." in desk.send(name="Puma").text
    assert desk.ask(name="Jaguar").json()["hotkey"] == "1"
    assert desk.send(f"/{puma}/bring-back").status_code == 303
    assert desk.listed()["Puma"]["hotkey"] is None


def test_a_pasted_list_goes_in_with_keys_and_without_those_already_there(both_desks: Desk) -> None:
    desk = both_desks
    desk.add("Puma")
    names = "Jaguar; Panthera onca\r\nLowland tapir\tTapirus terrestris\tmammal\r\n\r\n  puma \nJAGUAR\nÑandú"
    answer = desk.send("/list", names=names)
    assert answer.headers["location"] == f"{desk.path}?added=3&known=2#main"
    assert "3 species were added. 2 names were in the list already." in desk.show("?added=3&known=2")
    found = {
        name: (row["scientific_name"], row["hotkey"]) for name, row in desk.listed().items() if row["kind"] == "taxon"
    }
    assert found == {
        "Puma": ("", "1"), "Jaguar": ("Panthera onca", "2"), "Lowland tapir": ("Tapirus terrestris", "3"), "Ñandú": ("", "4"),
    }  # fmt: skip


def test_a_list_with_a_bad_line_names_it_and_adds_nothing(desk: Desk) -> None:
    for names, words in (
        ("Jaguar\n" + "x" * 201, "Line 2, name: between 1 and 200 characters"),
        ("Jaguar\n; Panthera onca", "Line 2, name: between 1 and 200 characters"),
        ("Jaguar; \x00", "Line 1, name: it has a character that cannot be shown"),
        ("", "1 to 500 lines"),
        ("\n \n", "1 to 500 lines"),
        ("\n".join(f"Species {number}" for number in range(501)), "1 to 500 lines"),
    ):
        answer = desk.send("/list", names=names)
        assert answer.status_code == 422
        assert words in answer.text
        assert 'id="list-names-error"' in answer.text
    assert len(desk.listed()) == 4
    assert desk.send("/list", names="\n".join(f"Species {number}" for number in range(500))).status_code == 303
    assert len(desk.listed()) == 504


def test_of_eight_who_add_the_same_name_at_once_one_does(both_desks: Desk) -> None:
    desk = both_desks
    with ThreadPoolExecutor(8) as pool:
        sent = [answer.status_code for answer in pool.map(lambda _number: desk.ask(name="Jaguar"), range(8))]
    assert sorted(sent) == [200] + [422] * 7
    assert len(desk.listed()) == 5


def test_of_eight_who_want_the_same_key_at_once_one_gets_it(both_desks: Desk) -> None:
    desk = both_desks
    with ThreadPoolExecutor(8) as pool:
        sent = list(pool.map(lambda number: desk.ask(name=f"Species {number}", key="Q").status_code, range(8)))
    assert sorted(sent) == [200] + [422] * 7


def test_species_of_another_project_are_not_found(both_desks: Desk) -> None:
    desk = both_desks
    with desk.site.database.writing() as session:
        (foreign,) = make.species(session, make.project(session), "Puma")
        foreign_id = foreign.id
    for species_id in (foreign_id, 0, -1, 999_999, 2**31, 2**63):
        assert desk.client.get(f"{desk.path}/{species_id}/edit").status_code == 404
        for act in ("rename", "key", "synonyms", "retire", "bring-back", "synonyms/1/remove"):
            assert desk.send(f"/{species_id}/{act}", name="Mine", key="Q").status_code == 404
    with desk.site.database.reading() as session:
        untouched = session.get_one(Species, foreign_id)
        assert (untouched.name, untouched.hotkey, untouched.retired_at) == ("Puma", "1", None)


def test_the_four_fixed_answers_stay_as_they_are(desk: Desk) -> None:
    person = desk.listed()["Person"]["id"]
    for act in ("rename", "key", "synonyms", "retire", "bring-back"):
        assert desk.send(f"/{person}/{act}", name="Hunter", key="Q").status_code == 422
    assert desk.listed()["Person"]["hotkey"] == "P"


def test_more_species_than_keys_are_found_by_typing(desk: Desk) -> None:
    desk.add(*(f"Species {number}" for number in range(len(FREE_KEYS))))
    assert desk.ask(name="One more").json()["hotkey"] is None
    assert "Every key is taken. New species are found by typing." in desk.show()
    assert "1 belongs to Species 0. Free: none." in desk.send(name="Another", key="1").text
