"""Which language a reader gets: their own choice, else what the browser asks for, else English."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from models.translations import read_languages, read_template, texts
from models.words import ENGLISH, Language, hear, speak

LOCALE = Path(__file__).resolve().parent.parent / "locale"
FORMS = 200  # no language's plurals look further back than two digits and whether there are more


class Languages:
    """The languages of this server: English, and one for each .po file that came with it or lies under its home."""

    def __init__(self, home: Path, shipped: Path = LOCALE) -> None:
        """home: WATERHOLE_HOME, with its own folder locale/ or none. Raises Invalid for a file that cannot be used."""
        self.by_code = {ENGLISH.code: ENGLISH} | read_languages((shipped, home / "locale"))
        in_scripts = script_messages(shipped) if len(self.by_code) > 1 else frozenset()
        self.for_scripts = {
            code: for_scripts(each, in_scripts) for code, each in self.by_code.items() if each is not ENGLISH
        }

    def choices(self) -> list[Language]:
        """What a person may choose from, by name; empty when there is only English."""
        return sorted(self.by_code.values(), key=lambda each: each.name.lower()) if len(self.by_code) > 1 else []

    def asked(self, accept: str) -> Language:
        """The first that the header Accept-Language names and that is here; English if none is."""
        for tag in preferred(accept):
            parts = tag.split("_")
            for length in range(len(parts), 0, -1):
                code = "_".join(parts[:length])
                if code in self.by_code:
                    return self.by_code[code]
        return ENGLISH

    def of(self, code: str) -> None:
        """Speak a person's own language from here on; a file that is gone, or no choice, leaves what the browser asked for."""
        if code in self.by_code:
            speak(self.by_code[code])


def for_scripts(language: Language, in_scripts: frozenset[str]) -> dict[str, Any]:
    """What the scripts look up: messages, and by number (0 to 199, then by the last two digits) the place of the form."""
    messages = {each: language.messages[each] for each in sorted(in_scripts) if each in language.messages}
    return {"messages": messages, "forms": [language.form(number) for number in range(FORMS)]}


def script_messages(folder: Path) -> frozenset[str]:
    """The messages that a script says."""
    return frozenset(
        texts(message.id)[0]
        for message in read_template(folder)
        if any(path.startswith("static/") for path, _line in message.locations)
    )


def preferred(accept: str) -> list[str]:
    """de-AT;q=0.9, en -> en, de_AT: by weight, those of the same weight as they stand."""
    weighed = []
    for part in accept.replace(" ", "").split(",")[:20]:
        tag, _, weight = part.partition(";q=")
        language, *rest = tag.split("-")
        try:
            share = float(weight) if weight else 1.0
        except ValueError:
            continue
        if language.isalpha() and share > 0:
            shapes = [each.upper() if len(each) == 2 else each.title() for each in rest]  # AT, Hans
            weighed.append((share, "_".join([language.lower(), *shapes])))
    return [tag for _share, tag in sorted(weighed, key=lambda each: -each[0])]


class Spoken:
    """Each request is answered in the language that its browser asks for; signing in may change it."""

    def __init__(self, app: ASGIApp, *, languages: Languages) -> None:
        """languages: what this server has."""
        self.app, self.languages = app, languages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, in a context of its own."""
        if scope["type"] == "http":
            hear(self.languages.asked(Headers(scope=scope).get("accept-language", "")))
            scope.setdefault("state", {})["languages"] = self.languages
        await self.app(scope, receive, send)
