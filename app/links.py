"""The address of a one-time link, as a person can open it from another computer."""

from __future__ import annotations

from starlette.requests import Request

from models.settings import Settings


def link_address(request: Request, settings: Settings, kind: str, token: str) -> str:
    """kind: join or reset. The host is the one the administrator's browser used (TrustedHost has checked it)."""
    scheme = "https" if settings.is_https else request.url.scheme
    return f"{scheme}://{request.url.netloc}/{kind}/{token}"
