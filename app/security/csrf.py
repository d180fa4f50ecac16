"""No page of another site may act in a signed-in person's name: Sec-Fetch-Site first, Origin where it is missing."""

from __future__ import annotations

from collections.abc import Mapping

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
API = "/api/"  # cookies count for nothing there, so a page of another site has nothing to act with


def is_own_request(method: str, headers: Mapping[str, str], scheme: str) -> bool:
    """Whether a request may change something. headers: lower-case names. An unsafe request that says nothing is refused."""
    if method in SAFE_METHODS:
        return True
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and origin == f"{scheme}://{headers.get('host', '')}"
