"""Sets that become studies: what is measured on, what is left out and named."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest

from tests.worker.simulation.known_studies import squares
from worker.learning.sights import NotASet
from worker.simulation.studies import Draw, Study, read_study


def study_of(source: Path, folder: Path, **draw: object) -> Study:
    return read_study(source, folder / "unpacked", Draw(**draw), lambda *_: None)  # type: ignore[arg-type]


def table(folder: Path, lines: list[str], header: str = "path,label,deployment,sequence,split") -> Path:
    file = folder / "labels.csv"
    file.write_text("\n".join([header, *lines]) + "\n")
    return file


def test_a_table_says_what_is_measured_on(tmp_path: Path) -> None:
    squares(tmp_path)
    lines = [
        f"{kind}/camera {n % 2}/{n}.png,{kind},cam{n % 2},burst{n // 4},{'test' if n > 8 else 'train'}"
        for kind in ("cow", "fox")
        for n in range(12)
    ]
    study = study_of(table(tmp_path, lines), tmp_path)
    assert (study.species, study.pool, len(study)) == (("cow", "fox"), 18, 24)
    assert study.crops is not None
    assert {sight.split for sight in study.crops.sights[: study.pool]} == {"train"}
    assert {sight.split for sight in study.crops.sights[study.pool :]} == {"test"}
    assert len(np.unique(study.deployment)) == 2
    assert len(np.unique(study.sequence[: study.pool])) == 3
    assert study.species[study.true_of_test[0]] == study.crops.sights[study.pool].species


def test_bad_rows_are_named_and_skipped(tmp_path: Path) -> None:
    squares(tmp_path)
    (tmp_path / "fox/broken.png").write_bytes(b"no picture")
    good = [f"{kind}/camera {n % 2}/{n}.png,{kind},,," for kind in ("cow", "fox") for n in range(12)]
    bad = [
        "fox/gone.png,fox,,,", ",fox,,,", "cow/camera 0/0.png,,,,", "../out.png,fox,,,", "cow/camera 0/0.png,cow,,,half",
        "fox/broken.png,fox,,,",
    ]  # fmt: skip
    study = study_of(table(tmp_path, good + bad), tmp_path)
    assert len(study) == 24
    said = "\n".join(study.said)
    for words in ("no such file", "line 26 fox/gone.png", "without path or label", "leads out", "half", "broken.png"):
        assert words in said
    with pytest.raises(NotASet, match="needs the columns path and label; it has name"):
        study_of(table(tmp_path, [], header="name"), tmp_path)


def test_boxes_of_a_table_are_cut_out_unless_the_whole_picture_is_wanted(tmp_path: Path) -> None:
    squares(tmp_path)
    header = "path,class,x_min,y_min,x_max,y_max,width,height"
    lines = [f"{kind}/camera 0/{n}.png,{kind},8,6,16,12,32,24" for kind in ("cow", "fox") for n in range(0, 12, 2)]
    nonsense = [
        "cow/camera 0/0.png,cow,8,6,4,12,32,24",
        "cow/camera 0/0.png,cow,8,6,16,12,,",
        "cow/camera 0/0.png,cow,8,,,,,",
    ]
    source = table(tmp_path, lines + nonsense, header)
    cut, whole = study_of(source, tmp_path), study_of(source, tmp_path, whole=True)
    assert cut.crops is not None and whole.crops is not None
    assert {sight.box_xyxy for sight in cut.crops.sights} == {(0.25, 0.25, 0.5, 0.5)}
    assert {sight.box_xyxy for sight in whole.crops.sights} == {(0.0, 0.0, 1.0, 1.0)}
    assert "3 left out: a box that is none" in "\n".join(cut.said)


def test_pictures_in_an_archive_beside_the_table_are_unpacked_once(tmp_path: Path) -> None:
    squares(tmp_path / "set")
    (tmp_path / "there").mkdir()
    with tarfile.open(tmp_path / "there/pictures.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "set/cow", "cow")
        tar.add(tmp_path / "set/fox", "fox")
    lines = [f"{kind}/camera {n % 2}/{n}.png,{kind},,," for kind in ("cow", "fox") for n in range(12)]
    table(tmp_path / "there", lines)
    assert len(study_of(tmp_path / "there", tmp_path)) == 24
    (tmp_path / "there/pictures.tar.gz").write_bytes(b"not opened a second time")
    assert len(study_of(tmp_path / "there", tmp_path)) == 24
    assert not (tmp_path / "there/cow").exists()


def test_without_a_split_whole_deployments_are_held_out_and_a_draw_is_the_same_twice(tmp_path: Path) -> None:
    source = squares(tmp_path / "set")
    study = study_of(source, tmp_path, test_share=0.5)
    assert not set(study.deployment[: study.pool]) & set(study.deployment[study.pool :])
    few = [study_of(source, tmp_path, test_share=0.5, pool=7, test=5, seed=seed) for seed in (1, 1, 2)]
    assert [(each.pool, len(each)) for each in few] == [(7, 12)] * 3
    paths = [[sight.path for sight in each.crops.sights] for each in few if each.crops is not None]
    assert paths[0] == paths[1] != paths[2]
