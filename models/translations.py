"""Translations: the .po files of a folder, read at start and held against the English messages before anybody sees them."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterable
from gettext import c2py
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog
from babel.messages.pofile import PoFileError, read_po

from models.errors import Invalid
from models.words import Language

PLACEHOLDER = re.compile(r"%\((\w+)\)([a-z])|(%%)|(%)")
TAG = re.compile(r"</?[a-z][^<>]*>")
TEMPLATE = "waterhole.pot"  # every English message


def read_languages(folders: Iterable[Path]) -> dict[str, Language]:
    """code -> language of each .po file; a later folder's file counts. Raises Invalid, naming file and message."""
    files = {path.stem: path for folder in folders if folder.is_dir() for path in sorted(folder.glob("*.po"))}
    return {code: read_language(path) for code, path in sorted(files.items())}


def read_language(path: Path) -> Language:
    """One file, named by its language: de.po, pt_BR.po. Raises Invalid when a reader would see something broken."""
    try:
        locale = Locale.parse(path.stem)
        catalog = read_po(io.BytesIO(path.read_bytes()), locale=path.stem, abort_invalid=True)
        form = c2py(catalog.plural_expr)
    except UnknownLocaleError as error:
        raise Invalid(f"{path}: {path.stem!r} is no language; a file is named like de.po or pt_BR.po") from error
    except (PoFileError, ValueError, LookupError) as error:
        raise Invalid(f"{path}: not a catalogue that can be read: {error}") from error
    messages: dict[str, tuple[str, ...]] = {}
    for message in catalog:
        english, forms = texts(message.id), texts(message.string)
        if not english[0] or message.fuzzy or not all(forms):
            continue
        for translation in forms:
            why = difference(english, translation)
            if why:
                raise Invalid(f"{path}: {why}, in the translation of {english[0]!r}")
        messages[english[0]] = forms
    return Language(path.stem, locale.get_language_name(path.stem) or path.stem, messages, form)


def texts(text: object) -> tuple[str, ...]:
    """A message or its forms, as Babel has them: one text, or several where it counts something."""
    return tuple(map(str, text)) if isinstance(text, list | tuple) else (str(text or ""),)


def difference(english: tuple[str, ...], translation: str) -> str:
    """What the translation has that the English lacks, or lacks that it needs; "" when nothing. english: its forms."""
    if any(match[4] for match in PLACEHOLDER.finditer(translation)):
        return "a percent sign is written %%"
    has, may = placeholders(translation), set().union(*map(placeholders, english))
    must = set.intersection(*map(placeholders, english)) - ({"num"} if len(english) > 1 else set())
    if has - may:
        return f"%({min(has - may)})s has no value"
    if must - has:
        return f"%({min(must - has)})s is missing"
    if all(marks(translation) != marks(each) for each in english):
        return 'the tags and the signs < > " differ'
    return ""


def placeholders(message: str) -> set[str]:
    """The names of the values that are put in."""
    return {match[1] for match in PLACEHOLDER.finditer(message) if match[1] and match[2] == "s"}


def marks(message: str) -> Counter[str]:
    """The tags of a message and its other signs that mean something to a page, with how often they come."""
    return Counter(TAG.findall(message)) + Counter(re.findall(r'[<>"]', TAG.sub("", message)))


def read_template(folder: Path) -> Catalog:
    """Every English message with the files that say it."""
    return read_po(io.BytesIO((folder / TEMPLATE).read_bytes()))
