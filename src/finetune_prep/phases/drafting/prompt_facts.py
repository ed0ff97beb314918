"""What the front matter of a prompt says: who is asked, in which phase and how often, and what an asking usually takes.

    ---
    role: judge
    rubric: per draft of rubric-questions × category, 3100 in, 310 out
    ---

A line for each phase. How often is "once", or "per" and counts, which are multiplied: those of COUNTS, "draft" (each time this
prompt's answer is written, once and once more whenever it is handed back) and "draft of PROMPT" (each time that one's is). `in`
and `out` are tokens. `for DOCUMENT` stands where the answer goes into another document than the first of its phase: once the
document is there, nothing is asked for it. `returned` is the share of drafts that are handed back; `form` the name under which
the ledger counts the answers, where it is not the file's; `added` the tokens that a part of another request adds to it (`revise`
beside the draft), and `share` how long the patch is that comes back, relative to the draft.

A file of the user's that has no front matter is asked like the built-in one of its name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import get_args

import msgspec

from finetune_prep.core.request import Request, RoleName
from finetune_prep.documents.kinds import KINDS
from finetune_prep.errors import UsageError
from finetune_prep.markdown.tree import read_front_matter
from finetune_prep.method.phases import PHASES
from finetune_prep.phases.drafting import prompt_files
from finetune_prep.phases.drafting.patching import SUFFIX

ROLES: tuple[RoleName, ...] = get_args(RoleName)
PILOT = "pilot"
PROBE = "probe"
EVALUATE = "evaluate"
IMPROVE = "improve"
BESIDE = (PILOT, PROBE, EVALUATE, IMPROVE)  # commands that ask models and write no document
PHASE_NAMES = (*(phase.name for phase in PHASES), PILOT)
USED_IN = (*PHASE_NAMES, PROBE, EVALUATE, IMPROVE)
COUNTS = (
    "expert",
    "reader",  # experts and difficult users
    "sitting",
    "search",  # one if the web is searched
    "source",  # portions of files, and pages
    "framework",
    "category",
    "example",  # worked examples
    "calibration",
    "few-shot",
    "exchange",
    "conversation",
    "part",  # techniques in words, and few-shots
    "edit",  # of a conversation, to probe a rubric
    "diagnosis",
)
KEYS = ("role", *USED_IN, "returned", "form", "added", "share")
_OUTPUTS = {phase.name: phase.outputs for phase in PHASES}
_USE = re.compile(
    r"(?:once|per (?P<per>[^,]+))(?:, for (?P<document>[\w-]+))?, (?P<input>\d{1,7}) in, (?P<output>\d{1,7}) out", re.IGNORECASE
)
_DRAFT = re.compile(r"draft(?: of (?P<of>[\w-]+))?")
NEXT = "write it as `rubric: per draft × category, 3100 in, 310 out`, or take the front matter out"


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """One phase in which a prompt is asked."""

    phase: str
    """The phase under which the ledger counts it."""
    document: str
    """What it is asked for; "" in the pilot, in probes, in an evaluation and for an edit."""
    counts: tuple[str, ...] = ()
    """How often: counts that are multiplied, such as ("expert", "sitting"); none = once."""
    drafts_of: str = ""
    """The prompt whose drafts are multiplied with the counts, "" if none are."""
    input: int
    """Tokens of a usual prompt, as it is asked the first time."""
    output: int
    """Tokens of a usual answer."""

    @property
    def asked_in(self) -> str:
        """The phase in which it is asked: the one that makes the document, or the one that adds to it."""
        return self.phase if not self.document or self.document in _OUTPUTS[self.phase] else KINDS[self.document].made_by

    @property
    def often(self) -> str:
        """How often, in words: "per expert × sitting"."""
        counts = [*([f"draft of {self.drafts_of}"] if self.drafts_of else []), *self.counts]
        return f"per {' × '.join(counts)}" if counts else "once"


# The assistant is asked with the generation prompt itself, which has no front matter.
ASSISTANT = Use(phase=PILOT, document="", counts=("exchange",), input=10_000, output=170)


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of a prompt beside its text."""

    role: RoleName
    uses: tuple[Use, ...] = ()
    returned: float = 0.0
    """Share of its drafts that are usually handed back, 0 to 1."""
    form: str
    """The name under which the ledger counts its answers."""
    added: int = 0
    """Tokens that it adds to the request that it is part of; for `revise`, beside the draft."""
    share: float = 0.0
    """Length of the patch that comes back, relative to the draft."""


def usual_answer(own: Path) -> Callable[[Request], int]:
    """From a request to the tokens that its answer usually takes, as the prompts say. own: the project's own prompts."""
    usual: dict[str, int] = {}

    def look(request: Request) -> int:
        if not usual:
            about = [facts(name, own) for name in prompt_files.BUILT_IN]
            about.append(Facts(role="assistant", form="assistant", uses=(ASSISTANT,)))
            for prompt in about:
                if prompt.uses:
                    # a patch may change everything, so its limit is that of a draft
                    usual[prompt.form] = usual[f"{prompt.form}{SUFFIX}"] = max(use.output for use in prompt.uses)
        form = request.schema.name if request.schema else request.origin.about if request.role == "expert" else request.role
        return usual.get(form, max(usual.values()))

    return look


def facts(name: str, own: Path) -> Facts:
    """The facts of a prompt, of the project's own file if that has front matter, else of the built-in one.

    Raises UsageError with the line of what cannot be read.
    """
    path, lines = prompt_files.front_matter(name, own)
    if not lines and path != prompt_files.BUILT_IN[name]:
        path, lines = prompt_files.front_matter(name, Path())
    return _facts(name, path, tuple(lines))


@lru_cache(maxsize=128)
def _facts(name: str, path: Path, lines: tuple[str, ...]) -> Facts:
    front = read_front_matter(lines)
    if front.problem:
        raise UsageError(front.problem, where=f"{path}:{front.problem_line}", next=NEXT)
    given, where = front.values, {key: f"{path}:{line}" for key, line in front.lines.items()}
    if strange := next((key for key in given if key not in KEYS), ""):
        raise UsageError(
            f"the front matter of a prompt has no “{strange}”", where=where[strange], next=f"write one of {', '.join(KEYS)}"
        )
    return Facts(
        role=_role(given.get("role", ""), where.get("role", str(path))),
        uses=tuple(_use(name, phase, value, where[phase]) for phase, value in given.items() if phase in USED_IN),
        returned=_number(given["returned"], where["returned"], most=1) if "returned" in given else 0.0,
        form=given.get("form", name.replace(".", "-")),
        added=round(_number(given["added"], where["added"], most=1_000_000)) if "added" in given else 0,
        share=_number(given["share"], where["share"], most=1) if "share" in given else 0.0,
    )


def _role(value: str, where: str) -> RoleName:
    for role in ROLES:
        if role == value:
            return role
    what = f"there is no role “{value}”" if value else "the front matter does not say who is asked"
    raise UsageError(what, where=where, next=f"write `role: expert`, or another of {', '.join(ROLES)}")


def _use(name: str, phase: str, value: str, where: str) -> Use:
    found = _USE.fullmatch(value.strip())
    if found is None:
        raise UsageError(f"“{value}” does not say how often and how much", where=where, next=NEXT)
    document = found["document"] or ("" if phase in BESIDE else _OUTPUTS[phase][0])
    if document and document not in KINDS:
        raise UsageError(f"there is no document “{document}”", where=where, next=f"write one of {', '.join(KINDS)}")
    counts: list[str] = []
    drafts_of = ""
    for count in (found["per"] or "").split("×"):
        word = count.strip()
        draft = _DRAFT.fullmatch(word)
        if draft is not None and (draft["of"] or name) in prompt_files.BUILT_IN:
            drafts_of = draft["of"] or name
        elif word in COUNTS:
            counts.append(word)
        elif word:
            raise UsageError(f"“{word}” is nothing that is counted", where=where, next=f"use draft, {', '.join(COUNTS)}")
    return Use(
        phase=phase,
        document=document,
        counts=tuple(counts),
        drafts_of=drafts_of,
        input=int(found["input"]),
        output=int(found["output"]),
    )


def _number(value: str, where: str, most: float) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number <= most:
        raise UsageError(f"“{value}” is no number from 0 to {most:,}", where=where, next=NEXT)
    return number
