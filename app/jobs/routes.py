"""What the worker does now: as a stream, as one answer for those who poll; and stopping a job."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from fastapi.sse import EventSourceResponse
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.dependencies import Access, ActingAdmin, Reading, access, signed_in
from app.forms import go
from app.jobs.progress import Progress
from app.jobs.stopping import stop
from app.now import Now, now_of
from models.membership import Role

router = APIRouter()


def watching(request: Request, project_id: int, session: Reading) -> Access:
    """A member who only watches: an open page is no sign that somebody is there, so it keeps no sign-in alive."""
    return access(session, signed_in(request, session), project_id, Role.viewer)


def get_progress(request: Request) -> Progress:
    """The poller of this process."""
    progress: Progress = request.app.state.progress
    return progress


JobId = Annotated[str, Path(pattern="^[0-9A-Za-z-]{1,36}$")]
Watcher = Annotated[Access, Depends(watching)]


@router.get("/projects/{project_id}/progress")
def stream(watcher: Watcher, progress: Annotated[Progress, Depends(get_progress)]) -> Response:
    """Server-sent events: the line as JSON, at once and after every change."""
    progress.check_room()
    project_id = watcher.project.id
    return EventSourceResponse(events(progress, project_id, now_of(watcher.session, project_id)))


@router.get("/projects/{project_id}/progress.json")
def poll(watcher: Watcher) -> JSONResponse:
    """The same line once, for a page that has no stream."""
    return JSONResponse(now_of(watcher.session, watcher.project.id).told())


@router.post("/projects/{project_id}/jobs/{job_id}/cancel")
def stop_job(acting: ActingAdmin, job_id: JobId) -> Response:
    """Stop a job after what it has in hand; what is done stays. One that always ends goes on."""
    stop(acting, job_id)
    return go(f"/projects/{acting.project.id}")


async def events(progress: Progress, project_id: int, first: Now) -> AsyncIterator[bytes]:
    """As text/event-stream: a line of JSON an event; a comment as heartbeat, which browsers ignore and proxies see."""
    yield b"retry: 3000\n\n"
    async for now in progress.follow(project_id, first):
        yield b": still here\n\n" if now is None else f"data: {json.dumps(now.told())}\n\n".encode()
