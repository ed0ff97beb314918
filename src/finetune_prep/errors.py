"""Every error a user can meet.

    FinetunePrepError          exit code
    ├── UsageError             2   the command line or the project folder is not usable
    │   ├── NotAProject        2
    │   ├── ConfigError        2   finetune-prep.toml
    │   └── ProjectLocked      6   another process is working on this project
    ├── DocumentError          1   a document cannot be read
    ├── GateError              1   a gate fails
    ├── ActNeeded              3   a person must do something first
    │   ├── NotAgreed          3   what would be asked costs money, or may, and nobody has agreed to that
    │   └── PriceUnknown       3   there is a budget, and nobody knows what a model costs
    ├── Waiting                4   answers of a batch are outstanding
    ├── Paused                 5   a provider or the budget stopped the run
    │   ├── KeyNotAllowed      3   a key would go to a host it was never sent to; a person must say yes
    │   ├── NotInRecording     5
    │   └── LedgerBroken       5
    │       └── LedgerDamaged  5   something in it cannot be read
    ├── NotFetched             5   a search or a page gave nothing; a finding where there are many
    └── Unanswered                 one request has no answer that can be used
        ├── NotYet             4   it was recorded for a batch file or a Batch API
        ├── Unreachable        5   the provider kept failing in passing; asked again by the next run
        └── Unusable           1   the answer cannot be used, nor could those after it; final

Unanswered is data where there are many samples (the sample is waiting, not run, failed) and an error where there is one document.

An error says what is wrong, where, and the next command. None of these is ever shown with a traceback.
"""

from __future__ import annotations


class FinetunePrepError(Exception):
    """Something the user can fix.

    what: one sentence. where: a path, `path:line` or the name of a request. next: the command or edit that leads on.
    details: further lines, one finding each.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", next: str = "", details: tuple[str, ...] = ()) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.next = next
        self.details = details

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        lines = [f"{place}{self.what}", *self.details]
        if self.next:
            lines.append(f"next: {self.next}")
        return "\n".join(lines)


class UsageError(FinetunePrepError):
    exit_code = 2


class NotAProject(UsageError):
    """The folder holds no finetune-prep.toml."""


class ConfigError(UsageError):
    """finetune-prep.toml cannot be used."""


class ProjectLocked(UsageError):
    """Another process holds the project's lock: the command was right, and may be given again later."""

    exit_code = 6


class DocumentError(FinetunePrepError):
    """A document cannot be read; `details` lists every problem as `file:line: what; what to write instead`."""

    exit_code = 1


class GateError(FinetunePrepError):
    """A gate of level "must" does not hold."""

    exit_code = 1


class ActNeeded(FinetunePrepError):
    """A person must act (accept, label, decide) before the work can go on."""

    exit_code = 3


class NotAgreed(ActNeeded):
    """What would be asked costs money, or nobody knows whether it does, and no person has agreed to that. Nothing was sent."""


class PriceUnknown(ActNeeded):
    """There is a budget, and the price of a model is not known: a person must give it, or agree to go on without a count.

    model: "provider/model".
    """

    def __init__(self, what: str, *, model: str = "", where: str = "", next: str = "") -> None:
        super().__init__(what, where=where, next=next)
        self.model = model


class Waiting(FinetunePrepError):
    """Requests were written to a batch file or sent to a Batch API; the run goes on when their answers are there.

    rounds: numbers of those that wait. of_about: how many there will be, 0 = nobody knows.
    """

    exit_code = 4

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        next: str = "",
        details: tuple[str, ...] = (),
        rounds: tuple[int, ...] = (),
        of_about: int = 0,
    ) -> None:
        super().__init__(what, where=where, next=next, details=details)
        self.rounds = rounds
        self.of_about = of_about


class Paused(FinetunePrepError):
    """A provider (key, quota, credit, reach) or the budget stopped the run. Nothing is lost; the same command goes on."""

    exit_code = 5


class KeyNotAllowed(Paused):
    """A key of the environment would be sent to a host that it was never sent to.

    variable: its name. host: with scheme, and port where it is not the usual one.
    """

    exit_code = 3

    def __init__(self, what: str, *, variable: str = "", host: str = "", where: str = "", next: str = "") -> None:
        super().__init__(what, where=where, next=next)
        self.variable = variable
        self.host = host


class NotInRecording(Paused):
    """A recording was asked for a request that it does not hold."""


class LedgerBroken(Paused):
    """The ledger cannot be written (disk full, I/O error). What it holds stays valid."""


class LedgerDamaged(LedgerBroken):
    """Something in the ledger cannot be read. Nothing is bought until it is whole again."""


class NotFetched(FinetunePrepError):
    """A search provider gave no answer, or a page could not be had.

    passing: whether asking again another time may help; what is not passing is kept in the ledger as final.
    """

    exit_code = 5

    def __init__(self, what: str, *, where: str = "", next: str = "", passing: bool = False) -> None:
        super().__init__(what, where=where, next=next)
        self.passing = passing


class Unanswered(FinetunePrepError):
    """One request has no answer that can be used. `what` is the reason, `where` the request's phase and item."""


class NotYet(Unanswered):
    """The request was recorded for a batch file or a Batch API; its answer comes another day."""

    exit_code = 4


class Unreachable(Unanswered):
    """Passing faults (time-outs, overload, resets) used up the time for this call. Nothing is kept: the next run asks again."""

    exit_code = 5


class Unusable(Unanswered):
    """The provider refused for good, or no answer of three could be used. Kept in the ledger: the next run gets the same, until
    a person opens a further attempt (`retry`).

    rejected: whether the provider refused the request itself. keys: of the requests to which this happened, first attempts.
    came: the key of the attempt that `what` speaks of, the last one.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        next: str = "",
        rejected: bool = False,
        keys: tuple[str, ...] = (),
        came: str = "",
    ) -> None:
        super().__init__(what, where=where, next=next)
        self.rejected = rejected
        self.keys = keys
        self.came = came
