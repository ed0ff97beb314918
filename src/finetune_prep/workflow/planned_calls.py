"""Which prompts a phase has still to ask, and how often: by their front matter, and by what is there.

Documents that exist are not written again, a rubric has the categories it has, talks are as long as the scenario space says, and
a draft is handed back as often as it usually is, within what the project allows. Nothing of tokens or money stands here but
what the texts themselves tell.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from finetune_prep.core.request import Request, RoleName
from finetune_prep.documents.kinds import Documents, Kind
from finetune_prep.ledger.protocols import Consumption, Ledger, Measured
from finetune_prep.method import limits
from finetune_prep.models.prices import most_tokens
from finetune_prep.phases.drafting import prompt_files, schemas
from finetune_prep.phases.drafting.patching import SUFFIX
from finetune_prep.phases.drafting.prompt_facts import ASSISTANT, PILOT, Facts, Use, facts
from finetune_prep.phases.pilot import plan
from finetune_prep.phases.pilot.repeating import repeats
from finetune_prep.phases.pilot.second_judge import ROLE as SECOND
from finetune_prep.phases.pilot.second_judge import reads
from finetune_prep.phases.research.knowledge_draft import Reading
from finetune_prep.phases.research.reading import MOST_PORTIONS, PORTION
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run, runs, same_run
from finetune_prep.sources.files import read_folder
from finetune_prep.sources.searching.choosing import chosen
from finetune_prep.workflow.looking import looked
from finetune_prep.workflow.retrying.settled import waiting

ANSWER = 300  # tokens of an answer of which nothing is known
CHARACTERS = 4  # of English for one token, the usual rule of thumb
READING, REVISE, JUDGE = "research-read", "revise", "judge"
REPEATED, READ_BY_BOTH = "judged twice", "read by both"  # of the counts: conversations of a pilot
# share of a prompt that all of its name begin with, as in both bundled examples; that of others is too short for a cache
SHARED = {"assistant": 0.96, "converse-whole": 0.95, "judge": 0.94}
# what is in documents that are not written yet: as in both bundled examples
FRAMEWORKS, CATEGORIES, EXAMPLES, CALIBRATIONS, EXCHANGES = 5, 4, 3, 3, 3.3

T = TypeVar("T")


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """What answers so far took: of each prompt, and by phase, run, role and model."""

    measured: tuple[Measured, ...] = ()
    tokens: tuple[Consumption, ...] = ()


async def used(ledger: Ledger) -> Used:
    """What the ledger tells of the answers so far."""
    return Used(measured=await ledger.reports.measured(), tokens=await ledger.reports.tokens_used())


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """So many calls of one prompt."""

    prompt: str
    """Name of its file, or the role that needs none."""
    role: RoleName
    form: str
    """The name under which the ledger counts its answers."""
    phase: str
    """The phase under which the ledger counts them."""
    times: float
    """A draft may or may not be handed back, so this need not be a whole number."""
    known: int
    """Answers of these that are there already."""
    opened: int = 0
    """How many of these a person has opened once more (`retry`): one call each, whatever comes."""
    input: float
    """Tokens of a prompt as it usually is."""
    output: float
    shared: float = 0.0
    """Tokens with which all of these prompts begin."""
    measurable: bool = True
    """Whether earlier prompts of the same file tell more of these than `input` does."""
    draft_of: str = ""
    """Of `revise`: the prompt whose drafts are handed back."""


def planned(project: Project, used: Used, phase: str, n: int, anew: bool) -> Iterator[Planned]:
    """What a phase has still to ask. n: conversations of the pilot. anew: documents that exist are written again."""
    own = project.layout.phase_prompts
    counts = _counts(project, n)
    retried = _retried(project, n) if phase == PILOT else NOTHING
    opened = retried.opened
    known = _answered_before(project, used, n, counts, retried) if phase == PILOT else {}
    way = project.config.pilot.way
    other = {prompt for prompts in plan.PROMPTS.values() for prompt in prompts} - {*plan.PROMPTS[way]}
    for name in (name for name in prompt_files.BUILT_IN if name not in other):
        about = facts(name, own)
        for use in about.uses:
            if use.asked_in == phase and (anew or not _made(project, use)):
                yield _calls(project, name, about, use, counts, known, opened)
                if name == JUDGE and phase == PILOT:
                    yield from _more_verdicts(project, about, use, counts, known, opened)
                if use.drafts_of == name:
                    yield _patches(project, name, about, use, counts)
    if phase == PILOT and way == "turns":
        yield _calls(project, "assistant", Facts(role="assistant", form="assistant"), ASSISTANT, counts, known, opened)


def written(project: Project, request: Request, opened: Collection[str] = ()) -> Planned:
    """One call of a request that is written already. Gates name their prompt, whose front matter tells how long answers are.

    opened: keys of requests that a person has opened once more.
    """
    name = request.origin.about
    uses = facts(name, project.layout.phase_prompts).uses if name in prompt_files.BUILT_IN else ()
    form = request.schema.name if request.schema else request.role
    return Planned(
        prompt=name,
        role=request.role,
        form=form,
        phase=request.phase,
        times=1.0,
        known=0,
        opened=int(request.key in opened),
        input=most_tokens(request) / CHARACTERS,
        output=max((use.output for use in uses), default=ANSWER),
        measurable=False,
    )


def _calls(
    project: Project, name: str, about: Facts, use: Use, counts: dict[str, int], known: dict[str, int], opened: Mapping[str, int]
) -> Planned:
    own = project.layout.phase_prompts
    others = use.drafts_of and use.drafts_of != name  # the drafts of another prompt, each of which calls for this one
    copies = _looks(facts(use.drafts_of, own), own, project.config.revisions, each=bool(use.counts)) if others else 1.0
    times = copies * math.prod(counts[count] for count in use.counts)
    prompt = float(use.input)
    if name == READING and counts["source"]:
        prompt = _readings(project).tokens / counts["source"] + use.input * counts["page"] / counts["source"]
    return Planned(
        prompt=name,
        role=about.role,
        form=about.form,
        phase=use.phase,
        times=times,
        known=max(0, min(round(times), known.get(about.role, 0)) - opened.get(about.role, 0)),
        opened=opened.get(about.role, 0),
        input=prompt,
        output=use.output,
        shared=SHARED.get(name, 0.0) * prompt,
        measurable=name != READING,
    )


def _more_verdicts(
    project: Project, about: Facts, use: Use, counts: dict[str, int], known: dict[str, int], opened: Mapping[str, int]
) -> Iterator[Planned]:
    """What is asked beside the verdicts of the judge: the same judge a second time, and a second judge."""
    if counts[REPEATED]:
        again = msgspec.structs.replace(use, counts=(REPEATED,))
        left = {str(about.role): known.get(about.role, 0) - counts["conversation"]}
        yield _calls(project, JUDGE, about, again, counts, left, {})
    if counts[READ_BY_BOTH]:
        second = msgspec.structs.replace(about, role=SECOND)
        yield _calls(project, JUDGE, second, msgspec.structs.replace(use, counts=(READ_BY_BOTH,)), counts, known, opened)


def _patches(project: Project, name: str, about: Facts, use: Use, counts: dict[str, int]) -> Planned:
    """What comes back for drafts that are handed back: each stands in its prompt, with what was found."""
    revise = facts(REVISE, project.layout.phase_prompts)
    again = drafts(about, project.config.revisions) - 1
    return Planned(
        prompt=REVISE,
        role=about.role,
        form=f"{about.form}{SUFFIX}",
        phase=use.phase,
        times=again * math.prod(counts[count] for count in use.counts),
        known=0,
        input=use.input + use.output + revise.added,
        output=use.output * revise.share,
        draft_of=name,
    )


def drafts(about: Facts, revisions: int) -> float:
    """How often a draft is usually written: once, and each time that it is handed back."""
    return sum(about.returned**revision for revision in range(revisions + 1))


def _looks(about: Facts, own: Path, revisions: int, *, each: bool) -> float:
    """How often a draft is looked at: once, and after each patch. each: its items one by one, and then those that changed."""
    return 1 + (drafts(about, revisions) - 1) * (facts(REVISE, own).share if each else 1)


def _made(project: Project, use: Use) -> bool:
    """Whether what a prompt is asked for has been written; the anchors are a section of the reference."""
    if not use.document:
        return False
    if use.phase == "anchors":
        knowledge = _value(project, Documents.knowledge)
        return bool(knowledge and knowledge.anchors)
    return _there(project, use.document)


def _value(project: Project, kind: Kind[T]) -> T | None:
    """What can be read of a document; None if it is not there or cannot be read at all."""
    document = project.document(kind)
    return document.value if document else None


def _there(project: Project, document: str) -> bool:
    return project.layout.document(document).is_file()


def _counts(project: Project, n: int) -> dict[str, int]:
    """How many there are of everything that front matter counts by."""
    knowledge, rubric = _value(project, Documents.knowledge), _value(project, Documents.rubric)
    judge, generation = _value(project, Documents.evaluation_prompt), _value(project, Documents.generation_prompt)
    pages = _pages(project)
    return {
        "expert": limits.EXPERTS,
        "reader": limits.EXPERTS + limits.DIFFICULT_USERS,
        "sitting": min(project.config.sittings, limits.SITTINGS.most),
        "search": 1 if pages else 0,
        "page": pages,
        "source": _readings(project).portions + pages,
        "framework": len(knowledge.frameworks) if knowledge else FRAMEWORKS,
        "category": len(rubric.categories) if rubric else CATEGORIES,
        "example": len(rubric.examples) if rubric else EXAMPLES,
        "calibration": len(judge.calibrations) if judge else CALIBRATIONS,
        "few-shot": len(generation.few_shots) if generation else limits.FEW_SHOTS_ASKED,
        "part": 2,
        "exchange": _exchanges(project, n),
        "conversation": n if rubric is None or rubric.judged else 0,
        REPEATED: _repeated(project, n) if rubric is None or rubric.judged else 0,
        READ_BY_BOTH: _read_by_both(project, n) if rubric is None or rubric.judged else 0,
    }


def _read_by_both(project: Project, n: int) -> int:
    """Conversations of a pilot of this size that a second judge reads."""
    share, space = project.config.pilot.second_judge, _value(project, Documents.space)
    if not share or space is None:
        return round(share * n)
    try:
        return sum(reads(one.id, share, project.config.seed) for one in plan.drawn(space, n, project.config.seed))
    except ValueError:  # as in `_exchanges`
        return 0


def _repeated(project: Project, n: int) -> int:
    """Conversations of a pilot of this size that are judged twice: as many as is asked for, or as it has been begun with."""
    return repeats(n, max(project.config.pilot.repeat, *(run.plan.repeated for run in _same(project, n)), 0.0))


class _Readings(NamedTuple):
    portions: int
    tokens: float


def _readings(project: Project) -> _Readings:
    """Portions in which the files in sources/ are read, and the tokens of all these prompts: they are as long as the texts."""
    layout = project.layout
    texts, _ = read_folder(layout.sources, layout.folder)
    brief = project.document(Documents.brief)
    frame = len(prompt_files.source(READING, layout.phase_prompts)) + len(brief.text if brief else "")
    frame += len(msgspec.json.encode(schemas.schema_of(Reading, "reading")))
    portions = [min(MOST_PORTIONS, math.ceil(len(text.text) / PORTION)) for text in texts]
    characters = sum(min(len(text.text), PORTION * count) + frame * count for text, count in zip(texts, portions, strict=True))
    return _Readings(sum(portions), characters / CHARACTERS)


def _pages(project: Project) -> int:
    """Pages of the web that are read at most; none where nothing is searched, or the expert's answers are a recording."""
    config = project.config
    if config.provider(config.role("expert").provider).kind == "recording":
        return 0
    return config.search.pages if chosen(config.search, os.environ) else 0


def _exchanges(project: Project, n: int) -> int:
    space = _value(project, Documents.space)
    if space is None:
        return round(n * EXCHANGES)
    try:
        return sum(scenario.exchanges for scenario in plan.drawn(space, n, project.config.seed))
    except ValueError:  # nothing can be planned from it: that is for the pilot to say
        return 0


def mean_exchanges(project: Project) -> float:
    """Exchanges of a conversation of the present scenario space, on average."""
    return _exchanges(project, limits.PILOT) / limits.PILOT


class _Retried(NamedTuple):
    """Questions by role that a person has opened and that nobody has been asked since, and what their conversations then ask."""

    opened: Counter[str]
    after: Counter[str]


NOTHING = _Retried(Counter(), Counter())


def _answered_before(project: Project, used: Used, n: int, counts: Mapping[str, int], retried: _Retried) -> dict[str, int]:
    """Calls by role of which nothing more comes, for a pilot of this size with the documents as they are.

    As many as the ledger holds first answers. Of a run that has come to its end all but what was opened, and what follows that.
    """
    same = _same(project, n)
    accounts = [account for run in same if (account := run.account())]
    if any(not account.outstanding and not account.not_asked for account in accounts):
        turns = counts["exchange"] if project.config.pilot.way == "turns" else counts["conversation"]
        verdicts = counts["conversation"] + (max(map(_read_twice, same)) if counts[REPEATED] else 0)
        whole = {"user": turns, "assistant": turns, "judge": verdicts, SECOND: counts[READ_BY_BOTH]}
        return {role: calls - retried.after[role] for role, calls in whole.items()}
    names = {run.name for run in same}
    known: dict[str, int] = {}
    for line in used.tokens:
        if line.run in names:
            known[line.role] = known.get(line.role, 0) + line.answers - line.again
    return known


def _read_twice(run: Run) -> int:
    """Conversations of a run that have been judged twice."""
    return sum(row.again is not None and not row.again.waiting for row in run.each_verdict())


def _same(project: Project, n: int) -> list[Run]:
    """The pilots of this size of the documents as they are."""
    if not all(_there(project, kind) for kind in plan.MADE_FROM):
        return []
    now = plan.current_plan(project, n)
    return [run for run in runs(project.layout, plan.KIND) if same_run(run.plan, now)]


def _retried(project: Project, n: int) -> _Retried:
    decisions = dict(project.opened())
    if not decisions:
        return NOTHING
    lengths = {
        sample.unusable: sample.scenario.exchanges
        for run in _same(project, n)
        for sample in run.each_sample()
        if sample.unusable in decisions
    }
    requests = looked(project, partial(_waiting, [*lengths], decisions), ()) if lengths else ()
    after: Counter[str] = Counter()
    for request in requests:
        after += _after(request, lengths[request.key])
    return _Retried(Counter(request.role for request in requests), after)


async def _waiting(keys: list[str], opened: dict[str, int], ledger: Ledger) -> tuple[Request, ...]:
    found = [await ledger.answers.get(key) for key in await waiting(ledger, keys, opened)]
    return tuple(entry.request for entry in found if entry is not None)


def _after(request: Request, exchanges: int) -> Counter[str]:
    """What a conversation of so many exchanges still asks behind this request of it."""
    if request.role in ("judge", SECOND):
        return Counter()
    left = exchanges - request.origin.turn if request.origin.turn else 0  # none behind one that is the whole conversation
    return Counter(user=left, assistant=left + (request.role == "user"), judge=1)
