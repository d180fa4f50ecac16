"""What takes how much of the disk, for administrators of the installation."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.dependencies import InHouse, Reading, ReadingSiteAdmin, SiteAdmin
from app.forms import go
from app.keeping.disk_queries import by_embedder, by_project, old_vectors
from app.pages import page
from models.disk import KINDS, Measured, ask_measure, free_bytes, measured, waiting_to_go, wish
from models.words import translated

router = APIRouter()
NAMES = {
    "originals": "Photos as they came", "previews": "Previews", "thumbnails": "Thumbnails", "crops": "Crops",
    "vectors": "Vectors", "predictions": "Predictions", "checkpoints": "Networks", "tuning": "Fine-tunes under way",
    "cache": "Caches and blurred pictures",
}  # fmt: skip


@router.get("/disk")
def show_disk(request: Request, session: Reading, _user: ReadingSiteAdmin, house: InHouse) -> Response:
    """As it was measured last."""
    found = measured(house.store)
    return page(
        request, "keeping/disk.html", found=found, rows=rows_of(found) if found else [], free=free_bytes(house.store),
        projects=by_project(session, found) if found else [], embedders=by_embedder(session, found) if found else [],
        waiting=waiting_to_go(session), old=old_vectors(session), asked=wish(house.store).exists(),
        floor=house.store.free_floor_bytes,
    )  # fmt: skip


@router.post("/disk/measure")
def measure_now(_user: SiteAdmin, house: InHouse) -> Response:
    """Ask the worker."""
    ask_measure(house.store)
    return go("/disk")


def rows_of(found: Measured) -> list[tuple[str, int, int]]:
    """(name, files, bytes), with the database."""
    rows = [(translated(NAMES[kind]), found.files.get(kind, 0), found.bytes.get(kind, 0)) for kind in KINDS]
    return [*rows, (translated("Database"), 1, found.database)]
