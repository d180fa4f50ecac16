"""Every English message of templates, Python and scripts. `make words` writes them into locale/waterhole.pot."""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from app.pages import environment

ROOT = Path(__file__).resolve().parent.parent
POT = ROOT / "locale" / "waterhole.pot"
ONE = ("say", "translated", "mark")
COUNTING = ("say_many", "mark_many", "translated_many", "ngettext")
LITERAL = r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
CALL = re.compile(rf"\b(say|sayMany)\(\s*{LITERAL}(?:,\s*{LITERAL})?")
Message = str | tuple[str, str]
HEAD = """\
# Every sentence of Waterhole. Copy this file to <language>.po (de.po, pt_BR.po) and write the translation into each msgstr;
# docs/translating.md says how. `make words` writes this file; nobody edits it.
#
msgid ""
msgstr ""
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


def found() -> Iterator[tuple[str, Message]]:
    """(file, message): every message that a file says, those that count something as (one, many)."""
    for path in sorted((ROOT / "templates").rglob("*.html")):
        for _line, function, message in environment.extract_translations(path.read_text()):  # type: ignore[attr-defined]
            literals = (message,) if isinstance(message, str) else message
            yield shown(path), (literals[0], literals[1]) if function in COUNTING else literals[0]
    for path in (path for room in ("app", "models", "worker") for path in sorted((ROOT / room).rglob("*.py"))):
        for message in in_python(path.read_text()):
            yield shown(path), message
    for path in sorted((ROOT / "static" / "js").rglob("*.js")):
        for message in in_script(path.read_text()):
            yield shown(path), message


def in_python(source: str) -> Iterator[Message]:
    """The literal messages of a file that takes its words from models.words."""
    tree = ast.parse(source)
    doors = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "models.words"
        for alias in node.names
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        literals = [
            each.value for each in node.args[:2] if isinstance(each, ast.Constant) and isinstance(each.value, str)
        ]
        door = doors.get(node.func.id)
        if door in ONE and literals[:1]:
            yield literals[0]
        elif door in COUNTING and len(literals) == 2:
            yield literals[0], literals[1]


def in_script(source: str) -> Iterator[Message]:
    """The literal messages of a script that takes its words from static/js/words.js."""
    if "words.js'" not in source:
        return
    for call in CALL.finditer(source):
        literals = [ast.literal_eval(each) for each in call.groups()[1:] if each]
        yield literals[0] if call[1] == "say" else (literals[0], literals[1])


def catalogue() -> Catalog:
    """The messages in the order of the alphabet, each with the files that say it and no line, so that only words change it."""
    made = Catalog(charset="utf-8")
    for path, message in sorted(found(), key=lambda each: (str(each[1]), each[0])):
        made.add(message, locations=[(path, None)])
    return made


def as_text() -> str:
    """The file."""
    with io.BytesIO() as file:
        write_po(file, catalogue(), width=110, omit_header=True, sort_output=True, include_lineno=False)
        return HEAD + file.getvalue().decode()


def shown(path: Path) -> str:
    """As seen from the root."""
    return path.relative_to(ROOT).as_posix()


if __name__ == "__main__":
    POT.write_text(as_text())
