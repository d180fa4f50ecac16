"""The command line. It alone imports inside its subcommands, so that a web command never loads torch."""

from __future__ import annotations

import contextlib
import json
import math
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.exports.study import Options
    from models.database import Database
    from models.project import Project
    from models.settings import Settings
    from models.storage import Store
    from models.user import User
    from worker.learning.detector_lessons import Lessons
    from worker.simulation.studies import Draw, Study

cli = typer.Typer(
    help="Count wild animals in camera-trap photos.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
ProjectName = Annotated[str, typer.Option("--project", help="The project's name.")]
Email = Annotated[str, typer.Option("--email", help="The address of the account.")]
DRAWN_NOTE = (
    "These scenes are drawn by the program, they are no photos. What they show is known, so you can check every figure."
)


def main() -> NoReturn:
    """Run a command; whatever goes wrong is one line for people, never a traceback."""
    import pydantic
    import sqlalchemy.exc

    from models.errors import DomainError

    try:
        code = cli(standalone_mode=False) or 0  # the status of a typer.Exit comes back as a value
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except DomainError as error:
        code = complain(str(error))
    except pydantic.ValidationError as error:
        code = complain(
            "; ".join(f"WATERHOLE_{each['loc'][0]}".upper() + f": {each['msg']}" for each in error.errors())
        )
    except sqlalchemy.exc.OperationalError as error:
        code = complain(f"The database does not answer: {str(error.orig).strip().splitlines()[0]}")
    except OSError as error:
        code = complain(f"{error.filename or ''}: {error.strerror or error}".lstrip(": "))
    except Exception as error:
        if hasattr(error, "format_message"):  # a mistake on the command line, said by the parser
            code = complain(f"{error.format_message()} Try `waterhole --help`.", code=2)
        elif os.environ.get("WATERHOLE_TRACEBACK"):
            raise
        else:
            code = complain(f"This is a bug: {type(error).__name__}: {error}. Set WATERHOLE_TRACEBACK=1 to see where.")
    sys.exit(code)


def complain(words: str, *, code: int = 1) -> int:
    """One line on standard error."""
    print(f"waterhole: {words}", file=sys.stderr)
    return code


# --- serving -----------------------------------------------------------------------------------------------------------------


@cli.command()
def migrate() -> None:
    """Bring the database to this program's schema (an embedded one is made when there is none)."""
    from models import schema

    with opened(check=False) as (database, _store, _settings):
        schema.migrate(database)
        print(f"The database is at schema {schema.versions(database)[1]}.")


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; loopback by default.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate (PEM) for https.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key (PEM).")] = None,
    behind_proxy: Annotated[
        bool, typer.Option(help="A proxy in front does https; its X-Forwarded headers are believed.")
    ] = False,
    verbose: Annotated[bool, typer.Option(help="One line of log a request.")] = False,
) -> None:
    """Run the web server."""
    import uvicorn

    from app.main import create_app
    from app.server import Server
    from models import logs

    given = {"host": host, "port": port, "tls_cert": tls_cert, "tls_key": tls_key, "behind_proxy": behind_proxy or None}
    settings = load_settings(**{name: value for name, value in given.items() if value is not None})
    refuse_plain_http(settings)
    refuse_taken_port(settings)
    logs.configure(settings.log_format, verbose=verbose)
    config = uvicorn.Config(
        create_app(settings), host=settings.host, port=settings.port, log_level="warning", access_log=False,
        ssl_certfile=settings.tls_cert, ssl_keyfile=settings.tls_key, proxy_headers=settings.behind_proxy,
        forwarded_allow_ips=settings.proxy_addresses, timeout_graceful_shutdown=5, server_header=False,
    )  # fmt: skip
    Server(config).run()


@cli.command()
def worker() -> None:
    """Run the worker: it finds animals, learns, and chooses the next crops."""
    from models import logs
    from worker.main import run_worker

    settings = load_settings()
    logs.configure(settings.log_format)
    run_worker(settings)


# --- photos in, tables out ---------------------------------------------------------------------------------------------------


@cli.command("import")
def import_photos(
    project: ProjectName,
    folder: Annotated[
        Path | None, typer.Argument(help="A folder of photos; its first level of folders are the deployments.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the batch; the folder's name by default.")] = None,
    boxes: Annotated[Path | None, typer.Option(help="A MegaDetector results file to take the boxes from.")] = None,
    create: Annotated[bool, typer.Option(help="Make the project when there is none of this name.")] = False,
    detector: Annotated[
        str | None,
        typer.Option(help="Detector of a project that is made: starter, fetched weights, or a .safetensors."),
    ] = None,
    embedder: Annotated[str | None, typer.Option(help="Its embedder, likewise.")] = None,
    labels: Annotated[
        list[Path] | None,
        typer.Option(help="Instead of photos: a file of boxes, names or deployments; again for each table."),
    ] = None,
    format: Annotated[
        str, typer.Option(help="Of --labels: auto, megadetector, camtrap-dp, coco, csv, timelapse, wildlife-insights.")
    ] = "auto",
    columns: Annotated[
        list[str] | None, typer.Option(help="Of a table: what=column, like species=Art; again for each column.")
    ] = None,
    strip_prefix: Annotated[str, typer.Option(help="Leave out this beginning of the paths in --labels.")] = "",
    by: Annotated[
        str | None, typer.Option(help="E-mail of who brings --labels; the project's first administrator.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Of --labels: only say what would happen.")] = False,
) -> None:
    """Bring in a folder that lies on this machine; run it again to go on where it stopped. Or labels, with --labels."""
    if labels:
        bring_labels(project, labels, format, columns or [], strip_prefix, by, dry_run=dry_run)
        return
    if folder is None:
        raise typer.BadParameter("a folder of photos, or --labels, is needed")
    from models.offered import choose

    with opened() as (database, store, settings):
        with database.writing() as session:
            found = project_named(session, project, create=create, hint=True)
            for kind, source in (("detector", detector), ("embedder", embedder)):
                if source is not None:
                    choose(found, settings.weights, kind, source, by_path=True)
            project_id = found.id
        bring_in(database, store, project_id, folder, name or folder.resolve().name, boxes)


@cli.command()
def export(
    project: ProjectName,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the tables, or with --format a file.")] = Path(),
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="One format: camtrap-dp, coco, megadetector, timelapse, wildlife-insights, crops, effort.csv, ...",
        ),
    ] = None,
    people: Annotated[bool, typer.Option(help="With photos of people, which are left out otherwise.")] = False,
    occasion_days: Annotated[int, typer.Option(min=1, max=366, help="Of a detection history.")] = 7,
    forward_slashes: Annotated[
        bool, typer.Option(help="In the folders of a Timelapse table, which has \\ otherwise.")
    ] = False,
) -> None:
    """Write species.csv and counts.csv from one snapshot into a folder; or one format into a file."""
    from app.exports.files import write_all
    from app.exports.study import Options

    with opened() as (database, store, _settings):
        with database.reading() as session:
            project_id = project_named(session, project).id
        if form is not None:
            write_format(database, store, project_id, form, out, Options(people, occasion_days, forward_slashes))
            return
        for path, rows in write_all(database, store, project_id, out).items():
            print(f"{path}: {rows:,} rows")


def write_format(database: Database, store: Store, project_id: int, name: str, out: Path, options: Options) -> None:
    """One format into a file that appears when it is whole, and its manifest beside it; what was lost is said."""
    from app.exports.formats import FORMATS, manifest_of, write_export
    from app.exports.lost import lost_lines
    from app.exports.sinks import HashedBytes
    from app.exports.study import Study
    from models.errors import Invalid
    from models.project import Project

    if name not in FORMATS:
        raise Invalid(f"format: {name!r} is not one of {', '.join(FORMATS)}")
    path = out / FORMATS[name].file if out.is_dir() else out
    partial = path.with_name(f".{path.name}.partial")
    with database.reading() as session:
        project = session.get_one(Project, project_id)
        with partial.open("wb") as file:
            hashed = HashedBytes(file)
            rows = write_export(session, store, project, name, hashed, options)
        lost = lost_lines(name, Study(session, store, project, options))
        made = manifest_of(session, store, project, name, hashed.written(path.name, rows), options)
    path.with_name(f"{path.name}.manifest.json").write_bytes(made)
    partial.replace(path)
    print(path)
    for each in lost:
        print(f"  {each}")


# --- people ------------------------------------------------------------------------------------------------------------------


@cli.command("create-user")
def create_user(
    email: Email,
    name: Annotated[str, typer.Option(help="The person's name, as others see it.")],
    admin: Annotated[bool, typer.Option(help="May make projects and accounts.")] = False,
    project: Annotated[str | None, typer.Option(help="Also add to this project.")] = None,
    role: Annotated[str, typer.Option(help="admin, expert, annotator or viewer.")] = "annotator",
) -> None:
    """Make an account with a random password, printed once."""
    from models.audit import note
    from models.errors import Invalid
    from models.membership import Membership, Role
    from models.user import User

    if role not in list(Role):
        raise Invalid(f"role: {role!r} is not one of {', '.join(Role)}")
    with opened() as (database, _store, _settings), database.writing() as session:
        user = User.register(session, email, name, is_admin=admin)
        password = new_password(user)
        note(session, "account.made", email=user.email, is_admin=admin, where="command line")
        if project:
            Membership.grant(session, project_named(session, project).id, user.id, Role(role))
    print(f"{user.email} can sign in with the password {password} (shown once).")


@cli.command("reset-password")
def reset_password(email: Email) -> None:
    """Give an account a new random password, printed once; every sign-in of it ends."""
    from models.audit import note
    from models.session import UserSession

    with opened() as (database, _store, _settings), database.writing() as session:
        user = account(session, email)
        password = new_password(user)
        UserSession.end_all(session, user.id)
        note(session, "account.reset", email=user.email, where="command line")
    print(f"{user.email} can sign in with the password {password} (shown once).")


@cli.command("disable-user")
def disable_user(email: Email) -> None:
    """Sign a person out everywhere and let the account in no more; what the person said stays."""
    from models.base import utc_now

    change_account(email, "disabled", lambda user: setattr(user, "disabled_at", utc_now()))


@cli.command("enable-user")
def enable_user(email: Email) -> None:
    """Let a disabled account in again."""
    change_account(email, "enabled", lambda user: setattr(user, "disabled_at", None))


@cli.command("sign-out")
def sign_out(email: Email) -> None:
    """End every sign-in of a person."""
    change_account(email, "signed_out", lambda _user: None)


# --- looking after the house -------------------------------------------------------------------------------------------------


@cli.command()
def doctor(
    deep: Annotated[bool, typer.Option(help="Also read every file and compare its hash.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check what must always be true and name what is wrong; exit status 1 when anything is."""
    from models.invariants import examine
    from models.queue import workers

    with opened() as (database, store, settings):
        facts = database.facts() | {
            "home": str(settings.home.resolve()),
            "free_gb": round(free_bytes(settings) / 1e9, 1),
        }
        findings = examine(database, store, deep=deep)
        with database.reading() as session:
            alive = {beat.name: beat.device for beat in workers(session) if beat.is_alive}
    if as_json:
        print(json.dumps({"facts": facts, "workers": alive, "findings": [vars(each) for each in findings]}))
    else:
        say_health(facts, alive, [f"{each.invariant}: {each.what}" for each in findings])
    if findings:
        raise typer.Exit(1)


def say_health(facts: dict[str, object], alive: dict[str, str], findings: list[str]) -> None:
    """The same for people."""
    journal = f", journal {facts['journal']}" if "journal" in facts else ""
    print(f"Database  {facts['product']} {facts['version']}{journal}")
    if facts.get("journal") == "delete":
        print("          This SQLite library has the WAL-reset bug, so the slower rollback journal is used.")
    print(f"Files     {facts['home']}, {facts['free_gb']} GB free")
    print(f"Worker    {', '.join(f'{name} ({device})' for name, device in alive.items()) or 'none is running'}")
    print("\n".join(findings) if findings else "Every invariant holds.")


@cli.command()
def rebuild(
    what: Annotated[str, typer.Argument(help="thumbnails (with previews), crops, or vectors.")],
    project: ProjectName,
    batch: Annotated[str | None, typer.Option(help="Only photos that this batch brought.")] = None,
) -> None:
    """Make again what is missing of thumbnails, crops or vectors; the worker does it. Run it again at any time."""
    from sqlalchemy import select

    from models.batch import Batch
    from models.errors import Invalid
    from models.queue import workers
    from models.rebuilding import ask_rebuild

    with opened() as (database, _store, _settings):
        with database.writing() as session:
            project_id = project_named(session, project).id
            batch_id = None
            if batch is not None:
                mine = (Batch.project_id == project_id, Batch.name == batch, Batch.deletion_id.is_(None))
                batch_id = session.scalar(select(Batch.id).where(*mine).order_by(Batch.id.desc()).limit(1))
                if batch_id is None:
                    raise Invalid(f"batch: there is no batch called {batch!r} in {project}")
            job_id = ask_rebuild(session, project_id, (what,), batch_id).id
            alive = any(beat.is_alive for beat in workers(session))
        if not alive:
            print("No worker runs; it is done as soon as one does.")
            return
        wait_for(database, job_id)


@cli.command()
def collect(
    hours: Annotated[float, typer.Option(min=1, help="Only files that are older; uploads take less.")] = 24,
) -> None:
    """Remove files that belong to no photo, as doctor names them after a crash."""
    from models.collecting import collect as remove

    with opened() as (database, store, _settings):
        count, size = remove(database, store, older_than_s=hours * 3600)
    print(f"{count:,} files are removed, {size / 1e6:,.1f} MB.")


@cli.command()
def bundle(
    project: ProjectName,
    out: Annotated[Path, typer.Option("-o", "--out", help="The file to write, e.g. project.tar.")],
    without_derived: Annotated[
        bool, typer.Option("--without-derived", help="Leave out what can be made again: pictures, crops, vectors.")
    ] = False,
) -> None:
    """Write a whole project into one file, for another server: photos, rows, answers with their history, networks."""
    from models.bundling import bundle as write

    with opened() as (database, store, _settings):
        with database.reading() as session:
            project_id = project_named(session, project).id
        members = write(database, store, project_id, out, derived=not without_derived, report=counted_up())
    print(f"{out}: {members:,} members, {out.stat().st_size / 1e6:,.1f} MB")


@cli.command()
def unbundle(
    file: Annotated[Path, typer.Argument(help="A file that `waterhole bundle` wrote.")],
    name: Annotated[str | None, typer.Option(help="Another name for the project.")] = None,
) -> None:
    """Bring a project from another server in. It is checked whole first; nobody sees it before all of it is here."""
    from models.project import Project
    from worker.jobs.unbundling import unbundle as read

    with opened() as (database, store, _settings):
        project_id = read(database, store, file, name=name, report=counted_up())
        with database.reading() as session:
            print(
                f"{session.get_one(Project, project_id).name} is here. People whom nobody knew are disabled accounts."
            )


def counted_up() -> Callable[[str, int, int], None]:
    """Shows on a terminal how far a long command is."""

    def show(what: str, done: int, _total: int) -> None:
        if sys.stdout.isatty():
            print(f"\r{what}: {done:,}".ljust(60), end="", flush=True)

    return show


def wait_for(database: Database, job_id: str) -> None:
    """Show how far a job is until it ends; Ctrl-C leaves it to the worker. Raises Conflict when it fails."""
    from models.errors import Conflict
    from models.job import ALIVE, FAILED, Job

    show = progress_bar()
    while True:
        with database.reading() as session:
            job = session.get_one(Job, job_id)
        show(job.line, job.done, job.total)
        if job.state == FAILED:
            raise Conflict(f"{job.line}: {job.error}")
        if job.state not in ALIVE:
            print(f"{job.line}: {job.state}")
            return
        time.sleep(0.5)


@cli.command("train-detector")
def train_detector(
    out: Annotated[Path, typer.Option(help="The weights to write (.safetensors).")],
    boxes: Annotated[
        Path | None, typer.Option(help="Folder with boxes.csv and boxes.tar: photos of any kind with boxes.")
    ] = None,
    project: Annotated[str | None, typer.Option(help="Fine-tune on what people said of this project's boxes.")] = None,
    species: Annotated[
        bool, typer.Option("--species", help="Make a detector of species, from --project, --boxes or both.")
    ] = False,
    least: Annotated[int, typer.Option(help="Right boxes that a species needs to be a class.")] = 20,
    detector: Annotated[str, typer.Option(help="Fine-tune this one: starter, its name, or a file.")] = "starter",
    photos: Annotated[Path | None, typer.Option(help="Folder of camera-trap photos with labels.csv.")] = None,
    truth: Annotated[Path | None, typer.Option(help="A CSV with the true boxes of these photos.")] = None,
    pictures: Annotated[Path | None, typer.Option(help="Folder with cifar10.tar.gz, for distant animals.")] = None,
    steps: Annotated[
        int | None, typer.Option(help="Of the first stage, 4 photos each: 900. Of a fine-tune: by its photos.")
    ] = None,
    work: Annotated[Path | None, typer.Option(help="Keeps every state, so that a stopped run goes on.")] = None,
) -> None:
    """Fine-tune a detector on a project's answers, or make one of species; without these two train one from nothing.

    From nothing is how the starter was made (worker/networks/starter/CARD.md): --photos and --truth for both stages.
    """
    if project is not None or species:
        teach_detector(
            project, boxes, out, work or out.with_suffix(".training"), detector, steps, least if species else None
        )
        return
    if boxes is None:
        raise typer.BadParameter("--boxes or --project is needed: something has to teach")
    from worker.device import find_device
    from worker.learning.detector_folds import Plan, Workshop
    from worker.learning.detector_training import Progress, Recipe
    from worker.learning.detector_training import train_detector as train

    def show(progress: Progress) -> None:
        print(
            f"step {progress.step} of {progress.steps}, loss {progress.loss:.3f}, {progress.step_s:.1f} s a step",
            flush=True,
        )

    if (photos is None) != (truth is None):
        raise typer.BadParameter("--photos and --truth belong together")
    for folder in (boxes, *(folder for folder in (photos, pictures) if folder)):
        require_folder(folder)
    work = work or out.with_suffix(".training")
    if photos is not None and truth is not None:
        plan = Plan(work, boxes, photos, truth, pictures, base=Recipe(steps=steps or 900, seed=7))
        sha256 = Workshop(plan, find_device(), lambda line: print(line, flush=True)).final(out, out.stem)
    else:
        state = work / "state.safetensors"
        sha256 = train(boxes, out, pictures=pictures, steps=steps or 900, state_path=state, report=show)
    print(f"{out} is written, sha256 {sha256}")


def teach_detector(
    project: str | None, boxes: Path | None, out: Path, work: Path, detector: str, steps: int | None, least: int | None
) -> None:
    """Fine-tune and say whether it helped; exit status 1 when it did not. least: right boxes of a class; none: animals only."""
    from models.errors import Invalid
    from models.offered import place_of

    if (project is None and boxes is None) or (steps is not None and steps < 1) or (least is not None and least < 1):
        raise typer.BadParameter("--species needs --project or --boxes; --steps and --least are at least 1")
    lessons = lessons_of(project, boxes, work / "web")
    from worker.device import find_device
    from worker.learning.detector_classes import classes_of
    from worker.learning.detector_finetuning import Wishes, fine_tune_detector, recipe_for
    from worker.networks.kinds import ANIMAL
    from worker.networks.weights import STARTER_DIR

    classes: tuple[str, ...] = (ANIMAL,)
    if least is not None:
        classes = classes_of((name for photo in lessons.taught for name in photo.species), least)
        if classes == (ANIMAL,):
            raise Invalid(f"No species has {least} right boxes in the photos that teach; --least asks for fewer.")
        print(f"Classes: {', '.join(classes)}", flush=True)
    at_start = detector == "starter"
    start = STARTER_DIR / "detector.safetensors" if at_start else place_of(load_settings().weights, detector)
    show = progress_bar()
    recipe = recipe_for(0, steps, of_species=least is not None) if steps else None
    with weights_errors_in_words():
        verdict = fine_tune_detector(
            start, out, lessons, find_device(), Wishes(out.stem, classes, recipe=recipe), work,
            say=lambda line: print(line, flush=True), tell=lambda now: show("Fine-tuning", now.step, now.steps),
        )  # fmt: skip
    if verdict.comparison is None:
        raise Invalid(verdict.words)
    print("\n".join([*verdict.lines, verdict.words]))
    if not verdict.taken:
        raise typer.Exit(1)
    print(f"{out} is written, sha256 {verdict.sha256}")


def lessons_of(project: str | None, boxes: Path | None, unpacked: Path) -> Lessons:
    """What a project's people said of its boxes, and boxed photos of others; beside a project's photos those only teach."""
    from worker.learning.detector_lessons import by_place, web_lessons

    if boxes is not None:
        require_folder(boxes)
    if project is None:
        assert boxes is not None
        return web_lessons(boxes, unpacked)
    from worker.jobs.answered import answered_photos

    with opened() as (database, store, _settings):
        with database.reading() as session:
            project_id = project_named(session, project).id
        mine = by_place(answered_photos(database, store, project_id))
    return mine if boxes is None else mine.beside(web_lessons(boxes, unpacked))


@cli.command("train-embedding")
def train_embedding(
    dataset: Annotated[
        Path, typer.Argument(help="The JSON file of a COCO Camera Traps set, or a folder with one folder a class.")
    ],
    out: Annotated[Path, typer.Option(help="The weights to write (.safetensors).")],
    photos: Annotated[Path | None, typer.Option(help="Where the JSON's photos lie; default beside it.")] = None,
    embedder: Annotated[str, typer.Option(help="Begin with: starter, resnet50 when fetched, or a file.")] = "starter",
    steps: Annotated[int | None, typer.Option(help="Steps of 64 crops; default 500, on a GPU 10,000.")] = None,
    loss: Annotated[str, typer.Option(help="triplet or softmax.")] = "triplet",
    state: Annotated[Path | None, typer.Option(help="Keeps the state, so that a stopped run goes on.")] = None,
) -> None:
    """Teach an embedder other people's labelled pictures; projects choose the result by its path."""
    from models.errors import Invalid
    from models.offered import place_of
    from worker.learning.labelled_sets import NotASet, read_set

    if loss not in ("triplet", "softmax") or (steps is not None and steps < 1):
        raise typer.BadParameter("--loss is triplet or softmax, --steps at least 1")
    try:
        crops = read_set(dataset, photos)
    except NotASet as error:
        raise Invalid(str(error)) from error
    print("\n".join([f"{len(crops):,} crops of {len(crops.species):,} species", *crops.skipped.lines()]), flush=True)

    from worker.device import find_device
    from worker.learning.metric_training import Diverged, Progress
    from worker.learning.pretraining import pretrain, pretraining_recipe
    from worker.networks.weights import STARTER_DIR

    shown_at = -math.inf

    def show(progress: Progress) -> None:
        nonlocal shown_at
        if progress.validation is None and time.monotonic() - shown_at < 10:
            return
        shown_at = time.monotonic()
        judged = "" if progress.validation is None else f", names {progress.validation:.1%} of the held-out crops"
        left = f"{progress.seconds_left / 60:.0f} min left"
        print(f"step {progress.step:,} of {progress.steps:,}, loss {progress.loss:.3f}{judged}, {left}", flush=True)

    at_start = embedder == "starter"
    start = STARTER_DIR / "embedder.safetensors" if at_start else place_of(load_settings().weights, embedder)
    device = find_device()
    print(device.line, flush=True)
    try:
        with weights_errors_in_words():
            recipe = pretraining_recipe(start, device, steps, loss)
            made = pretrain(start, out, crops, device, recipe, state=state, report=show)
    except (NotASet, Diverged) as error:
        raise Invalid(str(error)) from error
    if crops.broken:
        print(f"{len(crops.broken):,} files could not be read; others of their species took their place:")
        print("\n".join(crops.skipped.lines()))
    held = "places that it had not seen" if made.by_place else "the same places (the set names too few places)"
    print(f"Names {made.after:.1%} of crops from {held}, before {made.before:.1%}.")
    print(f"{out} is written, sha256 {made.sha256}")


@cli.command("fetch-weights")
def fetch_weights(
    name: Annotated[str | None, typer.Argument(help="Which; without it the list is shown.")] = None,
    carried: Annotated[
        Path | None, typer.Option("--from", help="The publisher's file, carried over from a machine with a network.")
    ] = None,
) -> None:
    """Fetch published weights and put them where projects can choose them; without a name, show what there is."""
    from worker.networks.offers import PUBLISHED

    settings = load_settings()
    if name is None:
        for each in PUBLISHED.values():
            here = "here" if (settings.weights / f"{each.name}.safetensors").is_file() else "not fetched"
            print(f"{each.name}  {each.kind}, {each.size_bytes / 1e6:.0f} MB, {here}: {each.about}")
            print(f"    learnt from {each.learnt_from}\n    {each.licence}")
        return
    from worker.learning.published import fetch_weights as fetch

    shown = -1

    def show(done: int, total: int) -> None:
        nonlocal shown
        if sys.stdout.isatty():
            print(f"\r{bar(f'Fetching {name}, MB', done >> 20, total >> 20, None):<100}", end="", flush=True)
        elif 10 * done // total > shown:
            shown = 10 * done // total
            print(f"Fetching {name}: {10 * shown}%", flush=True)

    with weights_errors_in_words():
        path = fetch(name, settings.weights, show, carried=carried)
    print(f"{chr(10) if sys.stdout.isatty() else ''}{name} is here: {path}")


@cli.command()
def simulate(
    dataset: Annotated[
        str,
        typer.Option(help="A folder of class folders, a labels.csv (path, label), a COCO JSON, or a project's name."),
    ],
    out: Annotated[Path, typer.Option(help="Keeps everything; the same command goes on where it was stopped.")],
    strategies: Annotated[
        str,
        typer.Option(help="Names with commas between them, or all; margin+ceal teaches the classifier in another way."),
    ] = "random,k_center,margin_spread",
    seeds: Annotated[int, typer.Option(help="Courses of each strategy, each with another first round.")] = 5,
    initial: Annotated[int, typer.Option(help="Crops of the first round.")] = 1000,
    first: Annotated[str, typer.Option(help="How they are found: random, or kcenter (wide apart).")] = "random",
    round_size: Annotated[int, typer.Option("--round", help="Crops of every other round.")] = 100,
    budget: Annotated[int, typer.Option(help="Labels at the end.")] = 5000,
    finetune_every: Annotated[int, typer.Option(help="Fine-tune the embedder at so many labels; 0: never.")] = 0,
    loss: Annotated[str, typer.Option(help="Of the fine-tune: triplet or softmax.")] = "triplet",
    embedder: Annotated[str, typer.Option(help="starter, fetched weights by name, or a file.")] = "starter",
    size: Annotated[int, typer.Option(help="Side in pixels at which the embedder sees a crop.")] = 256,
    test_share: Annotated[float, typer.Option(help="Measured on, where the set names no test rows.")] = 0.2,
    pool: Annotated[int | None, typer.Option(help="Use at most so many pictures to ask about.")] = None,
    test: Annotated[int | None, typer.Option(help="Use at most so many pictures to measure on.")] = None,
    whole: Annotated[bool, typer.Option(help="The whole picture where the set has a box.")] = False,
    processes: Annotated[int | None, typer.Option(help="Courses at once; default: one a core.")] = None,
) -> None:
    """Compare strategies on pictures whose names are known: curves, labels needed, differences from random."""
    from models.errors import Invalid
    from models.offered import place_of

    if not 0 < test_share < 1 or not 32 <= size <= 256 or loss not in ("triplet", "softmax"):
        raise typer.BadParameter("--test-share lies between 0 and 1, --size in 32 to 256, --loss is triplet or softmax")
    from worker.device import usable_cores
    from worker.learning.sights import NotASet
    from worker.selection.strategies import STRATEGIES
    from worker.simulation.course import Protocol
    from worker.simulation.harness import SimulationError, Wishes, settings_of
    from worker.simulation.harness import simulate as play
    from worker.simulation.report import write_report
    from worker.simulation.results import write_results
    from worker.simulation.studies import Draw

    show = progress_bar()
    weights = embedder if embedder == "starter" else str(place_of(load_settings().weights, embedder))
    names = tuple(STRATEGIES) if strategies == "all" else tuple(name.strip() for name in strategies.split(","))
    wishes = Wishes(
        names, seeds, Protocol(initial, round_size, budget, finetune_every, loss, first=first), weights, size
    )
    try:
        with weights_errors_in_words():
            study = study_of(dataset, out / "pictures", Draw(test_share, pool, test, whole), show)
            print("\n".join([f"{len(study):,} crops of {len(study.species):,} species", *study.said]), flush=True)
            played = play(study, wishes, out, processes or usable_cores(), show)
    except (NotASet, SimulationError) as error:
        raise Invalid(str(error)) from error
    found = write_results(played, study, settings_of(wishes, study), out)
    print(f"\n{'strategy':24}{'at the end':>12}{'area':>8}{'vs random':>11}")
    for name, area in sorted(found["area"].items(), key=lambda pair: -pair[1]["mean"]):
        above = found["against_random"].get(name)
        gained = "" if above is None else f"{100 * above['mean'][-1]:+.1f}"
        print(f"{name:24}{found['curves'][name]['mean'][-1]:>12.1%}{area['mean']:>8.1%}{gained:>11}")
    print(f"{write_report(found, study.said, out)} is written, with results.json, results.csv and picks.csv beside it")


# --- the demo: nothing but the commands above, one after the other -----------------------------------------------------------


@cli.command()
def demo(
    photos: Annotated[Path | None, typer.Option(help="A folder of photos; without it scenes are drawn.")] = None,
    project: Annotated[str | None, typer.Option(help="Name of the project.")] = None,
) -> None:
    """Set up, import, serve and work, all on this machine; Ctrl-C stops it, the next start goes on."""
    from models import schema

    settings = load_settings()
    for stop in (signal.SIGINT, signal.SIGTERM):  # also where a shell started us with Ctrl-C ignored
        signal.signal(stop, signal.default_int_handler)
    refuse_taken_port(settings)
    if photos is not None:
        require_folder(photos)
    with opened(check=False) as (database, store, _settings):
        schema.migrate(database)
        say_first_admin(database)
        with children(settings) as running:
            project_id = demo_project(database, settings, photos, project)
            folder = photos or settings.home / "drawn-scenes"
            bring_in(database, store, project_id, folder, folder.resolve().name, None)
            print(
                f"\nOpen http://{settings.host}:{settings.port}/projects/{project_id}  (stop with Ctrl-C)\n", flush=True
            )
            print(
                f"Everything lies in {settings.home.resolve()}; to start over, stop and delete that folder.", flush=True
            )
            watch(database, project_id, running)


def say_first_admin(database: Database) -> None:
    """Make the first account when there is none, and print its password this once."""
    from sqlalchemy import select

    from models.user import User

    with database.writing() as session:
        first = session.scalar(select(User).order_by(User.id).limit(1))
        if first is not None:
            print(f"Sign in as {first.email} with the password of the first start.")
            print(f"Forgotten? {command_name()} reset-password --email {first.email}", flush=True)
            return
        user = User.register(session, "admin@localhost", "Admin", is_admin=True)
        password = new_password(user)
    print(f"Sign in as admin@localhost with the password {password} (shown once).", flush=True)


def demo_project(database: Database, settings: Settings, photos: Path | None, name: str | None) -> int:
    """The project of the demo, made at the first start; the first account is its admin."""
    from sqlalchemy import select

    from models.membership import Membership, Role
    from models.project import Project
    from models.species import Species
    from models.user import User

    drawn = photos is None
    wanted = name or ("Drawn scenes" if photos is None else photos.resolve().name)
    species: list[str] = []
    if drawn:
        from worker.simulation.scenes import SHARES

        species = [name.capitalize() for name in SHARES]
        draw_once(settings.home / "drawn-scenes")
    with database.writing() as session:
        project = Project.named(session, wanted)
        if project is None:
            project = Project.start(session, wanted, note=DRAWN_NOTE if drawn else "")
            for each in species:
                Species.add(session, project.id, each)
        first = session.scalars(select(User).order_by(User.id).limit(1)).one()
        if Membership.of(session, project.id, first.id) is None:
            Membership.grant(session, project.id, first.id, Role.admin)
        return project.id


def draw_once(folder: Path) -> None:
    """The scenes of the demo in a folder of their own, and what they show beside it; drawn again when that is missing."""
    from worker.simulation.scenes import draw_scenes

    truth = folder.with_name("drawn-scenes-truth.csv")
    if not truth.exists():
        print("Drawing about 120 scenes", flush=True)
        draw_scenes(folder)
        (folder / "truth.csv").replace(truth)


@contextlib.contextmanager
def children(settings: Settings) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Web server and worker as processes of their own, stopped with SIGTERM when the block ends."""
    environment = os.environ | {"WATERHOLE_HOME": str(settings.home.resolve())}
    running = [
        subprocess.Popen([sys.executable, __file__, name], env=environment, start_new_session=True)
        for name in ("serve", "worker")
    ]
    try:
        wait_until_served(settings, running)
        yield running
    finally:
        print("\nStopping.", flush=True)
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


def wait_until_served(settings: Settings, running: list[subprocess.Popen[bytes]]) -> None:
    """Return once the web server takes connections. Raises Conflict when it ended instead."""
    from models.errors import Conflict

    for _attempt in range(600):
        with socket.socket() as probe:
            probe.settimeout(0.5)
            if probe.connect_ex((settings.host, settings.port)) == 0:
                return
        if running[0].poll() is not None:
            raise Conflict("The web server did not start; its words are above.")
        time.sleep(0.1)
    raise Conflict("The web server did not start within a minute.")


def watch(database: Database, project_id: int, running: list[subprocess.Popen[bytes]]) -> None:
    """Show a progress bar while the worker works, then wait for Ctrl-C. Raises Conflict when a process ends by itself."""
    from models.errors import Conflict
    from models.queue import current

    shown = ""
    while True:
        for process, name in zip(running, ("web server", "worker"), strict=True):
            if process.poll() is not None:
                raise Conflict(f"The {name} ended by itself (status {process.returncode}); its words are above.")
        with database.reading() as session:
            jobs = current(session, project_id)
            line = (
                bar(jobs[0].line, jobs[0].done, jobs[0].total, jobs[0].seconds_left)
                if jobs
                else "Nothing to do: the crops are ready."
            )
        if line != shown:
            print(
                f"\r{line:<110}" if sys.stdout.isatty() else line, end="" if sys.stdout.isatty() else "\n", flush=True
            )
            shown = line
        time.sleep(0.5)


def bar(line: str, done: int, total: int, seconds_left: float | None) -> str:
    """Finding animals in x  [#####.....] 57 of 120, 12 s left."""
    if not total:
        return line
    filled = round(20 * done / total)
    left = f", {seconds_left:.0f} s left" if seconds_left else ""
    return f"{line}  [{'#' * filled}{'.' * (20 - filled)}] {done:,} of {total:,}{left}"


def progress_bar() -> Callable[[str, int, int], None]:
    """What shows how far something is: one line that changes, or a line every tenth where nobody watches."""
    shown = ("", -1)

    def show(what: str, done: int, total: int) -> None:
        nonlocal shown
        if sys.stdout.isatty():
            end = "\n" if done == total else ""
            print(f"\r{bar(what, done, total, None):<100}", end=end, flush=True)
        elif total and (what, 10 * done // total) != shown:
            shown = (what, 10 * done // total)
            print(f"{what}: {done:,} of {total:,}", flush=True)

    return show


def study_of(dataset: str, unpacked: Path, draw: Draw, show: Callable[[str, int, int], None]) -> Study:
    """The set that lies there, else what the project of this name was told. Raises Invalid, NotASet."""
    from worker.simulation.studies import read_study

    if Path(dataset).exists():
        return read_study(Path(dataset), unpacked, draw, show)
    from worker.jobs.finished import finished_study

    with opened() as (database, store, _settings):
        with database.reading() as session:
            project_id = project_named(session, dataset).id
        return finished_study(database, store, project_id, draw)


# --- what the commands share -------------------------------------------------------------------------------------------------


def load_settings(**given: object) -> Settings:
    """The settings, with what the command line gives on top."""
    from models.settings import Settings

    return Settings(**given)  # type: ignore[arg-type]


@contextlib.contextmanager
def opened(*, check: bool = True) -> Iterator[tuple[Database, Store, Settings]]:
    """Database and store of the settings. check: refuse a database that is not at this program's schema."""
    from models.database import Database
    from models.schema import check_schema
    from models.storage import Store

    settings = load_settings()
    database = Database(settings.url)
    try:
        if check:
            check_schema(database)
        yield database, Store(settings.store, free_floor_bytes=settings.free_space_floor_mb << 20), settings
    finally:
        database.dispose()


def bring_in(database: Database, store: Store, project_id: int, folder: Path, name: str, boxes: Path | None) -> None:
    """Import a folder and say how it went."""
    from models.importing import Progress, import_folder

    require_folder(folder)

    def show(progress: Progress) -> None:
        if sys.stdout.isatty():
            print(f"\r{bar(f'Reading {name}', progress.done, progress.total, None):<100}", end="", flush=True)

    result = import_folder(database, store, project_id, folder, name=name, by=None, progress=show, boxes_file=boxes)
    if sys.stdout.isatty():
        print()
    print(result.words, flush=True)


def bring_labels(
    project: str,
    paths: list[Path],
    format: str,
    columns: list[str],
    strip_prefix: str,
    by: str | None,
    *,
    dry_run: bool,
) -> None:
    """Read files of another tool, say what they would do, and ask the worker for the good rows."""
    from app.imports import wording
    from app.imports.staging import bring
    from models.errors import Invalid
    from models.imported import BAD, CHECKED, Import

    options: dict[str, object] = {"strip_prefix": strip_prefix}
    if columns:
        options |= {"columns": dict(each.split("=", 1) for each in columns if "=" in each), "confirmed": True}
    with opened() as (database, store, _settings):
        with database.reading() as session:
            found = project_named(session, project)
            project_id, user_id = found.id, importer(session, found, by)
        with contextlib.ExitStack() as stack:
            files = {path.name: stack.enter_context(path.open("rb")) for path in paths}
            import_id = bring(database, store, project_id, user_id, files, format=format, options=options)
        with database.writing() as session:
            import_ = Import.of(session, project_id, import_id)
            if import_.state != CHECKED:
                reading = import_.source.get("reading", {})
                raise Invalid(
                    import_.error
                    or f"columns: say which column is what with --columns; there are {reading.get('header')}"
                )
            print(f"{import_.name}: {wording.summary(import_)}")
            print("\n".join(f"  {sentence}" for sentence in wording.what_happens(import_)))
            for place, field, reason in wording.first_rows(session, import_.id, BAD):
                print(f"  bad: {place} {field}: {reason}")
            if not dry_run:
                import_.take(session)
                print("The worker takes the good rows.")


def importer(session: Session, project: Project, by: str | None) -> int:
    """Whose voice imported names are. Raises Invalid where there is nobody."""
    from models.errors import Invalid
    from models.membership import Membership, Role

    if by is not None:
        user = account(session, by)
        Membership.require(session, project.id, user.id, Role.admin)
        return user.id
    admin = Membership.first_admin(session, project.id)
    if admin is None:
        raise Invalid("by: the project has no administrator; say with --by whose names these are")
    return admin


def project_named(session: Session, name: str, *, create: bool = False, hint: bool = False) -> Project:
    """The project of this name. Raises Invalid with the names there are. hint: the command knows --create."""
    from sqlalchemy import select

    from models.errors import Invalid
    from models.project import Project

    found = Project.named(session, name)
    if found is None and create:
        return Project.start(session, name)
    if found is None:
        names = ", ".join(session.scalars(select(Project.name).order_by(Project.name).limit(20))) or "none yet"
        raise Invalid(
            f"There is no project called {name!r}. Projects: {names}.{' With --create it is made.' if hint else ''}"
        )
    return found


@contextlib.contextmanager
def weights_errors_in_words() -> Iterator[None]:
    """Weights that cannot be had are a matter for people, not a bug."""
    from models.errors import Invalid
    from worker.networks.weights import WeightsError

    try:
        yield
    except WeightsError as error:
        raise Invalid(str(error)) from error


def account(session: Session, email: str) -> User:
    """The account of this address. Raises Invalid."""
    from models.errors import Invalid
    from models.user import User

    found = User.by_email(session, email)
    if found is None:
        raise Invalid(f"There is no account for {email!r}.")
    return found


def change_account(email: str, act: str, change: Callable[[User], None]) -> None:
    """Change an account, end its sign-ins (and the tokens of a disabled one), note it."""
    from models.api_token import ApiToken
    from models.audit import note
    from models.session import UserSession

    with opened() as (database, _store, _settings), database.writing() as session:
        user = account(session, email)
        change(user)
        UserSession.end_all(session, user.id)
        if user.disabled_at is not None:
            ApiToken.revoke_all(session, user.id)
        note(session, f"account.{act}", email=user.email, where="command line")
    print(f"{user.email}: {act.replace('_', ' ')}.")


def new_password(user: User) -> str:
    """A random password for the account, to be printed once."""
    from app.security.passwords import hash_password

    password = secrets.token_urlsafe(12)
    user.password_hash = hash_password(password)
    return password


def require_folder(folder: Path) -> None:
    """Raises Invalid unless it is a folder that can be read."""
    from models.errors import Invalid

    if not folder.is_dir() or not os.access(folder, os.R_OK | os.X_OK):
        raise Invalid(f"{folder} is not a folder that can be read.")


def refuse_plain_http(settings: Settings) -> None:
    """Off loopback browsers drop the sign-in cookie of plain http, so nobody could sign in (DECISIONS 19)."""
    from models.errors import Invalid

    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise Invalid("https needs both --tls-cert and --tls-key.")
    if not settings.is_loopback and not settings.is_https:
        raise Invalid(
            f"On {settings.host} browsers need https to keep people signed in. "
            "Give --tls-cert and --tls-key, or --behind-proxy when a proxy does https; see README, Over HTTPS."
        )


def refuse_taken_port(settings: Settings) -> None:
    """Raises Conflict in plain words instead of a bind error."""
    from models.errors import Conflict

    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise Conflict(
                f"Port {settings.port} on {settings.host} cannot be used ({error.strerror}). "
                f"Stop the program that has it, or choose another: WATERHOLE_PORT={settings.port + 1}"
            ) from error


def free_bytes(settings: Settings) -> int:
    """Free space where the files lie."""
    return shutil.disk_usage(settings.home).free


def command_name() -> str:
    """How this program was called."""
    beside = Path(sys.executable).with_name("waterhole")
    command = beside if beside.exists() else Path(sys.argv[0])
    return str(command.relative_to(Path.cwd()) if command.is_relative_to(Path.cwd()) else command)


if __name__ == "__main__":
    main()
