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

    def crop(self, image_id: int, box_id: int, *, is_cut: bool = True) -> str:
        """The picture of a crop of it; that of the photo while nobody has cut it out yet, since a crop's address is cached."""
        if not is_cut:
            return str(self.photo(image_id)["thumbnail"])
        return crop_picture(box_id, self._veils.get(image_id), self._open(image_id))

    def kind(self, image_id: int) -> str:
        """What lies over it: person, hidden or nothing."""
        veil = self._veils.get(image_id)
        return veil.kind if veil else ""

    def _open(self, image_id: int) -> Opening | None:
        return self._opening if self._opening and self._opening.image_id == image_id else None


def shown_now(session: Session, box_ids: Iterable[int], shown: int | None = None) -> dict[str, Any]:
    """photos: those of these boxes as they are to be shown from now on, since a page may still hold sharp pictures.
    picture: that of one crop of them."""
    found = queries.photos_of(session, {*box_ids, shown} if shown else box_ids)
    image_ids = {image_id for image_id, _is_cut in found.values()}
    over = Veils(veils(session, image_ids))
    photos = [{"id": image_id, **over.photo(image_id)} for image_id in sorted(image_ids)]
    return {"photos": photos} | ({"picture": picture_of(over, found, shown)} if shown else {})


def crops_now(session: Session, box_ids: Sequence[int]) -> dict[int, str]:
    """Box id -> the picture of its crop as it is to be shown now."""
    found = queries.photos_of(session, box_ids)
    over = Veils(veils(session, {image_id for image_id, _is_cut in found.values()}))
    return {box_id: picture_of(over, found, box_id) for box_id in found}


def picture_of(over: Veils, found: dict[int, tuple[int, bool]], box_id: int) -> str:
    """The picture of one of the crops found."""
    image_id, is_cut = found[box_id]
    return over.crop(image_id, box_id, is_cut=is_cut)
