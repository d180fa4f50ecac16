"""What lies over the photos that the desk shows: people are blurred, and some photos are hidden whole (models/privacy)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.labeling import queries
from app.pictures import crop_picture, photo_pictures
from models.privacy import Opening, Veil, veils


class Veils:
    """What lies over the photos that a page shows, and the addresses of their pictures."""

    def __init__(self, veils: dict[int, Veil], opening: Opening | None = None) -> None:
        """veils: by photo. opening: the person opened this one photo on this page."""
        self._veils, self._opening = veils, opening

    def photo(self, image_id: int) -> dict[str, Any]:
        """Its pictures."""
        return photo_pictures(image_id, self._veils.get(image_id), self._open(image_id))

    def crop(self, image_id: int, box_id: int) -> str:
        """The picture of a crop of it."""
        return crop_picture(box_id, self._veils.get(image_id), self._open(image_id))

    def _open(self, image_id: int) -> Opening | None:
        return self._opening if self._opening and self._opening.image_id == image_id else None


def photos_now(session: Session, box_ids: Iterable[int]) -> list[dict[str, Any]]:
    """The pictures of the photos of these boxes as they are to be shown from now on: a page may still hold sharp ones."""
    image_ids = set(queries.photos_of(session, box_ids).values())
    over = Veils(veils(session, image_ids))
    return [{"id": image_id, **over.photo(image_id)} for image_id in sorted(image_ids)]


def crops_now(session: Session, box_ids: Sequence[int]) -> dict[int, str]:
    """Box id -> the picture of its crop as it is to be shown now."""
    image_ids = queries.photos_of(session, box_ids)
    over = veils(session, set(image_ids.values()))
    return {box_id: crop_picture(box_id, over.get(image_id)) for box_id, image_id in image_ids.items()}


def crop_now(session: Session, box_id: int) -> str:
    """The same of one crop."""
    return crops_now(session, [box_id])[box_id]
