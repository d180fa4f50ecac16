"""A classifier's weights in the store: safetensors, written whole before any row names them."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from safetensors import SafetensorError
from safetensors.numpy import load, save

from models.checkpoint import Checkpoint
from models.storage import Store
from models.vectors import DamagedFile
from worker.learning.classifier import Classifier


def keep_classifier(store: Store, job_id: str, classifier: Classifier) -> tuple[str, str]:
    """Write the weights under the name of their learn job; (path below the store, sha256). Durable when this returns."""
    content = save(classifier.to_arrays())
    path = store.checkpoint(f"classifier-{job_id}.safetensors")
    store.write(path, content)
    return store.relative(path), hashlib.sha256(content).hexdigest()


def classifier_of(store: Store, checkpoint: Checkpoint) -> Classifier:
    """The classifier of this row. Raises DamagedFile naming the path."""
    return read_classifier(store.root / checkpoint.file, checkpoint.sha256)


@lru_cache(maxsize=4)
def read_classifier(path: Path, sha256: str) -> Classifier:
    """Raises DamagedFile when the bytes are not those that were written."""
    try:
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise DamagedFile(f"{path}: its bytes changed since they were written")
        return Classifier.from_arrays(load(content))
    except (OSError, SafetensorError, ValueError) as error:
        raise DamagedFile(f"{path}: not a readable classifier ({error})") from error
