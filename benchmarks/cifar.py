"""The loop with known labels: how good the names get, answer by answer, with and without fine-tuning the embedder.

Decisions: the ingest happens once, and every seed starts from a copy of it (the seed draws the first round and starts the
classifier); the branches with and without a fine-tune share the answers before it. Pictures to measure on go through the
same ingest, fine-tune and predictions file as every photo, under a score from which nobody is asked. An accuracy is what an
export would say then: the top name in the active classifier's predictions file. It is taken at the end of each round, once
the worker has learnt from all answers and, where one was due, a fine-tune has ended; so at the number of labels at which a
fine-tune is due, "with" is what it made of these labels. Answers wait for the worker, so that no figure depends on the machine.

A folder is made under another name and renamed when it is complete, so a run that was cut goes on after the last of them.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select

from benchmarks.cifar_pictures import ASK_ABOVE, INGEST_ABOVE, write_study
from benchmarks.curves import means, milestones, table
from benchmarks.household import Household, household_at
from benchmarks.known_person import KnownPerson
from models.audited import audited_ids
from models.box import Box
from models.checkpoint import Checkpoint
from models.fine_tune import FineTune
from models.image import Image
from models.importing import import_folder
from models.job import DONE, Job
from models.predictions import Predictions
from models.project import Project
from models.round import Pick, Round, ask_learn
from models.species import Species
from worker.networks.embedder import CROP_PX, KIND
from worker.networks.weights import STARTER_DIR, read_weights, write_weights
from worker.simulation.curves import Curve, points

PROJECT = 1
WITH, WITHOUT = "with", "without"
DRAW_SEED = 0  # the pictures are the same for every seed
LINKED = {"originals", "thumbnails", "previews", "crops", "vectors"}  # never changed once written


@dataclass(frozen=True)
class Wishes:
    """What is measured. finetune_every 0: only without. size_px: the side at which the embedder sees a crop."""

    labels: int
    pool: int
    test: int
    size_px: int
    strategy: str
    first_round: int
    round_size: int
    finetune_every: int

    def check(self) -> None:
        """Raises SystemExit when an accuracy would be asked for in the middle of a round."""
        first = min(self.first_round, self.pool // 10)
        ends = range(first, self.pool + 1, self.round_size)
        if self.labels not in ends:
            raise SystemExit(f"--labels {self.labels}: rounds end at {first}, {first + self.round_size}, ...")
        if self.finetune_every and self.finetune_every not in ends[1:]:
            raise SystemExit(f"--finetune-every {self.finetune_every}: rounds end at {ends[0]}, {ends[1]}, ...")

    @property
    def shared(self) -> int:
        """How many answers the two branches share: one fewer than bring the first fine-tune."""
        return self.finetune_every - 1 if 0 < self.finetune_every <= self.labels else 0

    @property
    def branches(self) -> tuple[str, ...]:
        """What is measured for each seed."""
        return (WITH, WITHOUT) if self.shared else (WITHOUT,)


def measure(wishes: Wishes, archive: Path, seeds: int, work: Path, log: Path | None) -> None:
    """Run what is missing in `work`, print the table, and one JSON object on the last line."""
    wishes.check()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to stop; the same command goes on"))
    course = Course(wishes, archive, work)
    results = [course.run(seed) for seed in range(1, seeds + 1)]
    curves = {
        branch: [as_curve(result[branch]) for result in results if branch in result] for branch in (WITH, WITHOUT)
    }
    finetunes = sum(tune["in_use"] for result in results for tune in result.get(WITH, {}).get("fine_tunes", []))
    told = report(wishes, curves, seeds, finetunes)
    if log:
        log.write_text(told + "\n")
    print(told)
    at = milestones(curves[WITHOUT][0])
    figures = {
        "accuracy": means(curves[WITH] or curves[WITHOUT], at),
        "without_finetune": means(curves[WITHOUT], at[-1:]),
        "strategy": wishes.strategy,
        "finetunes": finetunes,
    }
    print(json.dumps(figures))


def report(wishes: Wishes, curves: dict[str, list[Curve]], seeds: int, finetunes: int) -> str:
    """The table with what it is about, for people."""
    lines = [
        f"{seeds} seed{'s' if seeds > 1 else ''}, {wishes.strategy}, pool {wishes.pool:,}, {wishes.test:,} test pictures, "
        f"crops seen at {wishes.size_px} px; percent right, mean ± 95% interval over the seeds (Student's t)",
        "",
        table(curves[WITH], curves[WITHOUT]),
    ]
    if curves[WITH]:
        last = wishes.labels
        gained = [on[last] - off[last] for on, off in zip(curves[WITH], curves[WITHOUT], strict=True)]
        lines += ["", f"{finetunes} fine-tunes took effect; at {last:,} labels they add {points(gained)} points"]
    return "\n".join(lines)


def as_curve(result: dict[str, Any]) -> Curve:
    """JSON has no numbers as keys."""
    return {int(labels): share for labels, share in result["curve"].items()}


class Course:
    """The folders of one measurement, each made once."""

    def __init__(self, wishes: Wishes, archive: Path, work: Path) -> None:
        """Raises SystemExit when another measurement lies in `work`."""
        self._wishes, self._archive, self._work = wishes, archive, work
        work.mkdir(parents=True, exist_ok=True)
        settings, asked = work / "settings.json", asdict(wishes)
        if settings.is_file() and json.loads(settings.read_text()) != asked:
            raise SystemExit(f"{work} holds a run with other settings: {settings.read_text()}")
        write_json(settings, asked)

    def run(self, seed: int) -> dict[str, dict[str, Any]]:
        """branch -> its result, for one seed."""
        found = {branch: self._work / f"seed-{seed}-{branch}.json" for branch in self._wishes.branches}
        for branch, file in found.items():
            if not file.is_file():
                begun = self._folder(f"seed-{seed}", lambda home: self._begin(home, seed))
                home = self._work / f"seed-{seed}-{branch}"
                shutil.rmtree(home, ignore_errors=True)
                copy_home(begun, home)
                write_json(file, self._branch(home, f"seed {seed} {branch}", branch))
                shutil.rmtree(home)
        shutil.rmtree(self._work / f"seed-{seed}", ignore_errors=True)
        return {branch: json.loads(file.read_text()) for branch, file in found.items()}

    def _folder(self, name: str, make: Callable[[Path], None]) -> Path:
        """The complete folder of this name, made when it is missing."""
        folder, partial = self._work / name, self._work / f"{name}.partial"
        if not folder.is_dir():
            shutil.rmtree(partial, ignore_errors=True)
            make(partial)
            partial.rename(folder)
        return folder

    # --- what all seeds share ------------------------------------------------------------------------------------------------

    def _study(self, folder: Path) -> None:
        write_study(folder, self._archive, self._wishes.pool, self._wishes.test, DRAW_SEED)

    def _ingest(self, home: Path) -> None:
        """Every picture through the real ingest, with the starter embedder at the wished size."""
        study = self._folder("study", self._study)
        truth = json.loads((study / "truth.json").read_text())
        with self._household(home) as house:
            house.project(
                "CIFAR-10", classify_above=INGEST_ABOVE, count_above=INGEST_ABOVE, strategy=self._wishes.strategy,
                first_round=self._wishes.first_round, round_size=self._wishes.round_size, embedder=self._embedder(),
            )  # fmt: skip
            with house.database.writing() as session:
                for name in sorted(set(truth.values())):
                    Species.add(session, PROJECT, name)
            start = time.monotonic()
            result = import_folder(
                house.database, house.store, PROJECT, study / "photos", name="pictures", by=None,
                progress=lambda _: None, boxes_file=study / "boxes.json",
            )  # fmt: skip
            say(f"imported {result.here:,} pictures in {time.monotonic() - start:.0f} s")
            if result.job_id is None or result.here != len(truth):
                raise SystemExit(f"not every picture came in: {result.words}")
            job = house.wait_for(result.job_id)
            house.quiet(PROJECT)
            assert job.started_at is not None and job.ended_at is not None
            seconds = (job.ended_at - job.started_at).total_seconds()
            say(f"ingest: {seconds:.0f} s, {job.total / seconds:.1f} photos/s")

    def _embedder(self) -> str:
        """`starter`, or a copy of it whose card has the wished size."""
        if self._wishes.size_px == CROP_PX:
            return "starter"
        path = self._work.resolve() / f"starter-{self._wishes.size_px}.safetensors"
        tensors, card = read_weights(STARTER_DIR / f"{KIND}.safetensors", KIND)
        sized = {"name": f"starter at {self._wishes.size_px} px", "crop_px": self._wishes.size_px}
        write_weights(path, tensors, card | sized)
        return str(path)

    # --- one seed ------------------------------------------------------------------------------------------------------------

    def _begin(self, home: Path, seed: int) -> None:
        """The answers that the branches share."""
        copy_home(self._folder("ingested", self._ingest), home)
        with self._household(home) as house:
            start_over(house, seed)
            house.quiet(PROJECT)
            curve = self._answers(house, self._wishes.shared, f"seed {seed}", {})
        write_json(home / "result.json", {"curve": curve})

    def _branch(self, home: Path, name: str, branch: str) -> dict[str, Any]:
        """The rest of the answers. What comes of it, and how long it took."""
        start = time.monotonic()
        curve = dict(as_curve(json.loads((home / "result.json").read_text())))
        with self._household(home) as house:
            with house.database.writing() as session:
                session.get_one(Project, PROJECT).fine_tune_every = self._wishes.finetune_every if branch == WITH else 0
            self._answers(house, self._wishes.labels - self._wishes.shared, name, curve)
            tunes = fine_tunes(house)
        if branch == WITH and not tunes:
            raise SystemExit(f"{name}: no fine-tune was asked for")
        return {"curve": curve, "fine_tunes": tunes, "seconds": round(time.monotonic() - start)}

    def _answers(self, house: Household, count: int, name: str, curve: dict[int, float]) -> dict[int, float]:
        """Give `count` more answers; the accuracy at the end of each round goes into `curve`, which is returned."""
        species_of, to_measure = truth_of(house, json.loads((self._work / "study" / "truth.json").read_text()))

        def after_round() -> None:
            labels, share = measured(house, to_measure)
            curve[labels] = share
            say(f"{name}: {labels:,} labels, {share:.2%}")

        with KnownPerson(house, PROJECT, species_of) as person:
            person.answer(count, after_round)
        return curve

    def _household(self, home: Path) -> AbstractContextManager[Household]:
        return household_at(home, log=self._work / "processes.log")


def start_over(house: Household, seed: int) -> None:
    """From ingested photos to the first round of this seed: forget the one that the ingest asked for."""
    with house.database.writing() as session:
        session.execute(delete(Pick))
        session.execute(delete(Round))
        project = session.get_one(Project, PROJECT)
        project.seed, project.fine_tune_every = seed, 0
        project.classify_above = project.count_above = ASK_ABOVE
        session.flush()
        ask_learn(session, project, f"seed-{seed}")


def truth_of(house: Household, truth: dict[str, str]) -> tuple[dict[int, int], dict[int, int]]:
    """(box id -> species of the boxes that may be asked about, the same of those to measure on)."""
    with house.database.reading() as session:
        names = dict(session.execute(select(Species.name, Species.id).where(Species.project_id == PROJECT)).all())
        boxes = session.execute(select(Box.id, Box.score, Image.path).join(Image, Image.id == Box.image_id)).all()
    asked: dict[int, int] = {}
    unasked: dict[int, int] = {}
    for box_id, score, path in boxes:
        (asked if score >= ASK_ABOVE else unasked)[box_id] = names[truth[path]]
    return asked, unasked


def measured(house: Household, truth: dict[int, int]) -> tuple[int, float]:
    """(labels that the active classifier learnt from, share of these boxes that its predictions file names rightly)."""
    with house.database.reading() as session:
        failed = session.scalars(select(Job).where(Job.state != DONE)).first()
        project = session.get_one(Project, PROJECT)
        classifier = session.get_one(Checkpoint, project.classifier_id)
        taught = Box.settled_species_id.is_not(None) & Box.id.not_in(audited_ids(PROJECT))
        named = session.scalars(select(Box.id).where(taught)).all()
    if failed is not None:
        raise SystemExit(f"job {failed.kind} {failed.state}: {failed.error}")
    if classifier.label_count != len(named) or classifier.parent_id != project.embedder_id:
        raise SystemExit(f"{len(named)} boxes teach, and the active classifier is {classifier.name}")
    said = Predictions(house.store.root / classifier.predictions).firsts(truth)
    if said.keys() != truth.keys() or truth.keys() & set(named):
        raise SystemExit(f"{len(said)} of {len(truth)} boxes to measure on were predicted, and none may be named")
    return len(named), sum(said[box_id][0] == name for box_id, name in truth.items()) / len(truth)


def fine_tunes(house: Household) -> list[dict[str, Any]]:
    """What came of each fine-tune: the verdict, and how long the job took."""
    with house.database.reading() as session:
        rows = session.execute(select(FineTune, Job).join(Job, Job.id == FineTune.job_id).order_by(FineTune.id)).all()
    told = []
    for row, job in rows:
        assert job.started_at is not None and job.ended_at is not None
        seconds = round((job.ended_at - job.started_at).total_seconds())
        told.append(
            {
                "labels": row.label_count, "in_use": row.switched_at is not None, "before": row.before, "after": row.after,
                "steps": row.steps, "seconds": seconds, "words": row.words,
            }
        )  # fmt: skip
        say(f"fine-tune: {told[-1]}")
    return told


def copy_home(home: Path, to: Path) -> None:
    """A copy to go on in, when no process runs there. What is never changed is linked, not copied."""
    shutil.copytree(home, to, ignore=shutil.ignore_patterns(*LINKED))
    for name in LINKED:
        shutil.copytree(home / "store" / name, to / "store" / name, copy_function=os.link)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Whole or not at all."""
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content, indent=1))
    partial.replace(path)


def say(words: str) -> None:
    """Progress, with the time."""
    print(f"{time.strftime('%H:%M:%S')} {words}", file=sys.stderr, flush=True)
