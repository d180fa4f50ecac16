"""Files that look like checkpoints from their header, without a tensor in them."""

from __future__ import annotations

import json
from pathlib import Path


def weights_file(folder: Path, name: str, kind: str, **card: object) -> Path:
    """folder/NAME.safetensors with this card."""
    header = json.dumps({"__metadata__": {"card": json.dumps({"kind": kind, "name": name} | card)}}).encode()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    return path
