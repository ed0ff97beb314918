"""What was handed to a provider's Batch API, written down before it was sent.

A submission belongs to one round: the round holds the requests, the submission says where they are. Its steps are

    planned   the requests are recorded; nothing has been sent that could be billed
    sending   from here on the provider may have it, whether or not its answer was heard
    missed    the same, and a look into the provider's list did not find it
    sent      the provider has it, under the name `batch`
    fetched   its results are in the ledger; what had none was given back
    void      the provider never had it
    dropped   a person does not wait for it any longer

so that a kill at any moment leaves a row that says what has to be looked up before anything is sent again.
"""

from __future__ import annotations

from typing import Literal

import msgspec

State = Literal["planned", "sending", "missed", "sent", "fetched", "void", "dropped"]
OPEN: frozenset[State] = frozenset({"planned", "sending", "missed", "sent"})


class Submission(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One batch at a provider."""

    number: int
    """Of its round."""
    provider: str
    """Its name in finetune-prep.toml."""
    token: str
    """Tells it from all others, in the provider's own list."""
    worst: float
    """US dollars that it may cost, set aside while it is open."""
    state: State = "planned"
    batch: str = ""
    """The provider's name for it, "" unknown."""
    clue: str = ""
    """What helps to find it in the provider's list, in the API's own way."""
    at: str = ""
    """ISO time, UTC: of the sending, or of the first look that did not find it."""

    @property
    def open(self) -> bool:
        """Whether something is still to be expected or found out."""
        return self.state in OPEN
