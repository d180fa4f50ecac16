"""The starter detector: what its answers look like at every size, and that it finds animals in real photos."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps

from worker.device import find_device
from worker.networks.detector import (
    FLOOR,
    MOST_BOXES,
    Detections,
    Detector,
    FasterRCNNDetector,
    build_network,
    card_of,
    load_detector,
)
from worker.networks.weights import STARTER_DIR, WeightsError, read_weights, write_weights

ANIMALS = [
    "speciesnet/african_elephants.jpg",
    "speciesnet/domestic_dog.jpg",
    "camtrap-dp-example/media/20210531082538-RCNX0031.JPG",
    "animl/peru/SDZG 1/EK000039.JPG",
    "carpathians/example_photos/wolf_example_1.JPG",
]


@pytest.fixture(scope="module")
def starter() -> Detector:
    return load_detector("starter", find_device("cpu"))


@pytest.fixture(scope="module")
def eager() -> FasterRCNNDetector:
    """Untrained weights: it sees boxes everywhere, which is what the shape tests want."""
    torch.manual_seed(3)
    return FasterRCNNDetector("eager", build_network(1), ("animal",), (384, 704), find_device("cpu"))


def noise(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(height * 10_007 + width).integers(0, 256, (height, width, 3), dtype=np.uint8)


def detect(detector: Detector, photo: NDArray[np.uint8]) -> Detections:
    return detector.predict([detector.preprocess(photo)], [photo.shape[:2]])[0]


@pytest.mark.parametrize("size", [(1, 1), (1, 2000), (2000, 1), (2, 3), (300, 500), (1080, 1920)])
def test_boxes_are_shares_inside_the_photo_best_first_at_every_size(
    eager: FasterRCNNDetector, size: tuple[int, int]
) -> None:
    found = detect(eager, noise(*size))
    assert found.boxes_xyxy.shape == (len(found), 4)
    assert found.boxes_xyxy.dtype == found.scores.dtype == np.float32
    assert len(found.kinds) == len(found) <= MOST_BOXES
    assert set(found.kinds) <= {"animal"}
    assert (found.boxes_xyxy >= 0).all()
    assert (found.boxes_xyxy <= 1).all()
    assert (found.boxes_xyxy[:, :2] < found.boxes_xyxy[:, 2:]).all()
    assert (np.diff(found.scores) <= 0).all()
    assert (found.scores >= FLOOR).all()


def test_an_eager_detector_really_has_boxes_to_check(eager: FasterRCNNDetector) -> None:
    assert len(detect(eager, noise(300, 500))) > 5


@pytest.mark.parametrize(
    ("size", "seen"),
    [((1080, 1920), (384, 683)), ((1536, 2048), (384, 512)), ((2048, 1536), (512, 384)), ((1, 2000), (1, 704))],
)
def test_the_short_side_becomes_384_unless_the_long_one_would_pass_704(
    eager: FasterRCNNDetector, size: tuple[int, int], seen: tuple[int, int]
) -> None:
    photo = eager.preprocess(noise(*size))
    assert photo.shape == (3, *seen)
    assert photo.dtype == torch.uint8


def test_preprocess_leaves_the_photo_alone_and_takes_a_read_only_one(eager: FasterRCNNDetector) -> None:
    photo = noise(384, 512)
    before = photo.copy()
    photo.flags.writeable = False
    tensor = eager.preprocess(photo)
    np.testing.assert_array_equal(tensor.permute(1, 2, 0).numpy(), before)


def test_no_photos_give_no_answers(starter: Detector) -> None:
    assert starter.predict([], []) == []


def test_a_photo_without_its_size_is_an_error(starter: Detector) -> None:
    with pytest.raises(ValueError, match="1 photos and 0 sizes"):
        starter.predict([starter.preprocess(noise(40, 40))], [])


def test_black_white_and_noise_show_no_sure_animal(starter: Detector) -> None:
    for photo in (np.zeros((384, 512, 3), np.uint8), np.full((384, 512, 3), 255, np.uint8), noise(384, 512)):
        assert len(detect(starter, photo).above(0.9)) == 0


def test_neighbours_in_a_batch_do_not_change_an_answer(starter: Detector) -> None:
    """Equal sizes, so no padding: the same boxes alone and in company, up to the rounding of the products."""
    photos = [noise(384, 512), np.full((384, 512, 3), 90, np.uint8)]
    together = starter.predict([starter.preprocess(photo) for photo in photos], [(384, 512)] * 2)
    for photo, found in zip(photos, together, strict=True):
        alone = detect(starter, photo)
        assert len(alone.above(0.2)) == len(found.above(0.2))


def test_above_keeps_the_best() -> None:
    boxes = np.array([[0, 0, 1, 1], [0, 0, 0.5, 0.5]], np.float32)
    found = Detections(boxes, np.array([0.9, 0.2], np.float32), ("animal", "person"))
    assert found.above(0.5).kinds == ("animal",)
    assert len(found.above(0.05)) == 2


def test_the_starter_is_small_enough_to_ship() -> None:
    assert (STARTER_DIR / "detector.safetensors").stat().st_size <= 25_000_000


def test_a_checkpoint_of_the_same_architecture_loads_from_its_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    card = card_of("mine", ["animal", "person"])
    write_weights(path, build_network(2).state_dict(), card)
    detector = load_detector(path, find_device("cpu"))
    assert detector.name == "mine"
    assert detector.classes == ("animal", "person")


def test_weights_that_are_missing_foreign_or_misshapen_are_weights_errors(tmp_path: Path) -> None:
    device, path = find_device("cpu"), tmp_path / "x.safetensors"
    with pytest.raises(WeightsError, match="no weights file"):
        load_detector(path, device)
    with pytest.raises(WeightsError, match="wanted 'detector'"):
        load_detector(STARTER_DIR / "embedder.safetensors", device)
    tensors, card = read_weights(STARTER_DIR / "detector.safetensors", "detector")
    write_weights(path, tensors, card | {"architecture": "yolo"})
    with pytest.raises(WeightsError, match="architecture 'yolo'"):
        load_detector(path, device)
    write_weights(path, tensors, card | {"classes": ["animal", "person"]})
    with pytest.raises(WeightsError, match="does not fit"):
        load_detector(path, device)
    write_weights(path, tensors, {key: value for key, value in card.items() if key != "classes"})
    with pytest.raises(WeightsError, match="lacks classes or sides"):
        load_detector(path, device)


@pytest.mark.photos
@pytest.mark.parametrize("path", ANIMALS)
def test_it_finds_the_animal_in_real_photos_that_it_never_saw(starter: Detector, shared_data: Path, path: str) -> None:
    photo = Image.open(shared_data / "camera-trap" / path)
    photo.draft("RGB", (1400, 1400))
    found = detect(starter, np.asarray(ImageOps.exif_transpose(photo).convert("RGB")))
    assert len(found.above(0.4)) >= 1
