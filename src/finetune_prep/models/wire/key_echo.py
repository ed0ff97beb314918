"""What an endpoint says back of the key that it was sent.

The text of an answer is training data and is never rewritten: one that holds the key is not used, and a person is told. All
that is kept beside it is redacted, after it was decoded; error bodies before that as well, since what is told of them is cut.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from finetune_prep.core.request import Reply
from finetune_prep.errors import Paused
from finetune_prep.http.secrets import Secret
from finetune_prep.models.providers.provider import Fault, Unreadable


def read_without_key(read: Callable[[bytes], Reply], data: bytes, secret: Secret | None) -> Reply:
    """What `read` makes of what came. Raises what it raises, without the key."""
    if secret is None:
        return read(data)
    reply = None
    with contextlib.suppress(Fault, Paused):
        reply = read(data)
    if reply is None or not reply.text:
        reply = _read_again(read, secret.redact_body(data), secret)  # what it says has been cut already
    return without_key(reply, secret)


def read_without_keys(read: Callable[[bytes], Reply], data: bytes, secrets: Sequence[Secret]) -> Reply:
    """The same for several keys."""
    for secret in secrets:
        read = partial(read_without_key, read, secret=secret)
    return read(data)


def _read_again(read: Callable[[bytes], Reply], data: bytes, secret: Secret) -> Reply:
    try:
        return read(data)
    except Fault as fault:
        fault.reason = secret.redact(fault.reason)
        fault.args = (fault.reason,)
        fault.reply = fault.reply and without_key(fault.reply, secret)
        if isinstance(fault, Unreadable):
            fault.body = secret.redact(fault.body)
        raise fault from None
    except Paused as paused:
        raise Paused(secret.redact(paused.what), where=paused.where, details=paused.details, next=paused.next) from None


def without_key(reply: Reply, secret: Secret | None) -> Reply:
    """A reply in which nothing of the key is left. One whose text held it cannot be used."""
    if secret is None:
        return reply
    if secret.is_in(reply.text):
        reply = msgspec.structs.replace(
            reply,
            text=secret.redact(reply.text),
            problem="malformed",
            detail=f"key in the answer: the endpoint gave back what {secret.name} holds; change that key",
        )
    told = {name: getattr(reply, name) for name in ("finish", "detail", "served_model", "request_id", "reasoning")}
    spared = {name: secret.redact(text) for name, text in told.items()}
    return reply if spared == told else msgspec.structs.replace(reply, **spared)
