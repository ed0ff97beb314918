"""Where requests are written: prompts with their slots filled, for the models that play the roles. Nothing is asked here."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Any

import msgspec

from finetune_prep import documents
from finetune_prep.core.prompts import Brief
from finetune_prep.core.request import Origin, Request, RoleName, Schema
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.models.roles import Roles
from finetune_prep.phases.drafting import prompt_files
from finetune_prep.phases.drafting.prompt_facts import facts
from finetune_prep.project.project import Project

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


def boundary(seed: int, content: str) -> str:
    return hmac.new(str(seed).encode(), content.encode(), sha256).hexdigest()[:16]
