"""What the labels of a run amount to: how many conversations a person has read, what they failed, and what that proves."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from finetune_prep.core.sample import PASSED, Sample
from finetune_prep.documents.kinds import Documents
from finetune_prep.errors import UsageError
from finetune_prep.labels.drawing import FAILED
from finetune_prep.labels.file import Damaged, read_labels
from finetune_prep.labels.label import DECIDED, Label, Opinion, opinions
from finetune_prep.method import limits
from finetune_prep.project.project import Project
from finetune_prep.project.runs import SCALE, Run, runs
from finetune_prep.statistics.certification import labels_needed
from finetune_prep.statistics.rates import Rate, exact

LIKELY = 0.95  # how often a good judge is right, to say how many labels show it; convention, untested


class Stale(msgspec.Struct, frozen=True, kw_only=True):
    """A label that no longer counts: it stays in the file, and the conversation has to be read again."""

    conversation_id: str
    scenario: str
    by: str
    why: str


class Reviewed(msgspec.Struct, frozen=True, kw_only=True):
    """What persons' labels of a run amount to. Labels of models are counted apart, and nowhere else."""

    run: str
    read: int = 0
    """Conversations that a person has labelled as they stand, under the present rubric."""
    by: tuple[str, ...] = ()
    """The persons who did."""
    failed: tuple[str, ...] = ()
    """Ids of conversations that a person failed, whatever the rubric was: they are in no export."""
    settled: int = 0
    """Conversations without a verdict, since somebody in them seems to speak to the judge, that a person has labelled."""
    missed: tuple[str, ...] = ()
    """Failures that persons noted and no document holds."""
    stale: tuple[Stale, ...] = ()
    on_passed: Rate = Rate(0, 0, 0.0, 1.0)
    """Of the conversations drawn that the judge passed, how many persons passed blind."""
    on_failed: Rate = Rate(0, 0, 0.0, 1.0)
    """Of the conversations drawn that the judge failed, how many persons failed blind."""
    repeated: tuple[int, int] = (0, 0)
    """How many second readings said the same as the first, of how many."""
    disputed: tuple[str, ...] = ()
    """Conversations that one person passes and another one fails."""
    by_models: int = 0
    """Conversations that a model has labelled: they count for nothing here."""
    models_agree: tuple[tuple[int, int], tuple[int, int]] = ((0, 0), (0, 0))
    """How many blind labels of models say what the judge said, of how many that it passed, and of how many that it failed."""
    damaged: tuple[Damaged, ...] = ()


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """What a person is to read next."""

    run: str
    read: int
    """Its conversations that a person has labelled as they stand."""
    wanted: int
    """How many are asked for."""
    waited_for: bool
    """Whether a gate stays open until they are read; one that was waived waits for nobody."""
    command: str
    """What opens exactly these."""


def to_be_read(run: Run) -> int:
    """How many conversations of a run a person labels: of a scaled one as many as its rows ask for."""
    account = run.account() if run.plan.kind == SCALE else None
    return limits.to_label(account.states.get("accepted", 0)) if account is not None else limits.SPOT_CHECK


def reviewed(project: Project, run: Run) -> Reviewed:
    """What has been said of this run so far."""
    kept = read_labels(run.labels_path)
    if not kept.labels:
        return Reviewed(run=run.name, damaged=kept.damaged)
    labelled = {label.scenario for label in kept.labels}
    samples = {sample.scenario.id: sample for sample in run.each_sample() if sample.scenario.id in labelled}
    held = opinions(kept.labels)
    persons = [opinion for (labeller, _), opinion in held.items() if labeller.kind == "person"]
    rubric = rubric_version(project)
    models = [
        opinion
        for (labeller, _), opinion in held.items()
        if labeller.kind == "model" and not why_stale(opinion.latest, samples, rubric)
    ]
    why = [(opinion, why_stale(opinion.latest, samples, rubric)) for opinion in persons]
    fresh = [opinion for opinion, reason in why if not reason and opinion.decided]
    failed = {opinion.latest.conversation_id for opinion in persons if opinion.latest.label == "fail"}
    passed = {opinion.latest.conversation_id for opinion in fresh if opinion.latest.label == "pass"}
    again = [
        (opinion.blind, label) for opinion in persons if opinion.blind for label in opinion.repeats if label.label in DECIDED
    ]
    return Reviewed(
        run=run.name,
        read=len({opinion.latest.conversation_id for opinion in fresh}),
        by=tuple(sorted({opinion.latest.labeller.name for opinion in fresh})),
        failed=tuple(sorted(failed)),
        settled=len({opinion.latest.scenario for opinion in fresh if samples[opinion.latest.scenario].steered}),
        missed=unplaced(project, persons),
        stale=tuple(_stale(opinion.latest, reason) for opinion, reason in why if reason),
        on_passed=agreement(fresh, samples, "pass"),
        on_failed=agreement(fresh, samples, "fail"),
        repeated=(sum(first.label == second.label for first, second in again), len(again)),
        disputed=tuple(sorted(passed & failed)),
        by_models=len({opinion.latest.conversation_id for opinion in models}),
        models_agree=(_agree(models, samples, "pass"), _agree(models, samples, "fail")),
        damaged=kept.damaged,
    )


def failures(project: Project) -> dict[str, str]:
    """Ids of conversations that a person failed in whichever run they stand, and who did: they are no rows anywhere."""
    return {
        conversation: labeller.name
        for run in runs(project.layout)
        for (labeller, conversation), opinion in opinions(read_labels(run.labels_path).labels).items()
        if labeller.kind == "person" and opinion.latest.label == "fail"
    }


def rubric_version(project: Project) -> str:
    """The version of the present rubric, "" if there is none that can be read."""
    document = project.document(Documents.rubric)
    return document.value.version if document is not None and document.value is not None else ""


def why_stale(label: Label, samples: Mapping[str, Sample], rubric: str) -> str:
    """Why a label no longer counts, in words; "" if it does. samples: by scenario."""
    sample = samples.get(label.scenario)
    if sample is None or sample.conversation is None:
        return "the conversation no longer exists"
    if sample.conversation.id != label.conversation_id:
        return "the text has changed since"
    return "" if label.rubric == rubric else "the rubric has changed since"


def _stale(label: Label, why: str) -> Stale:
    return Stale(conversation_id=label.conversation_id, scenario=label.scenario, by=label.labeller.name, why=why)


def agreement(persons: Sequence[Opinion], samples: Mapping[str, Sample], word: str) -> Rate:
    """How many blind labels of drawn conversations say what the judge said, of those of which it said `word`.

    The draw is by what the judge said, so only within one of its two answers does an interval of plain counts hold. Each
    conversation counts once, by the first person's label.
    """
    states = PASSED if word == "pass" else FAILED
    first: dict[str, Label] = {}
    for opinion in persons:
        blind = opinion.blind
        if blind and blind.sample and blind.label in DECIDED and samples[blind.scenario].state in states:
            first.setdefault(blind.conversation_id, blind)
    return exact(sum(label.label == word for label in first.values()), len(first))


def _agree(models: Sequence[Opinion], samples: Mapping[str, Sample], word: str) -> tuple[int, int]:
    rate = agreement(models, samples, word)
    return rate.k, rate.n


def unplaced(project: Project, persons: Sequence[Opinion]) -> tuple[str, ...]:
    """What persons noted as missed, each once, unless a failure mode of the reference holds it."""
    noted = dict.fromkeys(
        note for opinion in persons for label in (opinion.blind, opinion.latest) if label for note in label.missed
    )
    document = project.document(Documents.knowledge)
    modes = document.value.failure_modes if document is not None and document.value is not None else ()
    names = {mode.id for mode in modes}
    texts = [_plain(f"{mode.name} {mode.instance}") for mode in modes]
    return tuple(
        note for note in noted if not names & set(re.findall(r"FM\d+", note)) and not any(_plain(note) in text for text in texts)
    )


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def require_all_labels(project: Project) -> None:
    """Raise UsageError if a line of some run's labels cannot be read: it may be the one that failed a conversation."""
    for run in runs(project.layout):
        for first in read_labels(run.labels_path).damaged[:1]:
            raise UsageError(
                f"this label cannot be read: {first.why}",
                where=f"{project.layout.relative(run.labels_path)}:{first.line}",
                next="restore the line from version control, or delete it and label the conversation again",
            )


def more(run: Run, path: str) -> tuple[str, ...]:
    """What would prove more, and what measures it. path: of the run's folder in the project."""
    return (
        f"For a judge that is right {LIKELY:.0%} of the time, about {labels_needed(LIKELY)} labels of each kind are enough.",
        f"finetune-prep agreement {path}/{run.verdicts_path.name} {path}/{run.labels_path.name} --rubric {Documents.rubric.path}",
    )


def proof(found: Reviewed) -> tuple[str, ...]:
    """What the labels of persons prove about the judge, and what they do not, in sentences."""
    if not found.read:
        return ()
    people = "a person" if len(found.by) == 1 else f"{len(found.by)} persons"
    said = [f"{found.read} conversation{'s' if found.read != 1 else ''} labelled by {people}."]
    for rate, word in ((found.on_passed, "passed"), (found.on_failed, "failed")):
        if rate.n:
            said.append(
                f"Of {rate.n} drawn that the judge {word}, {rate.k} {'was' if rate.k == 1 else 'were'} {word} blind, too: "
                f"exact 95% interval {rate.low:.0%} to {rate.high:.0%}."
            )
    same, again = found.repeated
    if again:
        said.append(f"Read a second time, {same} of {again} got the same label.")
    return tuple(said)
