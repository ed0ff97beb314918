"""Serving the local page from a command: the link is printed, and Ctrl-C is how it ends."""

from __future__ import annotations

from finetune_prep.cli import screen
from finetune_prep.web.desk import Desk
from finetune_prep.web.server import serve


def serve_page(desk: Desk, first: str, *, as_json: bool = False) -> None:
    """Until Ctrl-C. first: the page that the link leads to. as_json: the link is all that is printed."""
    try:
        serve(desk, first, _as_json if as_json else _told)
    except KeyboardInterrupt:
        screen.note("Stopped. Every label shown as saved is on disk.")


def _as_json(link: str) -> None:
    screen.json({"link": link})


def _told(link: str) -> None:
    screen.say("Open this link in a browser on this machine; it works once:")
    screen.say(f"  {link}", bold=True, wrapped=False)
    screen.say("Ctrl-C stops.", dim=True)
