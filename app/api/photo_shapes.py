"""A photo, a box and their pictures as scripts see them. Where people are on a photo, the addresses lead to blurred pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from app.api.shapes import Moment, Shape, WallClock
from app.pictures import crop_picture, photo_pictures
from models.box import Box
from models.image import Image
from models.privacy import Veil
from models.project import Project

HERE = "/api/v1"
PhotoState = Literal["waiting", "ready", "quarantined", "refused", "absent"]
PEOPLE = (
    "person: people are on it and blurred in every picture that is sent. hidden: nobody has looked yet, and the project hides "
    "such photos: pictures are grey. Empty: nothing lies over it."
)
CORNERS = Field(description="x_min, y_min, x_max, y_max as shares (0 to 1) of the upright photo, from its top left.")


class RolledUp(Shape):
    """A taxon above the guesses of which all of them together are sure enough, where no single one is."""

    species_id: int
    p: float = Field(description="The sum of the probabilities below it, 0 to 1.")
    parts: list[tuple[int, float]] = Field(
        description="What it adds up: species id and probability, the likeliest first."
    )


class Guess(Shape):
    """What the classifier says."""

    species_id: int
    p: float = Field(description="Its probability, 0 to 1.")
    rolled: RolledUp | None = Field(
        default=None, description="Beside the first guess, where it is below the project's bar."
    )


class BoxShape(Shape):
    """A place in a photo where a detector or a person saw something. A box that a person moves is replaced by a new one."""

    id: int
    photo_id: int
    box: tuple[float, float, float, float] = CORNERS
    score: float = Field(description="Of the detector, 0 to 1; 1 where a person drew the box.")
    kind: str = Field(description="animal, person or vehicle, as the detector says.")
    drawn: bool = Field(description="Whether a person drew or moved it.")
    species_id: int | None = Field(
        description="What people settled by the project's rule; null: nothing yet, or you are still to be asked and must not "
        "hear it before."
    )
    settled_at: Moment | None = Field(description="When, UTC.")
    waits_for: str | None = Field(description="voice: another person is asked. expert: an expert is. Else null.")
    guess: Guess | None = Field(
        description="The classifier's likeliest answer. null: it says nothing yet, or you are to answer without it."
    )
    crop: str = Field(description="Address of its picture, 256 x 256 px; of the photo while no crop was cut.")


class PhotoShape(Shape):
    """One photo: the same bytes in several files are one photo."""

    id: int
    project_id: int
    batch_id: int
    deployment_id: int
    deployment: str = Field(description="Name of the camera's stay: the folder.")
    sequence_id: int | None = Field(description="The burst that it belongs to.")
    path: str = Field(description="As it was uploaded, below the batch.")
    sha256: str = Field(description="Of the file's bytes.")
    size: int = Field(description="Bytes.")
    state: PhotoState = Field(
        description="waiting: not looked at. ready: looked at. quarantined, refused: cannot be opened, see reason. absent: "
        "named by an import, its file never came."
    )
    reason: str
    width_px: int | None
    height_px: int | None
    captured_at: WallClock | None = Field(description="The camera's clock as shot, without a zone.")
    taken_at: WallClock | None = Field(description="The same, corrected where the clock was wrong.")
    zone: str = Field(description="IANA name of the zone that the clock showed, as the project or the camera says.")
    created_at: Moment = Field(description="When it came in, UTC.")
    processed_at: Moment | None = Field(description="When the detector looked, UTC.")
    people: str = Field(description=PEOPLE)
    preview: str = Field(description="Address of a picture of at most 1,600 px; the original is never sent.")
    thumbnail: str = Field(description="Address of a picture of at most 320 px.")


class PhotoWithBoxes(PhotoShape):
    """One photo with everything that was found in it."""

    boxes: list[BoxShape] = Field(description="From the score 0.05 on, by falling score; deleted ones are left out.")


def address(path: str) -> str:
    """Where a picture of the pages lies for scripts."""
    return HERE + path.replace("/images/", "/photos/", 1)


def photo_fields(
    photo: Image, project: Project, cameras: Mapping[int, tuple[str, str]], veils: Mapping[int, Veil]
) -> dict[str, Any]:
    """The fields of PhotoShape. cameras: name and zone of each."""
    veil = veils.get(photo.id)
    shown = photo_pictures(photo.id, veil)
    name, zone = cameras[photo.deployment_id]
    columns = {field: getattr(photo, field) for field in PhotoShape.model_fields if hasattr(photo, field)}
    return columns | {
        "deployment": name, "zone": zone or project.zone, "people": veil.kind if veil else "",
        "preview": address(shown["preview"]), "thumbnail": address(shown["thumbnail"]),
    }  # fmt: skip


def box_fields(box: Box, veil: Veil | None, *, unheard: bool, blind: bool) -> dict[str, Any]:
    """The fields of BoxShape. unheard: what others said must not be told. blind: nor what the classifier guesses."""
    is_cut = box.embedder_id is not None
    picture = crop_picture(box.id, veil) if is_cut else photo_pictures(box.image_id, veil)["thumbnail"]
    guess = (
        None if blind or box.guess_species_id is None else {"species_id": box.guess_species_id, "p": box.guess_p or 0.0}
    )
    return {
        "id": box.id, "photo_id": box.image_id, "box": corners(box), "score": box.score, "kind": box.kind, "drawn": box.drawn,
        "species_id": None if unheard else box.settled_species_id, "settled_at": None if unheard else box.settled_at,
        "waits_for": None if unheard else box.waits_for, "guess": guess, "crop": address(picture),
    }  # fmt: skip


def corners(box: Box) -> Sequence[float]:
    """As shares of the photo."""
    return tuple(round(share, 5) for share in (box.x_min, box.y_min, box.x_max, box.y_max))
