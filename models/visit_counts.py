"""What a person counts in a visit: a figure in place of MaxN, and animals that were on no photo. Newer rows; older ones stay."""

from __future__ import annotations

from sqlalchemy.orm import Session

from models.act import Act
from models.errors import Invalid
from models.event import Event, EventCount

KIND = "event_count"
MOST = 100_000


def count_visit(session: Session, event: Event, count: int | None, unseen: int, *, by: int, key: str) -> Act:
    """count: none takes the figure back, so that MaxN stands again. Raises Invalid for a figure that cannot be, KeyReused."""
    for field, figure in (("count", count or 0), ("unseen", unseen)):
        if not 0 <= figure <= MOST:
            raise Invalid(f"{field}: a number from 0 to {MOST:,}")
    body = {"event": list(event.key), "count": count, "unseen": unseen}
    act, fresh = Act.once(session, by, key, KIND, body, event.project_id)
    if fresh:
        deployment_id, species_id, first_image_id = event.key
        session.add(
            EventCount(
                project_id=event.project_id, deployment_id=deployment_id, species_id=species_id,
                first_image_id=first_image_id, count=count, unseen=unseen, user_id=by, act_id=act.id,
            )
        )  # fmt: skip
        session.flush()
    return act
