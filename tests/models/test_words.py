"""Translations: what is read, what is refused, and that the English catalogue is complete."""

from __future__ import annotations

import ast
import contextvars
import re
from pathlib import Path

import pytest
from jinja2 import nodes

from app.pages import environment
from models.errors import Invalid
from models.translations import read_language, read_languages
from models.words import hear, retold, say, say_many, speak, spoken, translated, written
from tests.messages import POT, ROOT, as_text
from tests.pseudo import write_pseudo

HEAD = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'


def po(folder: Path, body: str, name: str = "de") -> Path:
    """A file of translations."""
    path = folder / f"{name}.po"
    path.write_text(HEAD + body)
    return path


def heard(path: Path, *tellings: object) -> list[object]:
    """What is said in the language of the file."""

    def listen() -> list[object]:
        hear(read_language(path))
        return [telling() for telling in tellings]  # type: ignore[operator]

    return contextvars.copy_context().run(listen)


def test_english_is_what_the_program_says() -> None:
    assert say("Hello %(name)s, 5%%", name="Ana") == "Hello Ana, 5%"
    assert say_many("%(num)s photo", "%(num)s photos", 5657) == "5,657 photos"
    assert say_many("%(num)s photo", "%(num)s photos", 1) == "1 photo"
    assert retold("Finding animals in Ridge") == "Finding animals in Ridge"


def test_a_translation_is_a_file(tmp_path: Path) -> None:
    path = po(
        tmp_path,
        'msgid "Hello %(name)s"\nmsgstr "Guten Tag, %(name)s"\n\n'
        'msgid "%(num)s photo"\nmsgid_plural "%(num)s photos"\nmsgstr[0] "%(num)s Foto"\nmsgstr[1] "%(num)s Fotos"\n',
    )
    told = heard(
        path,
        lambda: say("Hello %(name)s", name="Ana"),
        lambda: say_many("%(num)s photo", "%(num)s photos", 1),
        lambda: say_many("%(num)s photo", "%(num)s photos", 5657),
        lambda: say("Not translated"),
    )
    assert told == ["Guten Tag, Ana", "1 Foto", "5.657 Fotos", "Not translated"]
    assert spoken().code == "en"


def test_what_lies_in_a_row_is_told_again_in_the_readers_language(tmp_path: Path) -> None:
    path = po(
        tmp_path,
        'msgid "Finding animals in %(name)s"\nmsgstr "Sucht Tiere in %(name)s"\n\n'
        'msgid "Stopped: %(why)s"\nmsgstr "Angehalten: %(why)s"\n\nmsgid "the file is empty"\nmsgstr "die Datei ist leer"\n',
    )
    row = written("Finding animals in %(name)s", name="Kamm 100%")
    told = heard(path, lambda: retold(row), lambda: retold("Stopped: the file is empty"), lambda: retold("Another"))
    assert told == ["Sucht Tiere in Kamm 100%", "Angehalten: die Datei ist leer", "Another"]


def test_a_fuzzy_or_empty_translation_is_left_out(tmp_path: Path) -> None:
    path = po(tmp_path, '#, fuzzy\nmsgid "Saved"\nmsgstr "Gerettet"\n\nmsgid "Close"\nmsgstr ""\n')
    assert heard(path, lambda: translated("Saved"), lambda: translated("Close")) == ["Saved", "Close"]


@pytest.mark.parametrize(
    ("english", "other", "why"),
    [
        ("Hello %(name)s", "Guten Tag", "%(name)s is missing"),
        ("Hello %(name)s", "Guten Tag, %(nmae)s %(name)s", "%(nmae)s has no value"),
        ("Half is 50%%", "Halb ist 50%", "a percent sign is written %%"),
        ("Press <kbd>B</kbd>", "Drücke B", "the tags"),
        ("Press B", "Drücke <script>B</script>", "the tags"),
        ("Press B", 'Drücke \\"B\\"', "the tags"),
    ],
)
def test_a_translation_that_would_break_a_page_is_refused(tmp_path: Path, english: str, other: str, why: str) -> None:
    path = po(tmp_path, f'msgid "{english}"\nmsgstr "{other}"\n')
    with pytest.raises(Invalid, match=re.escape(why)) as refused:
        read_language(path)
    assert str(path) in str(refused.value)
    assert english in str(refused.value)


def test_a_file_that_is_no_catalogue_or_names_no_language_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no language"):
        read_language(po(tmp_path, "", "zzzzzz"))
    path = tmp_path / "fr.po"
    path.write_text("this is no catalogue\n")
    with pytest.raises(Invalid, match=r"fr\.po"):
        read_languages([tmp_path])


def test_a_pseudo_translation_of_every_message_is_taken(tmp_path: Path) -> None:
    write_pseudo(tmp_path)
    assert len(read_language(tmp_path / "de.po").messages) > 900


def test_signing_in_changes_the_language_of_the_whole_request(tmp_path: Path) -> None:
    """A route runs in a copy of the request's context, and what it learns of the reader is heard outside of it."""
    german = read_language(po(tmp_path, 'msgid "Saved"\nmsgstr "Gespeichert"\n'))

    def request() -> str:
        hear(read_language(po(tmp_path, "", "fr")))
        contextvars.copy_context().run(speak, german)
        return say("Saved")

    assert contextvars.copy_context().run(request) == "Gespeichert"


def test_the_english_catalogue_is_up_to_date() -> None:
    assert POT.read_text() == as_text(), "words changed: run `make words`"


def test_nothing_is_said_before_there_is_a_reader() -> None:
    """A table at the top of a file marks its words; said there, they would be English for everybody and for good."""
    for path in (path for room in ("app", "models", "worker") for path in sorted((ROOT / room).rglob("*.py"))):
        tree = ast.parse(path.read_text())
        functions = [
            each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        ]
        inside = {id(each) for function in functions for each in ast.walk(function)}
        early = [
            node.lineno
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and id(node) not in inside
            and node.func.id in ("say", "say_many", "translated", "retold", "in_words")
        ]  # fmt: skip
        assert early == [], f"{path}: lines {early}"


def bare(source: str) -> list[str]:
    """Words of a template outside of every message: text, and attributes that are read out."""
    source = re.sub(r"\{#.*?#\}", "", source, flags=re.DOTALL)
    source = re.sub(r"\{%-? *trans\b.*?endtrans *-?%\}", "", source, flags=re.DOTALL)
    spoken_aloud = re.findall(
        r'\b(?:aria-label|title|placeholder|alt)="([^"]*)"', re.sub(r"\{[{%].*?[}%]\}", "", source)
    )
    source = re.sub(r"<(svg|script|style|code|kbd)\b.*?</\1>", "", source, flags=re.DOTALL)
    source = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "", source, flags=re.DOTALL)
    texts = re.findall(r">([^<>]*)<", re.sub(r'"[^"]*"', "", f">{source}<"))
    return [text.strip() for text in [*spoken_aloud, *texts] if re.search(r"[A-Za-z]{2,}", text)]


def phrases(node: nodes.Node) -> list[str]:
    """Phrases of a template's expressions that go through no message."""
    found = []
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.Call) and isinstance(child.node, nodes.Name) and child.node.name in DOORS:
            found += [each for keyword in child.kwargs for each in phrases(keyword)]
        elif isinstance(child, nodes.Const) and isinstance(child.value, str):
            if re.search(r"[a-z]{2,}[,:]? [a-z]{2,}|^, [a-z]|^[A-Z][a-z]+ ", child.value):
                found.append(child.value)
        else:
            found += phrases(child)
    return found


DOORS = ("_", "gettext", "ngettext")
OWN = {"waterhole import", "waterhole fetch-weights", "· Waterhole", "aria-invalid= aria-describedby="}
TEMPLATES = [path for path in sorted((ROOT / "templates").rglob("*.html")) if path.parent.name != "simulation"]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_template_says_nothing_outside_of_messages(path: Path) -> None:
    source = path.read_text()
    said = [*bare(source), *phrases(environment.parse(source))]
    assert [
        words for words in said if " ".join(words.split()) not in OWN and not re.search("/(?:projects|boxes)/", words)
    ] == []
