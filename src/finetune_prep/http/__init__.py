"""HTTP for models and sources: one client over libcurl, capped, that follows no redirect, uses no proxy and sends nothing twice.

    client = open_client()
    answer = await client.send(Call("POST", url, ("Content-Type: application/json",)), data)

Why libcurl, and what it must be kept from: docs/decisions/0002-http-library.md.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from finetune_prep.http.exchange import MOST_BYTES, Answer, Call, IPAddress, NoAnswer

if TYPE_CHECKING:
    from finetune_prep.http.client import Client

__all__ = ["MOST_BYTES", "Answer", "Call", "NoAnswer", "open_client"]


def open_client(*, most_bytes: int = MOST_BYTES, only_to: Collection[IPAddress] | None = None) -> Client:
    """A client for one event loop; close it. The whole program gets at HTTP here.

    most_bytes: of the body of one answer that is read at once. only_to: the addresses at which every name is looked for, and the
    only ones to which a socket is opened; None = wherever the system's resolver leads.
    """
    from finetune_prep.http.client import Client  # libcurl, 30 ms and 17 MB, which replays and batch files do without

    return Client(most_bytes, only_to)
