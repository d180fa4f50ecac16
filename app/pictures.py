"""The addresses of a photo's pictures. A veil changes them: browsers keep the sharp ones for a day (models/privacy)."""

from __future__ import annotations

from typing import Any

from models.privacy import Opening, Veil


def query_of(veil: Veil | None, opening: Opening | None = None) -> str:
    """What stands behind an address: nothing without a veil, the opening where this person opened the photo."""
    if veil is None:
        return ""
    return f"?open={opening.id}" if opening else f"?blur={veil.mark}"


def photo_pictures(image_id: int, veil: Veil | None, opening: Opening | None = None) -> dict[str, Any]:
    """Where the photo's two pictures lie, and what lies over them: person, hidden, opened (for open_s) or nothing."""
    query = query_of(veil, opening)
    return {
        "preview": f"/images/{image_id}/preview.jpg{query}",
        "thumbnail": f"/images/{image_id}/thumbnail.jpg{query}",
        "veil": "" if veil is None else "opened" if opening else veil.kind,
        "query": query,
        "open_s": opening.left_s if veil and opening else 0,
    }


def crop_picture(box_id: int, veil: Veil | None, opening: Opening | None = None) -> str:
    """Where the crop of a box lies."""
    return f"/boxes/{box_id}/crop.jpg{query_of(veil, opening)}"
