"""What the writers of the last phase get to read: the documents before it, without what only people and programs need."""

from __future__ import annotations

import re

from finetune_prep import documents
from finetune_prep.conversations.gaps import gap_line
from finetune_prep.core.rubric import Rubric
from finetune_prep.core.scenarios.scenario import Elapsed
from finetune_prep.core.scenarios.space import ScenarioSpace
from finetune_prep.method import limits
from finetune_prep.phases.requests import Requests
from finetune_prep.phases.research.research import PANEL

NONE = "(none)"
THURSDAY = 3
_NOT_FOR_WRITERS = (PANEL, "Sources", "Set aside", "Contradictions between sources")
_CITED = re.compile(r"^[ \t]*[-*+] (?:Source|Confirmed by|From):.*(?:\n[ \t]+\S.*)*\n?", re.MULTILINE)
_FOR_GATES = re.compile(r"^[ \t]*[-*+] (?:Jobs|Techniques|From|Not with):.*\n?", re.MULTILINE)
_TAIL = re.compile(r"[ \t]+(?:Source|Confirmed by|From): (?=\S).*$", re.MULTILINE)


def reference(requests: Requests) -> str:
    """The domain reference without its apparatus: where each sentence comes from has been checked, and helps nobody to write."""
    text = requests.text("domain-frameworks", *_NOT_FOR_WRITERS)
    return _TAIL.sub("", _CITED.sub("", text)).strip()


def asked_for(requests: Requests) -> str:
    """The jobs, limits and risks of the brief, as the reference lists them."""
    text = documents.section(requests.text("domain-frameworks"), "Asked for")
    return _TAIL.sub("", text.partition("\n")[2]).strip() or NONE


def users(requests: Requests) -> str:
    """What users bring, without the cases, which say what they expect of the assistant, and without what only gates use."""
    return _FOR_GATES.sub("", requests.text("scenario-space", "Edge cases", "Out of scope", "Set aside")).strip()


def cases(space: ScenarioSpace, *, expected: bool) -> str:
    """Edge cases and out-of-scope requests. expected: with what the assistant is expected to do, which no user may know."""
    lines = [
        f"- {case.id}. {case.name}: {case.situation}" + (f" Expected: {case.expected}" if expected else "")
        for case in (*space.edge_cases, *space.out_of_scope)
    ]
    return "\n".join(lines) or NONE


def questions(rubric: Rubric) -> str:
    """What is asked of every conversation; not what counts as yes and no, which would be written towards."""
    return "\n".join(f"- {question.id}: {question.text}" for question in rubric.questions)


def few_shot_lengths(space: ScenarioSpace) -> tuple[int, ...]:
    """In exchanges, the length of each few-shot that is asked for: lengths of the space, the longest among them.

    The usual ones come twice where there are too few. No few-shot is longer than a prompt can afford.
    """
    usual = sorted(space.lengths, key=lambda length: -length.weight)
    longest = max(usual, key=lambda length: length.exchanges)
    chosen = [longest, *(length for length in usual if length is not longest)]
    several = [length for length in usual if length.exchanges > 1] or usual
    while len(chosen) < limits.FEW_SHOTS_ASKED:
        chosen += several
    most = limits.FEW_SHOT_EXCHANGES.asked.most
    return tuple(sorted(min(length.exchanges, most) for length in chosen[: limits.FEW_SHOTS_ASKED]))


def gap_example(space: ScenarioSpace, language: str) -> str:
    """The line that says how much time has passed between two messages, as an example; "" where talks are over in one sitting."""
    gap = max(space.gaps, key=lambda gap: gap.fewest, default=None)
    return gap_line(Elapsed(days=gap.fewest, weekday=THURSDAY, reads=gap.reads), language) if gap else ""


def lengths(space: ScenarioSpace) -> str:
    return "\n".join(
        f"- {number}: {exchanges} {'exchange' if exchanges == 1 else 'exchanges'} ({2 * exchanges} turns)"
        for number, exchanges in enumerate(few_shot_lengths(space), start=1)
    )
