"""The web server's process: uvicorn that ends its open streams when it is told to stop, instead of waiting for them."""

from __future__ import annotations

import socket

import uvicorn
from fastapi import FastAPI

from app.jobs.progress import Progress


class Server(uvicorn.Server):
    """Give it a Config whose app is create_app()'s."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Streams first, then as uvicorn does: no new connections, open requests end."""
        if isinstance(self.config.app, FastAPI):
            progress: Progress = self.config.app.state.progress
            progress.close()
        await super().shutdown(sockets)
