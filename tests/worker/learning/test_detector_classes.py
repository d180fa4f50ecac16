"""Species become classes of a detector that begins with what its parent finds; each of them is an animal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.parks import BOAR, DEER, draw_parks
from worker.device import find_device
from worker.learning.detector_classes import begin_with, classes_of, labels_in
from worker.learning.detector_folds import SEEN_PX, detect
from worker.learning.field_photos import open_upright
from worker.networks.detector import build_network, card_of, load_detector
from worker.networks.weights import STARTER_DIR, WeightsError, write_weights

CPU = find_device("cpu")
STARTER = STARTER_DIR / "detector.safetensors"


def test_species_that_are_named_often_are_classes_and_the_rest_is_animal() -> None:
    names = ["fox"] * 20 + ["deer"] * 25 + ["owl"] * 19 + ["Person"] * 30
    assert classes_of(names) == ("deer", "fox", "animal")
    assert labels_in(("deer", "fox", "animal"), ["fox", "owl", "deer"]).tolist() == [2, 3, 1]
    assert classes_of(["owl"] * 19) == ("animal",)


def test_a_detector_of_species_begins_with_what_its_parent_finds_and_calls_it_animal(tmp_path: Path) -> None:
    classes = (DEER, BOAR, "animal")
    path = tmp_path / "species.safetensors"
    write_weights(
        path, begin_with(STARTER, classes).state_dict(), card_of("species", classes, ["animal"] * 3), half=False
    )
    photos = [Path(photo.path) for photo in draw_parks(tmp_path, 1, 2)]
    for (boxes, scores), (expected, wanted) in zip(
        detect(path, photos, CPU), detect(STARTER, photos, CPU), strict=True
    ):
        assert len(scores) == len(wanted) >= 2
        np.testing.assert_allclose(scores, wanted, atol=2e-3)
        np.testing.assert_allclose(boxes, expected, atol=2e-3)
    pixels = np.asarray(open_upright(photos[0], SEEN_PX))
    detector = load_detector(path, CPU)
    [found] = detector.predict([detector.preprocess(pixels)], [pixels.shape[:2]])
    assert detector.classes == ("animal",) and set(found.kinds) == {"animal"}
    assert load_detector(path, CPU, by_kind=False).classes == classes


def test_only_a_detector_of_animals_or_of_the_same_classes_can_be_begun_with(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    write_weights(path, build_network(2).state_dict(), card_of("x", ["deer", "animal"], ["animal"] * 2))
    assert begin_with(path, ("deer", "animal")) is not None
    with pytest.raises(WeightsError, match="knows other classes"):
        begin_with(path, ("fox", "animal"))
    write_weights(path, build_network(1).state_dict(), card_of("x", ["animal"]) | {"architecture": "yolo"})
    with pytest.raises(WeightsError, match="only fasterrcnn-fpn96"):
        begin_with(path, ("animal",))


def test_a_card_that_names_wrong_kinds_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    for kinds in (["animal"], ["animal", "deer"]):
        write_weights(path, build_network(2).state_dict(), card_of("x", ["deer", "owl"], kinds))
        with pytest.raises(WeightsError, match="a kind for each class"):
            load_detector(path, CPU)
