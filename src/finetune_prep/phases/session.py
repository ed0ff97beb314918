"""What a phase works with: the project, the door to models, and a way to tell a person what happens."""

from __future__ import annotations

import hmac
import os
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any, TypeVar

import msgspec

from finetune_prep import documents
from finetune_prep.core.prompts import Brief
from finetune_prep.core.request import Origin, Request, RoleName, Schema
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.ledger.fetched import Archive, Fetched
from finetune_prep.ledger.opening import open_ledger
from finetune_prep.ledger.recording import read_fetched
from finetune_prep.models.door import Door, open_door
from finetune_prep.models.progress import Observer
from finetune_prep.models.providers.provider import Provider
from finetune_prep.models.roles import Roles
from finetune_prep.phases.drafting import prompt_files, schemas
from finetune_prep.phases.drafting.prompt_facts import facts, usual_answer
from finetune_prep.project.lock import locked
from finetune_prep.project.project import Project
from finetune_prep.sources.web import Web, open_web

D = TypeVar("D")
T = TypeVar("T")


WINDOW = 64  # conversations in work at a time, at the least; the door decides how many calls that may be
OVER_DAYS = (
    "A conversation goes on over days: people come back to it, and a line in brackets above their message says how much time has "
    "passed, such as “[Thursday, 6 days later]”."
)


class Requests(msgspec.Struct, frozen=True):
    """Where requests are written: a project and the models that play its roles. Nothing can be asked here."""

    project: Project
    roles: Roles
    prompts: dict[str, prompt_files.Prompt] = {}
    """Prompts that were read: a prompt is the same from the first request to the last."""
    put_to: dict[str, RoleName] = {}
    """The role that each is put to."""

    @property
    def brief(self) -> Brief:
        return self.project.value(Documents.brief)

    def text(self, kind: str, *without: str) -> str:
        """A sound document as it goes into a prompt: just what stands in the file, a person's own sentences included.

        without: headings of sections to leave out.
        """
        text = self.project.sound(KINDS[kind]).text
        for section in without:
            text = documents.remove_section(text, section)
        return documents.body(text).strip()

    def slots(self, **slots: Any) -> dict[str, Any]:
        """Slots of a prompt of phases 1 to 5: the brief stands in all of them, and with it the languages."""
        brief = self.brief
        languages = (
            f"Conversations – snippets, examples, few-shots – are in this language: {brief.language}. "
            f"Everything else is written in this language: {brief.written_in}."
        )
        return {"brief": prompt_files.slot(f"{brief.title}\n\n{brief.text}\n\n{languages}"), **slots}

    def slots_of_talks(self, **slots: Any) -> dict[str, Any]:
        """The same for whoever writes or judges conversations: if these go on over days, they meet lines that say so."""
        found = self.slots(**slots)
        return found | ({"brief": f"{found['brief']}\n\n{OVER_DAYS}"} if self.brief.spans == "days" else {})

    def request(
        self,
        prompt: str,
        slots: dict[str, Any],
        *,
        phase: str,
        origin: Origin,
        schema: Schema | None = None,
        sample: str = "",
        to: RoleName | None = None,
    ) -> Request:
        """A request from a prompt file with its slots filled, to the role that its front matter names, or to another one."""
        if prompt not in self.put_to:
            self.put_to[prompt] = facts(prompt, self.project.layout.phase_prompts).role
        messages, role = self.prompt(prompt).messages(slots), to or self.put_to[prompt]
        return self.roles.request(role, phase=phase, origin=origin, messages=messages, schema=schema, sample=sample)

    def prompt(self, name: str) -> prompt_files.Prompt:
        """A prompt as it was when it was first needed. Raises UsageError if its file cannot be used."""
        if name not in self.prompts:
            self.prompts[name] = prompt_files.Prompt(name, self.project.layout.phase_prompts)
        return self.prompts[name]

    def boundary(self, content: str) -> str:
        """A line no text can guess and every replay gives again: HMAC of the project's seed and the hash of what it encloses."""
        return boundary(self.project.config.seed, content)


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


def boundary(seed: int, content: str) -> str:
    return hmac.new(str(seed).encode(), content.encode(), sha256).hexdigest()[:16]
