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


def shown_now(session: Session, box_ids: Iterable[int], shown: int | None = None) -> dict[str, Any]:
    """photos: those of these boxes as they are to be shown from now on, since a page may still hold sharp pictures.
    picture: that of one crop of them."""
    image_ids = queries.photos_of(session, box_ids)
    over = Veils(veils(session, set(image_ids.values())))
    photos = [{"id": image_id, **over.photo(image_id)} for image_id in sorted(set(image_ids.values()))]
    return {"photos": photos} | ({"picture": over.crop(image_ids[shown], shown)} if shown else {})


def crops_now(session: Session, box_ids: Sequence[int]) -> dict[int, str]:
    """Box id -> the picture of its crop as it is to be shown now."""
    image_ids = queries.photos_of(session, box_ids)
    over = Veils(veils(session, set(image_ids.values())))
    return {box_id: over.crop(image_id, box_id) for box_id, image_id in image_ids.items()}
