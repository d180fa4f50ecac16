"""Which file a source means, how many decoders suit a machine, and that lanes may share a network."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.checkpoint import Checkpoint
from models.project import Project
from tests.weights_files import weights_file
from tests.worker.jobs.scenes import Scene
from worker.device import Device, enter_lane, find_device
from worker.jobs.networks import FileShelf, Networks, decoders_for
from worker.networks.detector import load_detector
from worker.networks.embedder import load_embedder
from worker.networks.weights import WeightsError

GPU = Device("cuda:0", "GPU", fast_bf16=True, photos=64, crops=1024, lanes=2)


def test_a_source_is_the_shipped_file_a_fetched_name_or_a_path(tmp_path: Path) -> None:
    shelf, elsewhere = FileShelf(tmp_path / "weights"), weights_file(tmp_path / "elsewhere", "mine", "detector")
    weights_file(tmp_path / "weights", "large", "detector", count_above=0.4)
    assert shelf.find("detector", "starter").card["classes"] == ["animal"]
    assert shelf.find("detector", "large").card["count_above"] == 0.4
    assert shelf.find("detector", str(elsewhere)).card["name"] == "mine"
    with pytest.raises(WeightsError, match="no weights file at never-fetched"):
        shelf.find("detector", "never-fetched")
    with pytest.raises(WeightsError, match="holds weights of kind 'detector', wanted 'embedder'"):
        shelf.find("embedder", "large")


def test_a_project_keeps_the_fetched_weights_with_which_it_began(sqlite_scene: Scene, tmp_path: Path) -> None:
    scene = sqlite_scene
    fetched = weights_file(tmp_path / "weights", "large", "detector", count_above=0.4)
    content = fetched.read_bytes()
    scene.change(detector="large")
    Networks(scene.store, FileShelf(tmp_path / "weights")).equip(scene.database, scene.project_id)
    fetched.unlink()
    with scene.database.reading() as session:
        project = session.get_one(Project, scene.project_id)
        checkpoint = session.get_one(Checkpoint, project.detector_id)
    assert (checkpoint.name, project.count_above) == ("large", 0.4)
    assert (scene.store.root / checkpoint.file).read_bytes() == content


@pytest.mark.parametrize(("cores", "beside_cpu", "beside_gpu"), [(1, 2, 2), (2, 2, 2), (16, 8, 14)])
def test_decoders_suit_the_machine(
    monkeypatch: pytest.MonkeyPatch, cores: int, beside_cpu: int, beside_gpu: int
) -> None:
    monkeypatch.setattr("worker.jobs.networks.usable_cores", lambda: cores)
    assert (decoders_for(replace(GPU, torch_name="cpu")), decoders_for(GPU)) == (beside_cpu, beside_gpu)


def test_an_operator_s_number_of_decoders_is_kept(sqlite_scene: Scene) -> None:
    assert Networks(sqlite_scene.store, decoder_processes=5).decoder_processes == 5


def test_lanes_that_share_a_network_get_the_answers_of_one_alone() -> None:
    device = find_device("cpu")
    detector, embedder = load_detector("starter", device), load_embedder("starter", device)
    photos = [np.random.default_rng(n).integers(0, 256, (60 + 10 * n, 90, 3), dtype=np.uint8) for n in range(6)]

    def see(photo: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        (found,) = detector.predict([detector.preprocess(photo)], [photo.shape[:2]])
        return found.boxes_xyxy, embedder.embed(np.resize(photo, (1, 256, 256, 3)))

    with ThreadPoolExecutor(1, initializer=enter_lane, initargs=(1,)) as one:
        alone = list(one.map(see, photos))
    with ThreadPoolExecutor(3, initializer=enter_lane, initargs=(1,)) as lanes:
        for _ in range(2):
            for (boxes, vectors), (own_boxes, own_vectors) in zip(lanes.map(see, photos), alone, strict=True):
                np.testing.assert_array_equal(boxes, own_boxes)
                np.testing.assert_array_equal(vectors, own_vectors)
