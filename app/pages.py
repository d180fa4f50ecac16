"""Jinja: one environment, escaped by default, with the few words and numbers every page needs."""

from __future__ import annotations

import datetime as dt
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from app.languages import Languages
from models.words import ENGLISH, figure, retold, say, say_many, spoken, translated, translated_many

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "static"

environment = Environment(
    loader=FileSystemLoader(ROOT / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    extensions=["jinja2.ext.i18n"],
)
environment.policies["ext.i18n.trimmed"] = True
environment.install_gettext_callables(translated, translated_many, newstyle=True)  # type: ignore[attr-defined]


def ngettext(one: str, many: str, num: int, **values: Any) -> Markup:
    """The form that the number asks for, its values escaped; %(num)s is the number with its digits grouped."""
    return Markup(translated_many(one, many, num)) % {"num": figure(num), **values}


def words_of_scripts(request: Request) -> dict[str, Any] | None:
    """What the scripts of a page look up; None in English."""
    languages: Languages = request.app.state.house.languages
    return languages.for_scripts.get(spoken().code)


def page(
    request: Request, template: str, *, status_code: int = 200, headers: dict[str, str] | None = None, **context: Any
) -> HTMLResponse:
    """Render a template. Every page sees `request`, `user` (None when signed out) and what the route gives."""
    context.setdefault("user", getattr(request.state, "user", None))
    context.setdefault("project", None)
    html = environment.get_template(template).render(request=request, **context)
    return HTMLResponse(html, status_code=status_code, headers=headers)


def wants_page(request: Request) -> bool:
    """Whether a person's browser asks for a page (and not a script for JSON)."""
    return "text/html" in request.headers.get("accept", "")


@lru_cache(maxsize=256)
def static_url(path: str) -> str:
    """/static/... with a short hash of the content, so that browsers keep it until it changes."""
    digest = hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:10]
    return f"/static/{path}?v={digest}"


def thousands(number: float | int | None) -> str:
    """5657 -> 5,657; None -> an en dash."""
    return "–" if number is None else figure(number)


def percent(share: float | None) -> str:
    """0.614 -> 61%."""
    return "–" if share is None else f"{share * 100:.0f}%"


def day_of(moment: dt.date) -> str:
    """10 July 2014, or as the reader's language writes it."""
    language = spoken()
    return f"{moment.day} {moment:%B %Y}" if language is ENGLISH else format_date(moment, "long", locale=language.code)


def day_and_month(moment: dt.date) -> str:
    """10 July."""
    language = spoken()
    return (
        f"{moment.day} {moment:%B}" if language is ENGLISH else format_skeleton("MMMMd", moment, locale=language.code)
    )


def month(moment: dt.date) -> str:
    """July 2014."""
    language = spoken()
    return f"{moment:%B %Y}" if language is ENGLISH else format_skeleton("yMMMM", moment, locale=language.code)


def camera_time(moment: dt.datetime | None, zone: str = "", shot: dt.datetime | None = None) -> str:
    """The camera's wall clock, never converted: 10 July 2014, 04:16:55, America/Guyana.

    zone: where somebody said one. shot: as the camera wrote it; named where the clock was corrected.
    """
    if moment is None:
        return say("no time in the photo")
    said = f"{day_of(moment)}, {moment:%H:%M:%S}" + (f", {zone}" if zone else "")
    if shot is None or shot == moment:
        return said
    return say("%(time)s (as shot %(shot)s)", time=said, shot=f"{day_of(shot)}, {shot:%H:%M:%S}")


def clock_time(moment: dt.datetime | None) -> str:
    """The same for tables: 2014-07-10 04:16:55."""
    return "–" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"


def clock_day(moment: dt.datetime | None) -> str:
    """A day of a camera's clock: 2014-07-10."""
    return "–" if moment is None else f"{moment:%Y-%m-%d}"


def server_time(moment: dt.datetime | None) -> str:
    """A moment of the server, in UTC, to the minute."""
    return "–" if moment is None else f"{day_of(moment)}, {moment:%H:%M} UTC"


def server_day(moment: dt.datetime | None) -> str:
    """A day of the server, in UTC."""
    return "–" if moment is None else day_of(moment)


def ago(moment: dt.datetime | None) -> str:
    """now, 12 minutes ago, 3 hours ago, yesterday, or the date; never."""
    if moment is None:
        return say("never")
    minutes = (dt.datetime.now(dt.UTC) - moment).total_seconds() / 60
    if minutes < 2:
        return say("now")
    if minutes < 60:
        return say_many("%(num)s minute ago", "%(num)s minutes ago", round(minutes))
    if minutes < 24 * 60:
        return say_many("%(num)s hour ago", "%(num)s hours ago", round(minutes / 60))
    return say("yesterday") if minutes < 48 * 60 else day_of(moment)


def duration(seconds: float | None) -> str:
    """A few seconds / about 4 minutes / about 2 hours."""
    if seconds is None:
        return ""
    if seconds < 15:
        return say("a few seconds left")
    if seconds < 90:
        return say("about %(count)s seconds left", count=round(seconds / 10) * 10)
    if seconds < 5400:
        return say("about %(count)s minutes left", count=round(seconds / 60))
    return say("about %(count)s hours left", count=round(seconds / 3600))


def bytes_in_words(count: int) -> str:
    """0 bytes, 34 KB, 1.1 MB, 2.2 GB."""
    if count < 1000:
        return say("%(count)s bytes", count=count)
    for unit, size in (("KB", 10**3), ("MB", 10**6)):
        if count < size * 1000:
            number = count / size
            return f"{decimals(number, 1 if number < 10 and unit != 'KB' else 0)} {unit}"
    return f"{decimals(count / 10**9, 1)} GB"


def decimals(number: float, places: int) -> str:
    """1.1, or as the reader's language writes it."""
    language = spoken()
    plain = f"{number:.{places}f}"
    return plain if language is ENGLISH else format_decimal(plain, f"#,##0.{'0' * places}", locale=language.code)


def count_of(number: int, one: str, many: str | None = None) -> str:
    """1 photo, 2 photos, 5,657 photos."""
    return f"{number:,} {one if number == 1 else (many or one + 's')}"


environment.globals.update(
    static_url=static_url,
    count_of=count_of,
    ngettext=ngettext,
    spoken=spoken,
    translated=translated,
    words_of_scripts=words_of_scripts,
)
environment.filters.update(
    ago=ago,
    thousands=thousands,
    percent=percent,
    camera_time=camera_time,
    clock_time=clock_time,
    clock_day=clock_day,
    server_time=server_time,
    duration=duration,
    bytes_in_words=bytes_in_words,
    server_day=server_day,
    retold=retold,
)
