"""Pre-training on other people's pictures."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from worker.device import find_device
from worker.learning.labelled_sets import NotASet, SightedCrops, read_set
from worker.learning.metric_training import Progress
from worker.learning.pretraining import pretrain, pretraining_recipe
from worker.networks.embedder import card_of, load_embedder
from worker.networks.embedding import Lite0Embedding
from worker.networks.weights import STARTER_DIR, WeightsError, read_weights, sha256_of, write_weights

DEVICE = find_device("cpu")


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter, but for crops of 32 px: quick."""
    path = tmp_path_factory.mktemp("start") / "small.safetensors"
    tensors, _card = read_weights(STARTER_DIR / "embedder.safetensors", "embedder")
    write_weights(path, tensors, card_of("small", Lite0Embedding.architecture, crop_px=32))
    return path


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> SightedCrops:
    """40 pictures of two species at 5 places."""
    folder, rng = tmp_path_factory.mktemp("set"), np.random.default_rng(0)
    for number in range(40):
        path = folder / ("fox", "deer")[number % 2] / f"place {number % 5}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 120 + 60 * (number % 2), (20, 20, 3), dtype=np.uint8)).save(path)
    return read_set(folder)


def test_the_best_weights_are_written_and_a_cut_training_goes_on(
    start: Path, crops: SightedCrops, tmp_path: Path
) -> None:
    recipe = replace(pretraining_recipe(start, DEVICE, steps=3), classes=2, crops=2, frozen=15, validations=1)
    state, seen = tmp_path / "state", list[Progress]()
    whole = pretrain(start, tmp_path / "mine", crops, DEVICE, recipe, report=seen.append)
    assert whole.by_place
    assert whole.sha256 == sha256_of(tmp_path / "mine")
    assert whole.steps == 3 == len(seen)
    mine = load_embedder(tmp_path / "mine", DEVICE)
    assert (mine.name, mine.crop_px) == ("mine", 32)
    assert read_weights(tmp_path / "mine", "embedder")[1]["parent"] == sha256_of(start)

    def cut(progress: Progress) -> None:
        raise KeyboardInterrupt(progress.step)

    with pytest.raises(KeyboardInterrupt):
        pretrain(start, tmp_path / "mine", crops, DEVICE, recipe, state=state, report=cut)
    assert pretrain(start, tmp_path / "mine", crops, DEVICE, recipe, state=state) == whole
    with pytest.raises(WeightsError, match="state of another training"):
        pretrain(start, tmp_path / "other", crops, DEVICE, replace(recipe, seed=9), state=state)
    assert not (tmp_path / "other").exists()


def test_a_set_with_too_few_pictures_to_judge_by_is_refused(start: Path, crops: SightedCrops, tmp_path: Path) -> None:
    few = SightedCrops([crops.sights[0], crops.sights[-1]], crops.skipped)
    with pytest.raises(NotASet, match="2 pictures are too few"):
        pretrain(start, tmp_path / "mine", few, DEVICE)
