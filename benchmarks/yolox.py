"""YOLOX-Nano trained on COCO, as a measure for the starter detector: photo in, boxes of any of COCO's ten animals out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from worker.boxes import Boxes, Scores, clamp, nms

SIDE_PX = 416
PADDING = 114
STRIDES = (8, 16, 32)
ANIMALS = slice(19, 29)  # columns of bird to giraffe
NMS_IOU = 0.45  # what YOLOX uses (Ge et al. 2021)
FLOOR = 0.01
MOST = 100


class YoloxNano:
    """The ONNX file in one session. Input and output are those of Megvii's export without decoding."""

    def __init__(self, path: Path, threads: int = 2) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        cells, strides = [], []
        for stride in STRIDES:
            y, x = np.mgrid[: SIDE_PX // stride, : SIDE_PX // stride]
            cells.append(np.stack([x, y], axis=-1).reshape(-1, 2))
            strides.append(np.full((cells[-1].shape[0], 1), stride))
        self._cells = np.concatenate(cells).astype(np.float32)
        self._strides = np.concatenate(strides).astype(np.float32)

    def detect(self, photo: NDArray[np.uint8]) -> tuple[Boxes, Scores]:
        """photo: (h, w, 3) RGB -> boxes xyxy as shares of it, scores; best first."""
        height, width = photo.shape[:2]
        scale = min(SIDE_PX / width, SIDE_PX / height)
        size = (int(width * scale), int(height * scale))
        canvas = np.full((SIDE_PX, SIDE_PX, 3), PADDING, np.uint8)
        canvas[: size[1], : size[0]] = np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.BILINEAR))
        pixels = np.ascontiguousarray(canvas[..., ::-1].transpose(2, 0, 1)[None], dtype=np.float32)  # blue first
        (answer,) = self._session.run(None, {"images": pixels})[0]
        centre = (answer[:, :2] + self._cells) * self._strides
        half = np.exp(answer[:, 2:4]) * self._strides / 2
        sides = np.array([width, height] * 2, np.float32) * scale
        boxes = clamp(np.concatenate([centre - half, centre + half], axis=1) / sides)
        scores = np.asarray(answer[:, 4] * answer[:, ANIMALS].max(axis=1), np.float32)
        rows = np.flatnonzero(scores >= FLOOR)
        kept = rows[nms(boxes[rows], scores[rows], NMS_IOU)][:MOST]
        return boxes[kept], scores[kept]
