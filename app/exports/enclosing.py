"""The last members of an archive: what was lost, and the manifest with the snapshot, the networks and every file's hash."""

from __future__ import annotations

import json
from typing import Any

from app.exports.files import manifest
from app.exports.lost import lost_lines
from app.exports.sinks import Archive
from app.exports.study import Study


def enclose(archive: Archive, study: Study, name: str, **more: Any) -> None:
    """After all others. name: of the format. more: what else the manifest says."""
    archive.whole("what-was-lost.txt", "".join(f"{each}\n" for each in lost_lines(name, study)).encode())
    made = manifest(study.session, study.project, archive.written) | more
    archive.whole("manifest.json", (json.dumps(made, indent=2, ensure_ascii=False) + "\n").encode())
