"""What a phase works with: the project, the door to models, and a way to tell a person what happens."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from finetune_prep.core.request import Origin
from finetune_prep.documents.kinds import Documents
from finetune_prep.ledger.fetched import Archive, Fetched
from finetune_prep.ledger.opening import open_ledger
from finetune_prep.ledger.recording import read_fetched
from finetune_prep.models.door import Door, open_door
from finetune_prep.models.progress import Observer
from finetune_prep.models.providers.provider import Provider
from finetune_prep.models.roles import Roles
from finetune_prep.phases.drafting import schemas
from finetune_prep.phases.drafting.prompt_facts import usual_answer
from finetune_prep.phases.requests import Requests
from finetune_prep.project.lock import locked
from finetune_prep.project.project import Project
from finetune_prep.sources.web import Web, open_web

D = TypeVar("D")
T = TypeVar("T")


WINDOW = 64  # conversations in work at a time, at the least; the door decides how many calls that may be


class Session(Requests, frozen=True, kw_only=True):
    """Where requests are written and asked: with the doors to the models and to the web."""

    door: Door
    tell: Callable[[str], None]
    """Takes one line for a person, which may be shown or dropped."""
    web: Web

    @property
    def window(self) -> int:
        """Conversations in work at a time where nobody says otherwise: half as many again as there may be calls at once, so that
        slots are taken while other conversations are being written down."""
        settings = self.project.config
        at_once = max(settings.provider(settings.role(role).provider).concurrency for role in settings.played)
        return max(WINDOW, at_once + at_once // 2)

    async def draft(
        self, prompt: str, kind: type[D], convert: Callable[[D], T], slots: dict[str, Any], *, phase: str, about: str
    ) -> T:
        """Have a struct filled in and turn it into a value; what `convert` refuses goes back to the expert, once."""
        schema = schemas.schema_of(kind, prompt)
        request = self.request(prompt, slots, phase=phase, origin=Origin(about), schema=schema)
        return await self.door.ask_for(request, lambda text: convert(schemas.read(text, kind)))


@asynccontextmanager
async def open_session(
    project: Project,
    *,
    command: str = "a program",
    provider: str | Provider | None = None,
    observer: Observer | None = None,
    tell: Callable[[str], None] = lambda line: None,
    web: Callable[[Archive], Web] | None = None,
    agreed: bool = False,
    at_most: float | None = None,
) -> AsyncIterator[Session]:
    """A session with a project: takes its lock, opens its ledger and the door to its models, and closes them again.

    provider: one for all roles instead of those of finetune-prep.toml, by name or as an object. command: named to whoever finds
    the project locked. web: makes another door to the web than the settings do. agreed: a person has agreed to pay for what
    costs money, or may; until then asking it raises NotAgreed. at_most: US dollars that may be spent, whatever the budget
    leaves. What was recorded for batch files is written on leaving. Raises ProjectLocked, and DocumentError or UsageError,
    before anything is touched, if the brief or the decisions cannot be read.
    """
    project.sound(Documents.brief)
    uncounted = [decision.model for decision in project.decisions() if decision.decision == "uncounted"]
    with locked(project.layout.lock, command):
        async with (
            open_ledger(project.layout.ledger) as ledger,
            open_door(
                project.config,
                ledger,
                project.folder,
                provider=provider,
                observer=observer,
                uncounted=uncounted,
                opened=project.opened(),
                agreed=agreed,
                usual=usual_answer(project.layout.phase_prompts),
                at_most=at_most,
                tell=tell,
            ) as door,
        ):
            to_web = web(ledger.fetched) if web else _web(project, ledger.fetched, provider)
            yield Session(project, Roles(project.config), door=door, tell=tell, web=to_web)


def _web(project: Project, archive: Archive, provider: str | Provider | None) -> Web:
    """The door to the web that the settings name. Where the expert's answers are replayed, so is the web."""
    name = provider if isinstance(provider, str) else project.config.role("expert").provider
    settings = project.config.provider(name)
    recording = project.folder / settings.path

    def recorded() -> Iterable[Fetched]:
        return read_fetched(recording) if replayed and recording.is_file() else ()

    replayed = settings.kind == "recording" and (provider is None or isinstance(provider, str))
    return open_web(project.config.search, os.environ, archive, recorded=recorded, offline=replayed)
