"""A program that starts real workers with fake networks, each a process of its own, and lets them die where a test says.

It imports everything once and forks for each worker, so that a start takes a moment. One JSON line in, one out:
{"home", "url", "log", "name", "die": [kind of moment, how many-th], "delay_s", "step_s", "shard_crops"} -> {"pid"}
{"wait": pid} -> {"status"}, null while it lives
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from models import logs
from models.errors import DomainError
from models.settings import Settings
from models.storage import Store
from tests.fakes import FakeShelf
from worker.jobs import embedding
from worker.jobs.embedding import Embedding
from worker.jobs.finetune import FineTuning
from worker.jobs.switching import Switching
from worker.main import run_worker


class Death:
    """Counts moments of one kind and kills this process at the n-th."""

    def __init__(self, kind: str, number: int) -> None:
        self.kind, self.left = kind, number

    def moment(self, kind: str) -> None:
        """Nothing after this line runs when it is the one."""
        if kind == self.kind:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def watch(owner: type, method: str, before: str, after: str, death: Death) -> None:
    """Make a method pass two moments."""
    sound: Callable[..., Any] = getattr(owner, method)

    def passing(*given: Any, **named: Any) -> Any:
        death.moment(before)
        result = sound(*given, **named)
        death.moment(after)
        return result

    setattr(owner, method, passing)


def run(order: dict[str, Any]) -> None:
    """The worker itself, in the forked process."""
    if order.get("die"):
        death = Death(*order["die"])
        watch(Session, "commit", "before commit", "after commit", death)
        watch(Store, "write", "before write", "after write", death)
        watch(FineTuning, "_report", "before step", "after step", death)
        watch(Embedding, "_commit", "before part", "after part", death)
        watch(Switching, "_commit", "before switch", "after switch", death)
        watch(Store, "write_cheaply", "before cheap write", "after cheap write", death)
    embedding.SHARD_CROPS = order.get("shard_crops", embedding.SHARD_CROPS)
    settings = Settings(
        home=Path(order["home"]), database_url=order["url"], worker_name=order.get("name", "worker-1"),
        decoder_processes=1, _env_file=None,
    )  # fmt: skip
    logs.configure("text")
    try:
        run_worker(settings, shelf=FakeShelf(order.get("delay_s", 0.0), order.get("step_s", 0.0)))
    except DomainError as error:
        print(error, file=sys.stderr, flush=True)
        os._exit(1)


def main() -> None:
    """Serve orders until the input ends."""
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            pid, status = os.waitpid(order["wait"], os.WNOHANG)
            answer = {"status": os.waitstatus_to_exitcode(status) if pid else None}
        else:
            pid = os.fork()
            if pid == 0:
                log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
                os.dup2(log, 1)
                os.dup2(log, 2)
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                run(order)
                os._exit(0)
            answer = {"pid": pid}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
