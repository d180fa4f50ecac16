"""Vectors files that killed attempts at a step left behind: no row names them, and once the job is through none ever will."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from models.box import Box
from worker.jobs.bench import Bench


def remove_unused(bench: Bench, project_id: int, job_id: str) -> int:
    """After the last step of a job: every step is claimed, so nobody can come to need another file. How many went."""
    files = list((bench.store.root / "vectors").glob(f"*/{job_id}-*.vectors"))
    unused = [path for path in files if path.name not in used_names(bench, project_id, job_id)] if files else []
    for path in unused:
        path.unlink(missing_ok=True)
    return len(unused)


def remove_if_unused(bench: Bench, project_id: int, path: Path) -> None:
    """One's own file after a lost claim. It may have been one's own earlier commit that won, its answer lost on the way."""
    if path.name not in used_names(bench, project_id, path.stem):
        path.unlink(missing_ok=True)


def used_names(bench: Bench, project_id: int, start: str) -> set[str]:
    """The files with this beginning that rows name."""
    with bench.database.reading() as session:
        named = (
            select(Box.vector_file).where(Box.project_id == project_id, Box.vector_file.like(f"{start}%")).distinct()
        )
        return {name for name in session.scalars(named) if name is not None}
