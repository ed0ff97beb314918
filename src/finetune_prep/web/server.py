"""Serving the page: a socket of this machine alone, a port that nobody knows beforehand, until Ctrl-C."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn

from finetune_prep.web.app import application
from finetune_prep.web.desk import Desk

LOOPBACK = "127.0.0.1"


def serve(desk: Desk, first: str, started: Callable[[str], None]) -> None:
    """Serve until the process is interrupted. first: the page that the link leads to. started: is told the link, once requests
    are taken."""
    with socket.create_server((LOOPBACK, 0)) as listening:
        guard = application(desk, listening.getsockname()[1], first)
        config = uvicorn.Config(
            guard,
            http="h11",
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_level="error",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=2,
        )
        started(guard.link)
        uvicorn.Server(config).run(sockets=[listening])
