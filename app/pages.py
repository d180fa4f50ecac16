"""Jinja: one environment, escaped by default, with the few words and numbers every page needs."""

from __future__ import annotations

import datetime as dt
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from models.words import say, translated, translated_many

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
    return "–" if number is None else f"{number:,}"


def percent(share: float | None) -> str:
    """0.614 -> 61%."""
    return "–" if share is None else f"{share * 100:.0f}%"


def camera_time(moment: dt.datetime | None, zone: str = "", shot: dt.datetime | None = None) -> str:
    """The camera's wall clock, never converted: 10 July 2014, 04:16:55, America/Guyana.

    zone: where somebody said one. shot: as the camera wrote it; named where the clock was corrected.
    """
    if moment is None:
        return say("no time in the photo")
    said = f"{moment.day} {moment:%B %Y, %H:%M:%S}" + (f", {zone}" if zone else "")
    if shot is None or shot == moment:
        return said
    return say("%(time)s (as shot %(shot)s)", time=said, shot=f"{shot.day} {shot:%B %Y, %H:%M:%S}")


def server_time(moment: dt.datetime | None) -> str:
    """A moment of the server, in UTC, to the minute."""
    return "–" if moment is None else f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def server_day(moment: dt.datetime | None) -> str:
    """A day of the server, in UTC."""
    return "–" if moment is None else f"{moment.day} {moment:%B %Y}"


def ago(moment: dt.datetime | None) -> str:
    """now, 12 minutes ago, 3 hours ago, yesterday, or the date; never."""
    if moment is None:
        return "never"
    minutes = (dt.datetime.now(dt.UTC) - moment).total_seconds() / 60
    if minutes < 60:
        return "now" if minutes < 2 else f"{minutes:.0f} minutes ago"
    if minutes < 24 * 60:
        return f"{count_of(round(minutes / 60), 'hour')} ago"
    return "yesterday" if minutes < 48 * 60 else f"{moment.day} {moment:%B %Y}"


def duration(seconds: float | None) -> str:
    """A few seconds / about 4 minutes / about 2 hours."""
    if seconds is None:
        return ""
    if seconds < 15:
        return "a few seconds left"
    if seconds < 90:
        return f"about {round(seconds / 10) * 10} seconds left"
    if seconds < 5400:
        return f"about {round(seconds / 60)} minutes left"
    return f"about {round(seconds / 3600)} hours left"


def bytes_in_words(count: int) -> str:
    """0 bytes, 34 KB, 1.1 MB, 2.2 GB."""
    if count < 1000:
        return f"{count} bytes"
    for unit, size in (("KB", 10**3), ("MB", 10**6)):
        if count < size * 1000:
            figure = count / size
            return f"{figure:.1f} {unit}" if figure < 10 and unit != "KB" else f"{figure:.0f} {unit}"
    return f"{count / 10**9:.1f} GB"


def count_of(number: int, one: str, many: str | None = None) -> str:
    """1 photo, 2 photos, 5,657 photos."""
    return f"{number:,} {one if number == 1 else (many or one + 's')}"


environment.globals.update(static_url=static_url, count_of=count_of)
environment.filters.update(
    ago=ago,
    thousands=thousands,
    percent=percent,
    camera_time=camera_time,
    server_time=server_time,
    duration=duration,
    bytes_in_words=bytes_in_words,
    server_day=server_day,
)
