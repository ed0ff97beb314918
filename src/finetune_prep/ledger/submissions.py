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

import apsw
import msgspec

State = Literal["planned", "sending", "missed", "sent", "fetched", "void", "dropped"]
OPEN: frozenset[State] = frozenset({"planned", "sending", "missed", "sent"})

# Made where it is missing, as earlier versions did not keep it; they leave it alone.
TABLE = """
CREATE TABLE IF NOT EXISTS submission (
  number INTEGER PRIMARY KEY REFERENCES round, provider TEXT NOT NULL, token TEXT NOT NULL, worst REAL NOT NULL,
  state TEXT NOT NULL, batch TEXT NOT NULL, clue TEXT NOT NULL, at TEXT NOT NULL
);
"""


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


def insert(connection: apsw.Connection, submission: Submission) -> None:
    """The row of a new submission; its round must be there. No transaction of its own."""
    # a round of a Batch API has no file that would still have to be written
    connection.execute("UPDATE round SET written = 1 WHERE number = ?", (submission.number,))
    connection.execute("INSERT INTO submission VALUES (?, ?, ?, ?, ?, ?, ?, ?)", msgspec.structs.astuple(submission))


def update(connection: apsw.Connection, submission: Submission) -> None:
    """Replace the row of a submission. No transaction of its own."""
    connection.execute("REPLACE INTO submission VALUES (?, ?, ?, ?, ?, ?, ?, ?)", msgspec.structs.astuple(submission))


def select(connection: apsw.Connection) -> tuple[Submission, ...]:
    """All submissions, by number."""
    rows = connection.execute("SELECT number, provider, token, worst, state, batch, clue, at FROM submission ORDER BY number")
    return tuple(
        Submission(number=number, provider=provider, token=token, worst=worst, state=state, batch=batch, clue=clue, at=at)
        for number, provider, token, worst, state, batch, clue, at in rows
    )
