"""The command line as an operator uses it: what works, and one plain line for what does not."""

from __future__ import annotations

import csv
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image as Picture

from models.act import Act
from models.database import Database
from models.image import READY, Image
from models.membership import Role
from models.offered import card_of
from models.species import Species
from models.storage import Store
from tests import make
from tests.parks import DEER, draw_parks
from worker.learning.field_photos import TruePhoto

ROOT = Path(__file__).resolve().parent.parent


class Shell:
    """Runs commands over one home."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def run(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WATERHOLE_")}
        environment |= {"WATERHOLE_HOME": str(self.home), "WATERHOLE_FREE_SPACE_FLOOR_MB": "1"} | settings
        return subprocess.run(
            [sys.executable, str(ROOT / "waterhole.py"), *words],
            capture_output=True,
            text=True,
            env=environment,
            cwd=self.home,
        )

    def works(self, *words: str, **settings: str) -> str:
        done = self.run(*words, **settings)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def complains(self, *words: str, **settings: str) -> str:
        done = self.run(*words, **settings)
        assert done.returncode in (1, 2), done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr
        return done.stderr.strip()


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    made = Shell(tmp_path / "home")
    made.home.mkdir()
    return made


@pytest.fixture
def house(shell: Shell) -> Shell:
    shell.works("migrate")
    return shell


def folder_of_photos(at: Path) -> Path:
    (at / "Camera A").mkdir(parents=True)
    for number in range(3):
        Picture.new("RGB", (64, 48), (number * 80, 90, 30)).save(at / "Camera A" / f"IMG_{number}.JPG")
    (at / "Camera A" / "IMG_9.JPG").write_bytes((at / "Camera A" / "IMG_0.JPG").read_bytes())
    (at / "notes.txt").write_text("no photo")
    return at


def test_a_command_before_the_first_migrate_says_what_to_do(shell: Shell) -> None:
    assert "waterhole migrate" in shell.complains("doctor")


def test_migrate_twice_is_migrate_once(house: Shell) -> None:
    assert "0001" in house.works("migrate") or "schema" in house.works("migrate")


def test_an_account_gets_a_password_once_and_the_address_is_taken_then(house: Shell) -> None:
    assert "shown once" in house.works("create-user", "--email", "Ann@Example.org", "--name", "Ann", "--admin")
    assert "already an account" in house.complains("create-user", "--email", "ann@example.org", "--name", "Ann")
    assert "shown once" in house.works("reset-password", "--email", "ann@example.org")
    assert "disabled" in house.works("disable-user", "--email", "ann@example.org")
    assert "no account" in house.complains("sign-out", "--email", "bob@example.org")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("create-user", "--email", "nobody", "--name", "N"), "is not an address"),
        (("create-user", "--email", "a@b.c", "--name", "N", "--role", "king"), "role"),
        (("import", "no/such/folder", "--project", "P", "--create"), "not a folder"),
        (("export", "--project", "Nothing"), "no project called"),
        (("import", ".", "--project", "P", "--create", "--detector", "no.safetensors"), "is not a file"),
        (("fetch-weights", "yolo"), "known are fasterrcnn_resnet50_fpn_v2, resnet50"),
        (("fetch-weights", "resnet50", "--from", "lost.pth"), "lost.pth cannot be read"),
        (("serve", "--host", "0.0.0.0"), "https"),
        (("serve", "--tls-cert", "x.pem"), "tls-key"),
        (("fly",), "No such command"),
        (("import",), "Missing"),
    ],
)
def test_bad_input_is_one_plain_line(house: Shell, words: tuple[str, ...], said: str) -> None:
    assert said.lower() in house.complains(*words).lower()


def test_published_weights_are_listed_with_their_licence_and_whether_they_are_here(shell: Shell) -> None:
    (shell.home / "weights").mkdir()
    (shell.home / "weights" / "resnet50.safetensors").touch()
    listed = shell.works("fetch-weights")
    assert "resnet50  embedder, 103 MB, here" in listed
    assert "fasterrcnn_resnet50_fpn_v2  detector, 175 MB, not fetched" in listed and "BSD-3-Clause" in listed


def test_a_bad_setting_is_named(house: Shell) -> None:
    assert "WATERHOLE_PORT" in house.complains("doctor", WATERHOLE_PORT="many")


def test_a_database_that_does_not_answer_is_named(shell: Shell) -> None:
    address = "postgresql://nobody@127.0.0.1:1/none"
    assert "does not answer" in shell.complains("doctor", WATERHOLE_DATABASE_URL=address)


def test_a_taken_port_is_said_plainly(house: Shell) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"Port {port}" in house.complains("serve", "--port", str(port))


def test_a_folder_comes_in_once_and_goes_out_as_tables(house: Shell, tmp_path: Path) -> None:
    photos = folder_of_photos(tmp_path / "survey")
    first = house.works("import", str(photos), "--project", "P", "--create")
    assert "3 photos are here" in first
    assert "notes.txt" in first
    again = house.works("import", str(photos), "--project", "P")
    assert "4 were known" in again or "5 were known" in again
    house.works("export", "--project", "P", "--out", str(tmp_path / "out"))
    with (tmp_path / "out" / "species.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["species"] for row in rows] == ["not_yet_processed"] * 3
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["files"]


def test_a_project_goes_to_another_house_in_one_file(house: Shell, tmp_path: Path) -> None:
    house.works("import", str(folder_of_photos(tmp_path / "photos")), "--project", "Tambopata", "--create")
    said = house.works("bundle", "--project", "Tambopata", "-o", str(tmp_path / "tambopata.tar"))
    assert "members" in said
    other = Shell(tmp_path / "other")
    other.home.mkdir()
    other.works("migrate")
    assert "Madidi is here" in other.works("unbundle", str(tmp_path / "tambopata.tar"), "--name", "Madidi")
    assert "there is already a project" in other.complains(
        "unbundle", str(tmp_path / "tambopata.tar"), "--name", "Madidi"
    )
    assert "Every invariant holds." in other.works("doctor", "--deep")
    (tmp_path / "bad.tar").write_bytes((tmp_path / "tambopata.tar").read_bytes()[:5000])
    assert "damaged" in other.complains("unbundle", str(tmp_path / "bad.tar"))
    assert "No worker runs" in other.works("rebuild", "thumbnails", "--project", "Madidi")
    assert "originals is none of" in other.complains("rebuild", "originals", "--project", "Madidi")
    assert "there is no batch" in other.complains("rebuild", "crops", "--project", "Madidi", "--batch", "June")


def test_doctor_is_content_with_a_new_house_and_names_what_is_broken(house: Shell, tmp_path: Path) -> None:
    house.works("import", str(folder_of_photos(tmp_path / "survey")), "--project", "P", "--create")
    assert "Every invariant holds" in house.works("doctor", "--deep")
    lost = next((house.home / "store" / "originals").glob("*/*"))
    lost.unlink()
    broken = house.run("doctor", "--json")
    assert broken.returncode == 1
    assert lost.name in json.loads(broken.stdout)["findings"][0]["what"]


def test_an_import_is_refused_when_the_disk_is_too_full(house: Shell, tmp_path: Path) -> None:
    photos = folder_of_photos(tmp_path / "survey")
    said = house.complains(
        "import", str(photos), "--project", "P", "--create", WATERHOLE_FREE_SPACE_FLOOR_MB=str(1 << 40)
    )
    assert "disk" in said


def test_an_embedding_that_cannot_be_trained_is_said_in_a_line(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    out = str(tmp_path / "e.safetensors")
    assert "fewer than two species" in shell.complains("train-embedding", str(tmp_path / "set"), "--out", out)
    assert "--loss" in shell.complains("train-embedding", str(tmp_path / "set"), "--out", out, "--loss", "hinge")


def test_strategies_are_compared_on_class_folders_and_a_stopped_run_goes_on(shell: Shell, tmp_path: Path) -> None:
    for number, kind in enumerate(("cow", "deer")):
        for count in range(16):
            path = tmp_path / "set" / kind / f"camera {count % 4}" / f"{count}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Picture.new("RGB", (40, 30), (200 * number, 90 + count, 40)).save(path)
    (tmp_path / "set/cow/notes.txt").write_text("not a picture")
    words = [
        "simulate",
        "--dataset",
        str(tmp_path / "set"),
        "--out",
        str(tmp_path / "out"),
        "--seeds",
        "1",
        "--initial",
        "6",
    ]
    words += ["--round", "4", "--budget", "14", "--size", "32", "--processes", "1"]
    said = shell.works(*words, "--strategies", "random,margin")
    assert "32 crops of 2 species" in said
    assert "notes.txt" in said
    assert "Rounds: 6 of 6" in said
    found = json.loads((tmp_path / "out/results.json").read_text())
    assert found["curves"]["margin"]["labels"] == [6, 10, 14]
    assert "margin" in (tmp_path / "out/report.html").read_text()
    assert "Embedding" not in shell.works(*words, "--strategies", "random,margin")  # all of it is there
    assert "no strategy is called 'best'" in shell.complains(*words, "--strategies", "best")
    assert "other settings" in shell.complains(*words, "--strategies", "random")


def parks_project(home: Path, photos: list[TruePhoto]) -> None:
    """A project "Parks" in this home; a person has answered every box of its photos."""
    database, store = Database(f"sqlite:///{home / 'waterhole.sqlite'}"), Store(home / "store")
    with database.writing() as session:
        user = make.user(session)
        project = make.project(session, (user, Role.expert), name="Parks")
        make.species(session, project, DEER)
        batch = make.batch(session, project)
        for photo in photos:
            content = Path(photo.path).read_bytes()
            path = Path(photo.path).relative_to(Path(photo.path).parents[1])
            image = session.get_one(Image, batch.receive(session, str(path), store.receive([content])).image_id)
            image.state = READY
            for name, boxes in ((DEER, photo.boxes_xyxy), ("Not an animal", photo.false_xyxy)):
                for corners in boxes.tolist():
                    sides = dict(zip(("x_min", "y_min", "x_max", "y_max"), corners, strict=True))
                    box = make.box(session, image, **sides)
                    act, _fresh = Act.once(session, user.id, f"key-{box.id:08}", "answer", {}, project.id)
                    species = Species.named(session, project.id, name)
                    assert species is not None
                    box.answer(session, species, by=user.id, role=Role.expert, act=act)
    database.dispose()


def test_a_detector_learns_from_a_project_and_says_how_it_went(house: Shell, tmp_path: Path) -> None:
    parks_project(house.home, draw_parks(tmp_path / "parks", 8, 5))
    out = house.home / "weights" / "mine.safetensors"
    words = ("train-detector", "--project", "Parks", "--out", str(out), "--steps", "1")
    told = house.run(*words)
    helped = (
        told.returncode == 0
    )  # one step may help on drawn photos; whatever it did, code, words and file say the same
    assert "photos teach" in told.stdout and "held out: " in told.stdout, told.stderr
    assert ("It did not help" in told.stdout) == (not helped) == (not out.exists())
    out.unlink(missing_ok=True)
    assert "No species has 99 right boxes" in house.complains(*words, "--species", "--least", "99")
    written = house.works(*words, "--species", "--least", "10")
    assert "Classes: red deer, animal" in written and "names right" in written
    assert card_of(out)["kinds"] == ["animal", "animal"]
    photos = str(folder_of_photos(tmp_path / "survey"))
    assert "3 photos" in house.works("import", photos, "--project", "New", "--create", "--detector", "mine")


def test_a_detector_that_nothing_can_teach_is_said_in_a_line(house: Shell, tmp_path: Path) -> None:
    out = str(tmp_path / "d.safetensors")
    assert "--boxes or --project" in house.complains("train-detector", "--out", out)
    assert "--species needs" in house.complains("train-detector", "--out", out, "--species")
    assert "no project called" in house.complains("train-detector", "--out", out, "--project", "Nothing")
    parks_project(house.home, draw_parks(tmp_path / "parks", 2, 3))
    assert "2 places are too few" in house.complains("train-detector", "--out", out, "--project", "Parks")


def test_labels_of_another_tool_are_shown_first_and_then_asked_for(house: Shell, tmp_path: Path) -> None:
    house.works("import", str(folder_of_photos(tmp_path / "survey")), "--project", "P", "--create")
    labels = tmp_path / "labels.csv"
    labels.write_text("file,species\nnowhere.jpg,Deer\n../x.jpg,Deer\n")
    given = ("import", "--labels", str(labels), "--project", "P")
    assert "no administrator" in house.complains(*given)
    house.works("create-user", "--email", "a@example.org", "--name", "A", "--project", "P", "--role", "admin")
    assert "columns: say which column is what" in house.complains(*given)
    columns = ("--columns", "file=file", "--columns", "species=species")
    said = house.works(*given, *columns, "--dry-run")
    assert "bad: line 3 file: " in said
    assert "The worker takes" not in said
    assert "The worker takes the good rows." in house.works(*given, *columns)
