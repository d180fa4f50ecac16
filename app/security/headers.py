"""What every answer carries: no foreign script, no frame, no sniffing, nothing of a page kept in a cache; and a request id."""

from __future__ import annotations

import re
import time
import uuid

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.security.csrf import API, is_own_request

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
ALWAYS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
SECRET_PATHS = re.compile(r"^(/(?:join|reset)/).+", re.DOTALL)
log = structlog.get_logger("web")


class Guard:
    """Outermost layer: refuses cross-site writes, adds the headers, names the request, writes one line of log."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        """https: also tell browsers to stay on it."""
        self.app, self.https = app, https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = uuid.uuid4().hex[:12]
        scope.setdefault("state", {})["request_id"] = request_id
        began = time.perf_counter()

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ALWAYS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
                headers["x-request-id"] = request_id
                if self.https:
                    headers["strict-transport-security"] = "max-age=31536000"
                log.debug(
                    "request", id=request_id, method=scope["method"], path=loggable(scope["path"]), status=message["status"],
                    ms=round((time.perf_counter() - began) * 1000, 1),
                )  # fmt: skip
            await send(message)

        headers = Headers(scope=scope)
        if not scope["path"].startswith(API) and not is_own_request(scope["method"], headers, scope["scheme"]):
            path = loggable(scope["path"])
            log.warning("refused a cross-site request", id=request_id, path=path, origin=headers.get("origin"))
            await refuse(send_guarded)
            return
        await self.app(scope, receive, send_guarded)


def loggable(path: str) -> str:
    """The path without the token of a one-time link: a log must not let anybody in."""
    return SECRET_PATHS.sub(r"\1...", path)


async def refuse(send: Send) -> None:
    """A plain 403."""
    body = b"This request came from another site and was refused. Open the page of Waterhole itself and try again."
    await send(
        {"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain; charset=utf-8")]}
    )
    await send({"type": "http.response.body", "body": body})
