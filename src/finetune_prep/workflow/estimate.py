"""What a phase will need, before it starts: calls, tokens, money; and what it comes to while it runs.

How many calls a phase makes follows from what is there: documents that exist are not written again, drafts are taken to be
handed back as often as the project allows, a pilot's talks are as long as the scenario space says. What a call takes is the mean
of the ledger for the same prompt, as soon as there is one answer whose tokens were counted; until then it is what the prompt
took in the bundled example (TYPICAL). A second asking after an answer that could not be used is expected as often as it was
needed so far.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from finetune_prep.core.request import RoleName
from finetune_prep.core.scenario import plan
from finetune_prep.documents.kinds import Documents
from finetune_prep.ledger.protocols import Ledger, Measured
from finetune_prep.method import limits
from finetune_prep.method.phases import PHASES
from finetune_prep.models.door import Progress
from finetune_prep.models.prices import Prices, cost_of
from finetune_prep.models.roles import price_of
from finetune_prep.phases.drafting import prompt_files
from finetune_prep.phases.pilot import pilot
from finetune_prep.project.project import Project
from finetune_prep.project.runs import runs
from finetune_prep.sources.files import read_folder

CHARACTERS = 4  # of English for one token, the usual rule of thumb
TYPICAL_EXCHANGES = 2  # in a talk of the bundled example
# (phase, form) → tokens of prompt and answer in examples/online-shop; printed by: python benchmarks/estimate_defaults.py
TYPICAL: dict[tuple[str, str], tuple[int, int]] = {
    ("anchors", "anchors"): (15_000, 970),
    ("anchors", "anchors-actionable"): (2_300, 860),
    ("anchors", "anchors-every-reply"): (2_300, 1_100),
    ("anchors", "anchors-independent"): (2_300, 970),
    ("anchors", "anchors-visible-in-text"): (2_300, 820),
    ("evaluation-prompt", "evaluation-prompt"): (4_600, 2_200),
    ("evaluation-prompt", "evaluation-prompt-edge-cases"): (4_100, 240),
    ("evaluation-prompt", "verdict"): (6_300, 290),
    ("generation-prompt", "generation-few-shots"): (19_000, 1_500),
    ("generation-prompt", "generation-guidance"): (20_000, 5_400),
    ("generation-prompt", "generation-prompt-usable-by-outsider"): (7_900, 230),
    ("generation-prompt", "system prompt"): (730, 110),
    ("generation-prompt", "user prompt"): (5_500, 470),
    ("generation-prompt", "verdict"): (6_900, 360),
    ("pilot", "assistant"): (7_700, 88),
    ("pilot", "user"): (830, 37),
    ("pilot", "verdict"): (7_000, 360),
    ("research", "criticise"): (15_000, 690),
    ("research", "reading"): (1_800, 1_400),
    ("research", "research-frameworks"): (16_000, 11_000),
    ("research", "research-instances-real"): (1_700, 530),
    ("research", "research-panel"): (840, 1_300),
    ("research", "research-practice-not-theory"): (1_100, 170),
    ("research", "research-propose"): (8_600, 1_500),
    ("research", "research-same"): (8_100, 32),
    ("research", "research-scenario-space"): (15_000, 5_000),
    ("rubric", "criticise"): (4_600, 690),
    ("rubric", "rubric-examples"): (4_600, 2_500),
    ("rubric", "rubric-orthogonal"): (3_100, 310),
    ("rubric", "rubric-questions"): (21_000, 4_100),
    ("rubric", "rubric-unambiguous"): (2_200, 610),
    ("rubric", "rubric-witnesses"): (2_400, 380),
    ("rubric", "verdict"): (6_800, 330),
}


class _Call(NamedTuple):
    """A prompt on the way to a document. times: a usual document needs so many, with its five frameworks and five categories.

    handed_back: as often again for each revision, since a revised draft is written and examined anew.
    """

    role: RoleName
    form: str
    times: int = 1
    handed_back: bool = False


READERS = limits.EXPERTS + limits.DIFFICULT_USERS
# phase → document → the calls that make it; what depends on the project's settings is added by `_of_the_panel`
MADE_BY: dict[str, dict[str, tuple[_Call, ...]]] = {
    "research": {
        "domain-frameworks": (
            _Call("expert", "research-panel"),
            _Call("expert", "research-frameworks", handed_back=True),
            _Call("expert", "criticise", READERS),
            _Call("judge", "research-practice-not-theory", 5, handed_back=True),
            _Call("judge", "research-instances-real", handed_back=True),
        ),
        "scenario-space": (_Call("expert", "research-scenario-space"),),
    },
    "anchors": {
        "domain-frameworks": (
            _Call("expert", "anchors", handed_back=True),
            _Call("judge", "anchors-visible-in-text", handed_back=True),
            _Call("judge", "anchors-actionable", handed_back=True),
            _Call("judge", "anchors-independent", handed_back=True),
            _Call("judge", "anchors-every-reply", handed_back=True),
        ),
    },
    "rubric": {
        "evaluation-rubric": (
            _Call("expert", "rubric-questions", handed_back=True),
            _Call("expert", "criticise", READERS),
            _Call("judge", "rubric-unambiguous", 5, handed_back=True),
            _Call("judge", "rubric-orthogonal", 5, handed_back=True),
            _Call("expert", "rubric-examples"),
            _Call("expert", "rubric-witnesses", 5),
        ),
    },
    "evaluation-prompt": {
        "evaluation-prompt": (
            _Call("expert", "evaluation-prompt", handed_back=True),
            _Call("judge", "evaluation-prompt-edge-cases", handed_back=True),
            _Call("judge", "verdict", 3, handed_back=True),
        ),
    },
    "generation-prompt": {
        "generation-prompt": (
            _Call("expert", "generation-few-shots", handed_back=True),
            _Call("judge", "verdict", 4, handed_back=True),
            _Call("expert", "generation-guidance", handed_back=True),
            _Call("judge", "generation-prompt-usable-by-outsider", handed_back=True),
        ),
        "user-prompt": (_Call("expert", "user prompt"),),
        "system-prompt": (_Call("expert", "system prompt"),),
    },
}
BLIND = 12  # worked examples and witnesses of a rubric, judged once there is a prompt to judge them by
ALL = (*(phase.name for phase in PHASES), pilot.KIND)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One prompt of a phase. model: "provider/model". calls: still to be made. known: answered before, and so free.

    input_tokens, cached_tokens, output_tokens: of all these calls; cached are part of input. cost: US dollars, None = unknown.
    measured: answers in the ledger that it rests on, 0 = it is taken from the bundled example.
    """

    phase: str
    role: RoleName
    form: str
    model: str
    calls: int
    known: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    cost: float | None
    measured: int


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """The sum of its rows. cost: US dollars, None if a price is unknown. measured: share of the calls that rests on answers."""

    calls: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    cost: float | None
    measured: float
    rows: tuple[Row, ...]

    def of(self, phase: str) -> Estimate:
        """The part of one phase."""
        return _sum(row for row in self.rows if row.phase == phase)


class _Planned(msgspec.Struct, frozen=True, kw_only=True):
    """So many calls of one prompt. prompt: tokens of each one's prompt if the texts themselves tell, else None."""

    phase: str
    role: RoleName
    form: str
    times: int
    known: int = 0
    prompt: float | None = None


def estimate(
    project: Project,
    ledger: Ledger | None,
    phases: Sequence[str] = ALL,
    *,
    n: int = limits.PILOT,
    provider: str = "",
    anew: bool = False,
) -> Estimate:
    """What these phases have still to ask. ledger: None if nothing was asked yet.

    n: conversations of the pilot. provider: asked for every role instead of those in finetune-prep.toml. anew: documents that
    exist are written again.
    """
    measured = {(found.phase, found.role, found.form): found for found in ledger.measured()} if ledger else {}
    prices = Prices(project.config.prices)
    planned = [call for phase in phases for call in _planned(project, ledger, phase, n, anew)]
    return _sum(
        _row(project, prices, call, measured.get((call.phase, call.role, call.form)), provider) for call in planned if call.times
    )


def projected(expected: Estimate, progress: Progress) -> float | None:
    """US dollars that a run will have cost at its end: what it spent, and for the calls to come what each role's cost so far.

    None if a price is unknown. Before a role's first answer its calls count as estimated.
    """
    total = 0.0
    for role in dict.fromkeys(row.role for row in expected.rows):
        rows = [row for row in expected.rows if row.role == role]
        done = progress.roles.get(role)
        calls = sum(row.calls + row.known for row in rows)
        rest = calls - (done.known + done.answered if done else 0)
        if done and done.answered:
            each: float | None = done.spent / done.answered
        else:
            each = _each(rows)
        if each is None:
            return None
        total += (done.spent if done else 0.0) + max(0, rest) * each
    return total


def _each(rows: list[Row]) -> float | None:
    """Estimated dollars for one call of a role."""
    calls = sum(row.calls for row in rows)
    known = [row.cost for row in rows if row.cost is not None]
    return None if len(known) < len(rows) else sum(known) / calls if calls else 0.0


def _sum(parts: Iterator[Row]) -> Estimate:
    rows = tuple(parts)
    calls = sum(row.calls for row in rows)
    known = [row.cost for row in rows if row.cost is not None]
    return Estimate(
        calls=calls,
        input_tokens=sum(row.input_tokens for row in rows),
        cached_tokens=sum(row.cached_tokens for row in rows),
        output_tokens=sum(row.output_tokens for row in rows),
        cost=sum(known) if len(known) == len(rows) else None,
        measured=sum(row.calls for row in rows if row.measured) / calls if calls else 0.0,
        rows=rows,
    )


def _row(project: Project, prices: Prices, call: _Planned, found: Measured | None, provider: str) -> Row:
    if found:
        prompt, cached, answer = found.input, found.cached, found.output
        again = found.answers / max(1, found.answers - found.again)
    else:
        prompt, answer = TYPICAL[call.phase, call.form]
        cached, again = 0.0, 1.0
    if call.prompt is not None:
        prompt, cached = call.prompt, min(cached, call.prompt)
    calls = math.ceil(max(0, call.times - call.known) * again)
    price = price_of(project.config, prices, call.role, round(prompt), provider)
    settings = project.config.role(call.role)
    return Row(
        phase=call.phase,
        role=call.role,
        form=call.form,
        model=f"{provider or settings.provider}/{settings.model_name}",
        calls=calls,
        known=call.known,
        input_tokens=round(prompt * calls),
        cached_tokens=round(cached * calls),
        output_tokens=round(answer * calls),
        cost=None if price is None else cost_of(price, prompt * calls, cached * calls, answer * calls),
        measured=found.answers if found else 0,
    )


def _planned(project: Project, ledger: Ledger | None, phase: str, n: int, anew: bool) -> Iterator[_Planned]:
    """The calls of a phase, in the order in which they are made."""
    if phase == pilot.KIND:
        yield from _talks(project, ledger, n)
        return
    for document, calls in MADE_BY[phase].items():
        if not anew and _made(project, phase, document):
            continue
        if document == "domain-frameworks" and phase == "research":
            yield from _readings(project)
            calls = (*_of_the_panel(project), *calls)
        for call in calls:
            times = call.times * (1 + project.config.revisions if call.handed_back else 1)
            yield _Planned(phase=phase, role=call.role, form=call.form, times=times)
        if document == "evaluation-prompt":
            yield _Planned(phase="rubric", role="judge", form="verdict", times=BLIND)


def _of_the_panel(project: Project) -> tuple[_Call, ...]:
    sittings = project.config.sittings
    return _Call("expert", "research-propose", limits.EXPERTS * sittings), _Call("expert", "research-same", sittings)


def _made(project: Project, phase: str, document: str) -> bool:
    """Whether a phase has written its part of a document; the anchors are a section of the reference."""
    return _there(project, document) and (phase != "anchors" or bool(project.value(Documents.knowledge).anchors))


def _there(project: Project, document: str) -> bool:
    return project.layout.document(document).is_file()


def _readings(project: Project) -> Iterator[_Planned]:
    """One reading of each source; its prompt is as long as the source."""
    layout = project.layout
    texts, _ = read_folder(layout.sources, layout.folder)
    frame = len(prompt_files.source("research-read", layout.phase_prompts))
    characters = sum(len(text.text) + frame for text in texts)
    if texts:
        prompt = characters / CHARACTERS / len(texts)
        yield _Planned(phase="research", role="expert", form="reading", times=len(texts), prompt=prompt)


def _talks(project: Project, ledger: Ledger | None, n: int) -> Iterator[_Planned]:
    """Turns and verdicts of n conversations, less what the same run has been answered."""
    known = _answered_before(project, ledger, n)
    turns = round(n * TYPICAL_EXCHANGES)
    if _there(project, "scenario-space"):
        space = project.value(Documents.space)
        try:
            turns = sum(scenario.exchanges for scenario in plan(space, n, project.config.seed))
        except ValueError:  # nothing can be planned from it: that is for the pilot to say
            turns = 0
    judged = not _there(project, "evaluation-rubric") or bool(project.value(Documents.rubric).judged)
    roles: tuple[tuple[RoleName, str, int], ...] = (
        ("user", "user", turns),
        ("assistant", "assistant", turns),
        ("judge", "verdict", n if judged else 0),
    )
    for role, form, times in roles:
        yield _Planned(phase=pilot.KIND, role=role, form=form, times=times, known=min(times, known.get(role, 0)))


def _answered_before(project: Project, ledger: Ledger | None, n: int) -> dict[str, int]:
    """Answers by role that the ledger holds for a pilot of this size with the documents as they are."""
    if ledger is None or not all(_there(project, kind) for kind in pilot.MADE_FROM):
        return {}
    now = pilot.current_plan(project, n)
    names = {run.name for run in runs(project.layout, pilot.KIND) if run.plan == now}
    known: dict[str, int] = {}
    for line in ledger.tokens_used():
        if line.run in names:
            known[line.role] = known.get(line.role, 0) + line.answers
    return known
