"""HTTP for models and sources: one client over libcurl, capped, that follows no redirect, uses no proxy and sends nothing twice.

    client = open_client()
    answer = await client.send(Call("POST", url, ("Content-Type: application/json",)), data)

`open_client` is in `http.client`; what is sent and what comes back, here. Why libcurl, and what it must be kept from:
docs/decisions/0002-http-library.md.
"""

from finetune_prep.http.exchange import MOST_BYTES, Answer, Call, NoAnswer

__all__ = ["MOST_BYTES", "Answer", "Call", "NoAnswer"]
