"""What a phase will need, before it starts: calls, tokens, money; and what it comes to while it runs.

How many calls a phase makes follows from what is there: documents that exist are not written again, a pilot's talks are as long
as the scenario space says. What a call takes is the mean of the ledger for the same prompt, as soon as there is one answer whose
tokens were counted; until then it is what the prompt took in the bundled example (TYPICAL). A second asking after an answer that
could not be used is expected as often as it was needed so far.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import msgspec

from finetune_prep.core.request import RoleName
from finetune_prep.core.scenario import ScenarioSpace, plan
from finetune_prep.ledger.ledger import Ledger, Measured
from finetune_prep.method import PHASES
from finetune_prep.models.door import Progress
from finetune_prep.models.prices import Prices, cost_of
from finetune_prep.models.roles import price_of
from finetune_prep.phases import pilot, prompting
from finetune_prep.project.project import Project
from finetune_prep.project.runs import runs
from finetune_prep.sources.files import read_folder

CHARACTERS = 4  # of English for one token, the usual rule of thumb
TYPICAL_EXCHANGES = 2.25  # in a talk of the bundled example
# (phase, form) → tokens of prompt and answer in examples/online-shop; printed by: python benchmarks/estimate_defaults.py
TYPICAL: dict[tuple[str, str], tuple[int, int]] = {
    ("anchors", "anchors"): (19_000, 1_200),
    ("evaluation-prompt", "evaluation-prompt"): (5_800, 3_500),
    ("generation-prompt", "generation-few-shots"): (25_000, 1_900),
    ("generation-prompt", "generation-guidance"): (25_000, 7_200),
    ("generation-prompt", "system prompt"): (720, 110),
    ("generation-prompt", "user prompt"): (6_700, 480),
    ("pilot", "assistant"): (9_800, 87),
    ("pilot", "user"): (880, 41),
    ("pilot", "verdict"): (9_200, 350),
    ("research", "reading"): (1_700, 1_500),
    ("research", "research-frameworks"): (9_400, 15_000),
    ("research", "research-scenario-space"): (20_000, 6_800),
    ("rubric", "rubric-examples"): (5_800, 3_400),
    ("rubric", "rubric-questions"): (27_000, 5_600),
}
# phase → document → forms of the calls that write it
WRITTEN: dict[str, dict[str, tuple[str, ...]]] = {
    "research": {"domain-frameworks": ("research-frameworks",), "scenario-space": ("research-scenario-space",)},
    "anchors": {"domain-frameworks": ("anchors",)},
    "rubric": {"evaluation-rubric": ("rubric-questions", "rubric-examples")},
    "evaluation-prompt": {"evaluation-prompt": ("evaluation-prompt",)},
    "generation-prompt": {
        "generation-prompt": ("generation-guidance", "generation-few-shots"),
        "user-prompt": ("user prompt",),
        "system-prompt": ("system prompt",),
    },
}
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
    project: Project, ledger: Ledger | None, phases: Sequence[str] = ALL, *, n: int = 100, provider: str = "", anew: bool = False
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
    if phase == "research" and (anew or not _there(project, "domain-frameworks")):
        yield from _readings(project)
    for document, forms in WRITTEN[phase].items():
        if anew or not _made(project, phase, document):
            for form in forms:
                yield _Planned(phase=phase, role="expert", form=form, times=1)


def _made(project: Project, phase: str, document: str) -> bool:
    """Whether a phase has written its part of a document; the anchors are a section of the reference."""
    return _there(project, document) and (phase != "anchors" or bool(project.value(document).anchors))


def _there(project: Project, document: str) -> bool:
    return project.layout.document(document).is_file()


def _readings(project: Project) -> Iterator[_Planned]:
    """One reading of each source; its prompt is as long as the source."""
    layout = project.layout
    texts, _ = read_folder(layout.sources, layout.folder)
    frame = len(prompting.source("research-read", layout.phase_prompts))
    characters = sum(len(text.text) + frame for text in texts)
    if texts:
        prompt = characters / CHARACTERS / len(texts)
        yield _Planned(phase="research", role="expert", form="reading", times=len(texts), prompt=prompt)


def _talks(project: Project, ledger: Ledger | None, n: int) -> Iterator[_Planned]:
    """Turns and verdicts of n conversations, less what the same run has been answered."""
    known = _answered_before(project, ledger, n)
    turns = round(n * TYPICAL_EXCHANGES)
    if _there(project, "scenario-space"):
        space: ScenarioSpace = project.value("scenario-space")
        try:
            turns = sum(scenario.exchanges for scenario in plan(space, n, project.config.seed))
        except ValueError:  # nothing can be planned from it: that is for the pilot to say
            turns = 0
    judged = not _there(project, "evaluation-rubric") or bool(project.value("evaluation-rubric").judged)
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
    for line in ledger.consumption():
        if line.run in names:
            known[line.role] = known.get(line.role, 0) + line.answers
    return known
