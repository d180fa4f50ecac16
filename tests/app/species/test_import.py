"""Species lists in and out: what a file would do is told first, bad rows say where and why, and what goes out comes in again."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from app.species import importing, listing, sheet
from app.species.plan import Plan, planned
from models.database import Database
from models.errors import Invalid
from models.membership import Membership, Role
from models.merging import merge
from models.names import name_in, set_id
from models.species import RANKS, SENSITIVITIES, CommonName, Species, TaxonId
from models.taxonomy import place_below, tree_of
from tests import make
from tests.app.species.test_species import Desk, both_desks, desk

__all__ = ["both_desks", "desk"]
JSON = {"accept": "application/json"}
CATS = """name,scientific_name,rank,parent,key,sensitivity,synonyms,name:es,name:pt-br,id:gbif
Cat family,Felidae,family,,,,,,,9703
Jaguar,Panthera onca,species,Cat family,5,high,Otorongo | Tigre,Yaguareté | Jaguar,Onça-pintada,5219426
Ocelot,Leopardus pardalis,species,Cat family,,,,,,
"""


def look(desk: Desk, content: str | bytes, *, status: int = 200) -> dict[str, object]:
    """What the file would do."""
    encoded = content.encode() if isinstance(content, str) else content
    files = {"file": ("species.csv", encoded, "text/csv")}
    asked = desk.client.post(f"{desk.path}/import", files=files, headers=JSON)
    assert asked.status_code == status, asked.text
    return asked.json()  # type: ignore[no-any-return]


def bring(desk: Desk, content: str) -> dict[str, object]:
    """Look, then import."""
    seen = str(look(desk, content)["seen"])
    sent = {"text": content, "encoding": sheet.UTF_8, "seen": seen}
    done = desk.client.post(f"{desk.path}/import/confirm", data=sent, headers=JSON)
    assert done.status_code == 200, done.text
    return done.json()  # type: ignore[no-any-return]


def plan_of(session: Session, project_id: int, text: str) -> Plan:
    """The plan of a text."""
    return planned(session, project_id, sheet.read(text))


def test_a_file_is_shown_before_it_is_stored_and_then_goes_in(both_desks: Desk) -> None:
    desk = both_desks
    told = look(desk, CATS)
    assert told["new"] == ["Cat family", "Jaguar", "Ocelot"] and told["bad"] == [] and told["unread"] == []
    assert "Jaguar" not in desk.listed()
    assert bring(desk, CATS) == {"added": 3, "changed": 0}
    listed = desk.listed()
    assert (listed["Jaguar"]["hotkey"], listed["Ocelot"]["hotkey"]) == ("5", None)
    with desk.site.database.reading() as session:
        jaguar = Species.named(session, desk.project_id, "otorongo")
        assert jaguar is not None and (jaguar.name, jaguar.sensitivity) == ("Jaguar", "high")
        family = Species.named(session, desk.project_id, "felidae")
        assert family is not None and jaguar.parent_id == family.id
        names = {(each.language, each.name) for each in session.query(CommonName).filter_by(species_id=jaguar.id)}
        assert names == {("es", "Yaguareté"), ("es", "Jaguar"), ("pt-BR", "Onça-pintada")}
        assert session.query(TaxonId).filter_by(species_id=jaguar.id).one().value == "5219426"
    again = look(desk, CATS)
    assert (again["new"], again["changes"], again["same"]) == ([], {}, 3)


def test_columns_of_higher_taxa_make_the_ones_that_are_missing(desk: Desk) -> None:
    desk.send(name="Felidae", scientific_name="Felidae", rank="family")
    text = "common_name;scientific_name;class;order;family;genus\n" + "".join(
        f"{line}\n" for line in (
            "Jaguar;Panthera onca;Mammalia;Carnivora;Felidae;Panthera", "Puma;Puma concolor;Mammalia;Carnivora;Felidae;Puma",
            "Currasow;Crax rubra;Aves;;Cracidae;",
        )
    )  # fmt: skip
    told = look(desk, text)
    assert told["separator"] == "semicolons"
    assert told["new"] == [
        "Mammalia", "Carnivora", "Panthera", "Puma (genus)", "Aves", "Cracidae", "Jaguar", "Puma", "Currasow",
    ]  # fmt: skip
    assert told["changes"] == {"Felidae": ["parent: Carnivora"]}
    bring(desk, text)
    with desk.site.database.reading() as session:
        names = {each.id: each.name for each in session.query(Species)}
        tree = tree_of(session, desk.project_id)
        lines = {names[each]: [names[up] for up in tree.above(each)] for each, _depth in tree.walk()}
    assert lines["Jaguar"] == ["Panthera", "Felidae", "Carnivora", "Mammalia"]
    assert lines["Puma"] == ["Puma (genus)", "Felidae", "Carnivora", "Mammalia"]
    assert lines["Currasow"] == ["Cracidae", "Aves"]


def test_a_level_whose_name_is_taken_gets_one_that_is_free(desk: Desk) -> None:
    desk.add("Puma", "Puma (genus)")
    text = "name,genus\nCougar,Puma\nTruck,Vehicle\n"
    assert look(desk, text)["new"] == ["Puma (genus 2)", "Vehicle (genus)", "Cougar", "Truck"]
    assert bring(desk, text)["added"] == 4


def test_each_bad_row_says_line_column_and_reason_and_the_good_rows_go_in(desk: Desk) -> None:
    desk.add("Opossum")
    key = desk.listed()["Opossum"]["hotkey"]
    text = "\n".join((
        "name,rank,parent,key,sensitivity,synonyms,id:gbif,colour",
        "Jaguar,species,,,,,,red",
        "Puma,tribe,,,secret,,,",
        "Ocelot,species,Nobody,,,,,",
        f"Tapir,species,,{key},,,,",
        "Jaguar,species,,,,,,",
        "Agouti,species,,X,,,,",
        "Paca,species,,,,Opossum | Spotted paca,,",
        ",,,,low,,,",
        "Person,species,,,,,,",
        "One,group,Two,,,,,",
        "Two,group,Three,,,,,",
        "Three,group,One,,,,,",
        "Four,group,Ocelot,,,,,",
        "Five,group,Three,,,,,",
    ))  # fmt: skip
    told = look(desk, text)
    bad = [(each["line"], each["field"], each["reason"]) for each in told["bad"]]  # type: ignore[attr-defined]
    assert bad == [
        (3, "rank", "'tribe' is not one of species, genus, family, order, class, phylum, kingdom, group"),
        (3, "sensitivity", "secret is not one of low, medium, high, extreme"),
        (4, "parent", "Nobody is neither in the file nor in the list"),
        (5, "key", f"{key} belongs to Opossum"),
        (6, "name", "line 2 is about Jaguar already"),
        (7, "key", "X is not a key for a species"),
        (8, "synonyms", "Opossum is a name of Opossum already"),
        (9, "name", "it is empty"),
        (10, "name", "Person is no taxon and belongs to every project"),
        (11, "parent", "One would stand above itself"),
        (12, "parent", "Two would stand above itself"),
        (13, "parent", "Three would stand above itself"),
        (14, "parent", "Ocelot does not go in (line 4)"),
        (15, "parent", "Three does not go in"),
    ]
    assert told["new"] == ["Jaguar"] and told["unread"] == ["colour"]
    assert bring(desk, text) == {"added": 1, "changed": 0}


def test_a_row_changes_what_it_says_and_leaves_what_it_does_not(desk: Desk) -> None:
    bring(desk, CATS)
    told = look(
        desk, "name,sensitivity,key,synonyms,name:es,id:gbif\nOtorongo,low,,Tigre | Onza,,1\nOcelot,,7,,Ocelote,\n"
    )
    assert told["new"] == [] and told["same"] == 0
    assert told["changes"] == {
        "Jaguar": ["sensitivity: high → low", "id:gbif: 5219426 → 1", "+ Onza"], "Ocelot": ["key: 7", "+ es: Ocelote"],
    }  # fmt: skip
    bring(desk, "name,sensitivity,key,synonyms,name:es,id:gbif\nOtorongo,low,,Tigre | Onza,,1\nOcelot,,7,,Ocelote,\n")
    with desk.site.database.reading() as session:
        jaguar = Species.named(session, desk.project_id, "onza")
        assert jaguar is not None and (jaguar.name, jaguar.sensitivity, jaguar.hotkey) == ("Jaguar", "low", "5")
        assert session.query(TaxonId).filter_by(species_id=jaguar.id).one().value == "1"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("\ufeffname;name:es\nPaca;Agutí\n".encode(), "UTF-8"),
        ("name\tname:es\nPaca\tAgutí\n".encode("utf-16"), "UTF-16"),
        ("name,name:es\r\nPaca,Agutí\r\n".encode("cp1252"), "Latin-1 (Windows-1252)"),
        ("name,name:es\nPaca,Agutí\n".encode("utf-16-be"), "UTF-16"),
    ],
)
def test_the_letters_of_a_file_are_read_and_said(desk: Desk, content: bytes, encoding: str) -> None:
    told = look(desk, content)
    assert (told["encoding"], told["new"]) == (encoding, ["Paca"])
    text, _encoding = sheet.decoded(content)
    assert "Agutí" in text
    sent = {"text": text, "encoding": encoding, "seen": told["seen"]}
    assert desk.client.post(f"{desk.path}/import/confirm", data=sent, headers=JSON).json()["added"] == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "file: it is empty"), (b"\n\n", "file: it is empty"), (b"colour\nred\n", "no column called name"),
        (b"name,NAME\na,b\n", "the column stands there twice"), (b"name,common_name\na,b\n", "two columns say name"),
        (b"name,name:klingon!\na,b\n", "is no language tag"), (b'name\n"open\n', "cannot be read as a table"),
        (b"name\na,b\n", "more cells than the header"), (b"name\n" + b"x" * 5000, "a cell of more than"),
        (b"\x00\x01\x02" * 9, "file: "), (b"name\n" + b"a\n" * 2_100_000, "more than 4 MB"),
        (b"name\n" + b"".join(b"s%d\n" % each for each in range(10_001)), "more than 10,000 rows"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_list_says_so(desk: Desk, content: bytes, words: str) -> None:
    assert words in str(look(desk, content, status=422)["error"])


def test_a_list_that_changed_since_it_was_shown_is_shown_again(desk: Desk) -> None:
    told = look(desk, CATS)
    desk.add("Jaguar")
    sent = {"text": CATS, "encoding": sheet.UTF_8, "seen": str(told["seen"])}
    again = desk.client.post(f"{desk.path}/import/confirm", data=sent, headers=JSON)
    assert again.status_code == 409 and again.json()["new"] == ["Cat family", "Ocelot"]
    assert "Ocelot" not in desk.listed()
    page = desk.client.post(f"{desk.path}/import/confirm", data=sent)
    assert page.status_code == 409 and "The list changed since you looked" in page.text


def test_the_page_shows_the_plan_and_its_button_imports_it(desk: Desk) -> None:
    odd = 'name,synonyms\n"<script>x</script>","\'=1+1"\n'
    shown = desk.client.post(f"{desk.path}/import", files={"file": ("a.csv", odd.encode(), "text/csv")}).text
    assert "Read as UTF-8, cells between commas: 1 row." in shown and "<script>x" not in shown
    seen = re.search(r'name="seen" value="(\w+)"', shown)
    assert seen
    done = desk.client.post(f"{desk.path}/import/confirm", data={"text": odd, "encoding": "UTF-8", "seen": seen[1]})
    assert done.status_code == 303
    with desk.site.database.reading() as session:
        assert Species.named(session, desk.project_id, "=1+1") is not None
    assert "'=1+1" in desk.show("/list.csv")


NAME = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Co", "Cn")) | st.sampled_from("\\|=,;\"'@-"), min_size=1, max_size=12
).filter(lambda name: name.strip())
ROW = st.fixed_dictionaries({
    "name": NAME, "scientific": st.just("") | NAME, "rank": st.sampled_from(RANKS), "synonyms": st.lists(NAME, max_size=2),
    "sensitivity": st.sampled_from(SENSITIVITIES),
    "common": st.lists(st.tuples(st.sampled_from(["es", "pt-BR"]), NAME), max_size=2),
    "gbif": st.just("") | NAME, "parent": st.none() | st.integers(0, 5), "retired": st.booleans(), "keyed": st.booleans(),
})  # fmt: skip


def build(session: Session, project_id: int, rows: list[dict[str, object]]) -> None:
    """A list as people make one; what the rules refuse is left out."""
    made: list[Species] = []
    for row in rows:
        try:
            species = Species.add(
                session, project_id, str(row["name"]), scientific_name=str(row["scientific"]), rank=str(row["rank"]),
                hotkey="auto" if row["keyed"] else None,
            )  # fmt: skip
        except Invalid:
            continue
        made.append(species)
        species.sensitivity = str(row["sensitivity"])
        for name in row["synonyms"]:  # type: ignore[attr-defined]
            quietly(lambda name=name, species=species: species.add_synonym(session, name))
        for language, name in row["common"]:  # type: ignore[attr-defined]
            quietly(lambda language=language, name=name, species=species: name_in(session, species, language, name))
        if row["gbif"]:
            set_id(session, species, "gbif", str(row["gbif"]))
        if row["retired"]:
            species.retire()
    for species, row in zip(made, rows, strict=False):
        parent = row["parent"]
        if isinstance(parent, int) and parent < len(made):
            quietly(lambda species=species, parent=parent: place_below(session, species, made[parent]))
    session.flush()


def quietly(act: object) -> None:
    """Do it unless a rule says no."""
    try:
        act()  # type: ignore[operator]
    except Invalid:
        return


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, max_size=7))
def test_what_goes_out_comes_in_again(sqlite_database: Database, rows: list[dict[str, object]]) -> None:
    with sqlite_database.writing() as session:
        first, second = make.project(session), make.project(session)
        build(session, first.id, rows)
        out = "".join(listing.written(session, first.id))
        plan = plan_of(session, second.id, sheet.decoded(out.encode())[0])
        assert plan.problems == []
        importing.carry_out(session, second.id, plan)
        assert "".join(listing.written(session, second.id)) == out
        again = plan_of(session, second.id, out)
        assert (again.new, again.changes, again.problems) == ([], [], [])


def test_a_merged_species_goes_out_as_a_synonym_and_the_same_list_reads_as_no_change(sqlite_database: Database) -> None:
    with sqlite_database.writing() as session:
        project, other = make.project(session), make.project(session)
        one, two = make.species(session, project, "Tigrillo", "Ocelot")
        one.add_synonym(session, "Manigordo")
        merge(session, project, one, two)
        out = "".join(listing.written(session, project.id))
        assert out.splitlines()[1:] == ["Ocelot,,species,,2,,Tigrillo | Manigordo,"]
        assert plan_of(session, project.id, out).same == 1
        importing.carry_out(session, other.id, plan_of(session, other.id, out))
        assert "".join(listing.written(session, other.id)) == out


def test_five_thousand_species_take_seconds(desk: Desk) -> None:
    rows = "".join(
        f"Species {each},Genus{each % 900} species{each},Family{each % 90},Genus{each % 900}\n" for each in range(5000)
    )
    text = "name,scientific_name,family,genus\n" + rows
    began = time.monotonic()
    assert bring(desk, text) == {"added": 5990, "changed": 0}
    assert time.monotonic() - began < 30
    began = time.monotonic()
    assert look(desk, desk.show("/list.csv"))["same"] == 5990
    assert time.monotonic() - began < 15


def test_only_experts_import_and_members_download(desk: Desk) -> None:
    with desk.site.database.writing() as session:
        viewer = make.user(session)
        Membership.grant(session, desk.project_id, viewer.id, Role.viewer)
        token, stranger = make.token(session, viewer), make.token(session, make.user(session))
    with desk.site.client(token) as client:
        assert client.get(f"{desk.path}/list.csv").status_code == 200
        assert client.get(f"{desk.path}/import").status_code == 403
        sent = {"file": ("a.csv", b"name\nJaguar\n", "text/csv")}
        assert client.post(f"{desk.path}/import", files=sent).status_code == 403
        assert client.post(f"{desk.path}/import/confirm", data={"text": "name\nJaguar\n"}).status_code == 403
    with desk.site.client(stranger) as client:
        assert client.get(f"{desk.path}/list.csv").status_code == 404
