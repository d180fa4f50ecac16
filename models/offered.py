"""Weights that a project may be given: the shipped ones, those that `fetch-weights` brought, and any file by its path.

Read without torch: a safetensors file begins with the length of its header (8 bytes, little-endian) and the header, JSON,
in which our card lies under __metadata__. The worker checks the tensors when it first loads them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.checkpoint import DETECTOR, EMBEDDER
from models.errors import Invalid
from models.project import Project
from models.words import mark, say

STARTER = "starter"
SUFFIX = ".safetensors"
MOST_HEADER_BYTES = 16 << 20
MOST_SOURCE = 300  # characters that a project's column holds
SHIPPED = {
    DETECTOR: mark("comes with the program: animals only, quick on a laptop"),
    EMBEDDER: mark("comes with the program, quick on a laptop"),
}


@dataclass(frozen=True)
class Offer:
    """One choice of a form. source: what the project keeps. about: a few words for people."""

    source: str
    about: str


def offers(weights: Path, kind: str) -> list[Offer]:
    """What a form can offer, the shipped one first. weights: the installation's folder; files that are none are passed over."""
    found = [Offer(STARTER, SHIPPED[kind])]
    for path in sorted(weights.glob(f"*{SUFFIX}")) if weights.is_dir() else []:
        try:
            card = card_of(path)
        except Invalid:
            continue
        if card.get("kind") == kind and path.stem != STARTER:
            found.append(Offer(path.stem, str(card.get("about", ""))[:200]))
    return found


def place_of(weights: Path, source: str) -> Path:
    """The file of a source that is not the shipped one: a name in the folder, else a path."""
    named = weights / f"{source}{SUFFIX}"
    return named if is_name(source) and named.is_file() else Path(source)


def is_name(source: str) -> bool:
    """Whether it can be the name of a file in the folder, and leads nowhere else."""
    return Path(source).name == source and not source.startswith(".") and "\0" not in source


def choose(project: Project, weights: Path, kind: str, source: str, *, by_path: bool = False) -> None:
    """Give a project that has not looked at a photo yet its detector or embedder.

    by_path: any file of this machine may be named, which only somebody on its command line may do. Raises Invalid.
    """
    if (project.detector_id if kind == DETECTOR else project.embedder_id) is not None:
        raise Invalid(
            f"{kind}: " + say("%(name)s has one already; it is chosen when the project is made", name=project.name)
        )
    if source not in [offer.source for offer in offers(weights, kind)]:
        if not by_path:
            raise Invalid(
                f"{kind}: " + say("%(source)s is not among the weights of this installation", source=repr(source[:60]))
            )
        source = str(Path(source).resolve())
        check_file(Path(source), kind)
    if len(source) > MOST_SOURCE:
        raise Invalid(f"{kind}: " + say("its path is longer than %(most_source)s characters", most_source=MOST_SOURCE))
    setattr(project, kind, source)


def check_file(path: Path, kind: str) -> None:
    """Raises Invalid unless it is a checkpoint of this kind."""
    if not path.is_file():
        raise Invalid(f"{kind}: " + say("%(path)s is not a file", path=path))
    found = card_of(path).get("kind")
    if found != kind:
        raise Invalid(f"{kind}: " + say("%(name)s holds weights of kind %(found)s", name=path.name, found=repr(found)))


def card_of(path: Path) -> dict[str, Any]:
    """The card in a checkpoint's header. Raises Invalid when it is no checkpoint of ours."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= MOST_HEADER_BYTES:
                raise ValueError
            card = json.loads(json.loads(file.read(length))["__metadata__"]["card"])
    except OSError as error:
        raise Invalid(say("%(path)s cannot be read: %(strerror)s", path=path, strerror=error.strerror)) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Invalid(say("%(name)s is not a safetensors file with a card of ours", name=path.name)) from error
    if not isinstance(card, dict):
        raise Invalid(say("%(name)s is not a safetensors file with a card of ours", name=path.name))
    return card
