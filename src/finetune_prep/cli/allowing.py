"""Asking a person whether a key may go to a host to which it was never sent. A yes is remembered outside the project."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

from finetune_prep.cli import person, screen
from finetune_prep.errors import KeyNotAllowed
from finetune_prep.project.keys import KeyUse, allow

T = TypeVar("T")


def with_keys(run: Callable[[], T], *, yes: bool = False) -> T:
    """What `run` gives. It begins again after each key that a person allows. Raises KeyNotAllowed."""
    while True:
        try:
            return run()
        except KeyNotAllowed as refused:
            if not allowed(refused, yes=yes):
                raise


def allowed(refused: KeyNotAllowed, *, yes: bool = False) -> bool:
    """Whether a person says yes, now and from now on; nobody there to ask is a no. yes: said already."""
    if not yes and not (person.is_there() and _confirmed(refused)):
        return False
    allow(KeyUse(refused.variable, refused.host))
    return True


def _confirmed(refused: KeyNotAllowed) -> bool:
    question = f"{refused.what}, as {refused.where} says. Is {refused.host} where this key belongs?"
    return click.confirm(screen.clean(question), default=False, err=True)
