"""One animal in one labelled picture, and what of a set could not be used."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

WHOLE = (0.0, 0.0, 1.0, 1.0)


class NotASet(Exception):
    """What should be a set of labelled pictures is none; the words say why."""


@dataclass(frozen=True)
class Sight:
    """One animal in a picture. box_xyxy: shares of the picture. size: (width, height) of the picture that the box was
    drawn on, where that is known. place, sequence: where the camera stood and the burst, as the set names them. split: `train`
    or `test` where the set says so."""

    path: Path
    box_xyxy: tuple[float, float, float, float]
    size: tuple[int, int] | None
    species: str
    place: str
    sequence: str = ""
    split: str = ""


@dataclass
class Skipped:
    """What was left out: reason -> how many, and the first names."""

    counts: Counter[str] = field(default_factory=Counter)
    names: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, reason: str, name: str) -> None:
        self.counts[reason] += 1
        if len(self.names[reason]) < 3:
            self.names[reason].append(name)

    def lines(self) -> list[str]:
        """One line a reason, for people."""
        return [
            f"{count:,} left out: {reason} ({', '.join(self.names[reason])}{', ...' if count > 3 else ''})"
            for reason, count in self.counts.most_common()
        ]


def leads_out(name: str) -> bool:
    """Whether a file name of a set would leave the set's folder."""
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or "\\" in name
