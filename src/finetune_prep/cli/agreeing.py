"""Asking a person whether a command may cost what it will. A yes is remembered outside the project, for a run that goes on."""

from __future__ import annotations

import click

from finetune_prep.cli import person, screen
from finetune_prep.core.request import RoleName
from finetune_prep.errors import NotAgreed
from finetune_prep.models.costs import so_far
from finetune_prep.models.roles import costly
from finetune_prep.project.consent.agreements import Amount, agree, agreed, note_spent
from finetune_prep.project.project import Project
from finetune_prep.workflow.estimate import Estimate, to_agree
from finetune_prep.workflow.looking import looked
from finetune_prep.workflow.status.emptied import emptied, way_back


class Consent:
    """Whether a person has agreed to what a command costs. yes: said already. provider: asked instead of the settings' ones.
    quiet: what is told goes to a script, which is not shown the estimate."""

    def __init__(self, project: Project, command: str, provider: str | None, *, yes: bool, quiet: bool = False) -> None:
        self._project = project
        self._provider = provider or ""
        self._emptied = ""
        self._folder = project.folder.resolve()
        self._again = f"finetune-prep {command}" + (f" --provider {provider}" if provider else "") + " --yes"
        self._models: dict[RoleName, str] = costly(project.config, provider or "")
        self._given = yes
        self._declined = False
        self._quiet = quiet
        self._expected: Estimate | None = None
        self._spent = Amount()

    def stands(self, expected: Estimate | None, spent: Amount) -> bool:
        """Whether this was agreed to, now or before. expected: what is to come. spent: so far, by the ledger."""
        self._expected, self._spent = expected, spent
        if not self._models:
            return True
        self._emptied = emptied(self._project, self._provider)
        known = not self._emptied and agreed(self._folder, self._named, spent, self._to_come)
        if self._given and not known:
            agree(self._folder, self._named, spent, self._to_come)
        return self._given or known

    def note(self, spent: Amount) -> None:
        """What was spent by the end of a run."""
        if self._models:
            note_spent(self._folder, self._named, spent)

    def ask(self) -> bool:
        """Whether a person says yes; nobody there to ask is a no."""
        if person.is_there():
            models = "".join(f"\n{name}" for name in self._asked)
            lost = f"{self._emptied}. What was paid for would be paid for again.\n" if self._emptied else ""
            more = "" if self._foreseen else f": {self._amount}"
            question = f"{lost}This costs money, or may{more}:{models}\nBegin?"
            self._given = click.confirm(screen.clean(question), default=False, err=True)
            self._declined = not self._given
        return self._given

    @property
    def refusal(self) -> NotAgreed:
        """What is told where there was no yes."""
        if self._declined:
            return NotAgreed("Nothing was sent.")
        if self._emptied:
            nothing = f"  Nothing was sent: {self._amount}, and what was paid for would be paid for again"
            return NotAgreed(
                self._emptied,
                details=(nothing, *self._asked),
                next=f"{way_back(self._project)}; or pay for it again: {self._again}",
            )
        what = "this costs money, or may" if self._foreseen and not self._quiet else self._amount
        return NotAgreed(
            f"nothing was sent: {what}, and nobody has agreed to that",
            details=self._asked,
            next=self._again,
        )

    @property
    def told(self) -> bool:
        """Whether the estimate has been told: the job has begun before."""
        return self._expected is not None

    @property
    def up_front(self) -> bool:
        """Whether to ask before the first call. Where everything costs, the first call is soon enough, and may not come: all that
        is asked may have been answered. Where some models are free, the first that is not may come hours later."""
        return bool(self._to_come) and len(self._models) < len(self._project.config.played)

    @property
    def _named(self) -> list[str]:
        return [f"{role}: {model}" for role, model in self._models.items()]

    @property
    def _asked(self) -> tuple[str, ...]:
        """Lines that name the models which this command asks; all of them where that is not known."""
        roles = {row.role for row in self._expected.rows if row.calls} if self._expected else set()
        lines = tuple(f"  {role}: {model}" for role, model in self._models.items() if role in roles)
        return lines or tuple(f"  {name}" for name in self._named)

    @property
    def _foreseen(self) -> bool:
        """Whether the estimate, which has been told, says how much it will be."""
        return self._expected is not None and self._expected.calls > 0

    @property
    def _to_come(self) -> Amount:
        return to_agree(self._expected, self._models) if self._expected else Amount()

    @property
    def _amount(self) -> str:
        if self._expected is None or not self._foreseen:
            return "more calls than the estimate foresaw"
        return amount_words(self._expected)


def may_try(project: Project, *, yes: bool) -> bool:
    """Whether a short question may be put to each model that costs money, or may: said now, or agreed to before with more."""
    named = [f"{role}: {model}" for role, model in costly(project.config).items()]
    if yes or not named or agreed(project.folder.resolve(), named, looked(project, so_far, Amount()), Amount()):
        return True
    if not person.is_there():
        return False
    models = "".join(f"\n  {model}" for model in dict.fromkeys(costly(project.config).values()))
    question = f"A short question to each of these models costs less than a tenth of a cent:{models}\nPut it?"
    return click.confirm(screen.clean(question), default=False, err=True)


def amount_words(expected: Estimate) -> str:
    """Calls, tokens and money in one line."""
    tokens = f"{_thousands(expected.input_tokens)} tokens in, {_thousands(expected.output_tokens)} out"
    cached = f" ({expected.cached_tokens / expected.input_tokens:.0%} cached)" if expected.cached_tokens else ""
    price = "free of charge" if expected.cost == 0 else "at an unknown price"
    price = f"about ${expected.cost:.2f}" if expected.cost else price
    rounds = sum(expected.rounds.values())
    carried = f", about {screen.counted(rounds, 'round')} of a batch" if rounds else ""
    return f"{screen.counted(expected.calls, 'call')}, {tokens}{cached}{carried}, {price}"


def _thousands(tokens: int) -> str:
    return f"{tokens / 1000:,.0f}k" if tokens >= 10_000 else f"{tokens:,}"
