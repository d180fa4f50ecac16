"""The tiles of a grid: which crops, what each shows, in which groups and order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from app.labeling import grid_queries, queries
from app.labeling.grid_queries import Wanted
from app.labeling.veils import Veils
from models.desk import Desk
from models.meaning import Meanings, meanings
from models.privacy import veils
from models.words import mark, say, translated

ALIKE, BURST, UNSURE = "alike", "burst", "unsure"
SORTS = {ALIKE: mark("Look alike"), BURST: mark("Burst"), UNSURE: mark("Least sure")}
ROUND, ALL = "round", "all"
HIDDEN = mark("Hidden for these: some are asked without the guess, to check the classifier")


@dataclass(frozen=True)
class Asked:
    """What the address asks for. of: the round or all crops. open: only those without a name. differ: only those whose
    neighbours say another name.
    """

    of: str = ROUND
    sort: str = ALIKE
    open: bool = False
    differ: bool = False
    species: int | None = None
    camera: int | None = None

    def but(self, **changed: Any) -> str:
        """The address of the grid with something changed."""
        every = {name: getattr(self, name) for name in self.__dataclass_fields__} | changed
        fields = {name: every[name] for name, each in self.__dataclass_fields__.items() if every[name] != each.default}
        return f"?{urlencode({name: 1 if value is True else value for name, value in fields.items()})}"


@dataclass(frozen=True)
class Tile:
    """One crop of the grid. by: who named it, nobody while it is open. near: what its neighbours say. held: who has it now."""

    box_id: int
    image_id: int
    guess: int | None
    p: float
    said: int | None
    certain: bool
    by: int | None
    near: int | None
    held: int | None
    blind: bool
    burst: int | None
    head: str
    picture: str
    veil: str

    @property
    def shown(self) -> int | None:
        """The name beneath it."""
        return self.said or self.guess

    @property
    def differs(self) -> bool:
        """Whether its neighbours say another name than the one beneath it."""
        return self.near is not None and self.shown is not None and self.near != self.shown


def columns(tiles: list[Tile]) -> dict[str, list[Any]]:
    """The script's form of them; what is the same in all rows of a column stays short when the answer is packed."""
    names = (
        "box_id", "image_id", "guess", "p", "said", "certain", "by", "near", "held", "blind", "burst", "picture", "veil",
    )  # fmt: skip
    return {name: [getattr(tile, name) for tile in tiles] for name in names}


def grid_of(desk: Desk, asked: Asked, retired: set[int]) -> dict[str, Any]:
    """Tiles in groups, and how the round stands."""
    shown = grid_queries.round_shown(desk.session, desk.project.id)
    in_round = asked.of == ROUND
    rounds = queries.standings(desk.session, desk.project.id, [shown.id] if shown else [])
    wanted = Wanted(
        round_id=(shown.id if shown else -1) if in_round else None, open=asked.open, species_id=asked.species,
        deployment_id=asked.camera,
    )  # fmt: skip
    every = tiles_of(desk, wanted, retired)
    tiles = [tile for tile in every if tile.differs] if asked.differ else every
    total = grid_queries.how_many(desk, wanted) if len(every) == grid_queries.MOST else len(tiles)
    return {
        "groups": grouped(tiles, asked.sort, queries.classifier_of(desk.session, desk.project) is not None),
        "total": total,
        "count": len(tiles),
        "open": sum(tile.said is None for tile in tiles),
        "differ": sum(tile.differs for tile in every),
        "rounds": rounds,
        "standing": rounds.get(shown.id) if shown and in_round else None,
    }


def tiles_of(desk: Desk, wanted: Wanted, retired: set[int]) -> list[Tile]:
    """A handful of questions for all of them."""
    rows = grid_queries.tiles(desk, wanted)
    cameras = grid_queries.cameras(desk.session, desk.project.id)
    blind = grid_queries.blind_boxes(desk.session, desk.project.id)
    held = grid_queries.with_others(desk.session, desk.project.id, desk.user_id)
    over = Veils(veils(desk.session, {row.image_id for row in rows}))
    waiting = grid_queries.own_voices(desk, [row.id for row in rows if row.waits_for])
    firsts = desk.predictions.firsts(row.id for row in rows)
    meant = meanings(desk.session, desk.project.id)
    tiles = [
        Tile(
            box_id=row.id, image_id=row.image_id, held=held.get(row.id), blind=row.id in blind, burst=row.sequence_id,
            head=f"{cameras.get(row.deployment_id, '')}, {grid_queries.moment(row.taken_at)}",
            picture=over.crop(row.image_id, row.id, is_cut=row.embedder_id is not None), veil=over.kind(row.image_id),
            **named(row, waiting.get(row.id), desk.user_id, meant),
            **opinions(row, None if row.id in blind else firsts.get(row.id), retired, meant),
        )
        for row in rows
    ]  # fmt: skip
    return [tile for tile in tiles if tile.said is None] if wanted.open else tiles


def named(row: grid_queries.AnyRow, mine: tuple[int, bool] | None, user_id: int, meant: Meanings) -> dict[str, Any]:
    """said, certain and by: the settled name; else what this person says while other voices are awaited."""
    if row.settled_species_id is None and mine:
        return {"said": mine[0], "certain": mine[1], "by": user_id}
    return {"said": meant.of(row.settled_species_id), "certain": bool(row.certain), "by": row.named_by}


def opinions(
    row: grid_queries.AnyRow, first: tuple[int, float] | None, retired: set[int], meant: Meanings
) -> dict[str, Any]:
    """What the classifier and the neighbours say; nothing of it where the person shall answer without."""
    near = meant.of(row.near_species_id)
    if first is None or first[0] in retired:
        return {"guess": None, "p": 0.0, "near": near if row.settled_species_id else None}
    return {"guess": first[0], "p": round(first[1], 3), "near": near}


def grouped(tiles: list[Tile], sort: str, has_learnt: bool) -> list[dict[str, Any]]:
    """title, species and tiles of each group; species: the name beneath all of its tiles, if it is one."""
    if sort == UNSURE:
        guessed = sorted((tile for tile in tiles if tile.guess), key=lambda tile: tile.p)
        return groups_from(
            [
                (say("Least sure first"), None, guessed),
                (say("No guess"), None, [tile for tile in tiles if not tile.guess]),
            ]
        )
    if sort == BURST:
        bursts: dict[Any, list[Tile]] = {}
        for tile in sorted(tiles, key=lambda tile: (tile.head, tile.burst or 0, tile.image_id, tile.box_id)):
            bursts.setdefault(tile.burst or -tile.image_id, []).append(tile)
        return groups_from([(burst[0].head, None, burst) for burst in bursts.values()])
    names: dict[int, list[Tile]] = {}
    for tile in tiles:
        if tile.shown:
            names.setdefault(tile.shown, []).append(tile)
    nameless = [tile for tile in tiles if not tile.shown]
    title = translated(HIDDEN) if has_learnt else say("No guess yet")
    groups = [*(("", species, named) for species, named in names.items()), (title, None, nameless)]
    return groups_from(sorted(groups, key=most_open_first))


def most_open_first(group: tuple[str, int | None, list[Tile]]) -> tuple[int, int, int]:
    """Where there is most to do, then the largest; equal ones always in the same order."""
    _title, species, tiles = group
    return -sum(tile.said is None for tile in tiles), -len(tiles), species or 0


def groups_from(groups: list[tuple[str, int | None, list[Tile]]]) -> list[dict[str, Any]]:
    """Those that hold a tile."""
    return [{"title": title, "species": species, "tiles": tiles} for title, species, tiles in groups if tiles]
