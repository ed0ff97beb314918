"""A finished pilot of the pottery shop on disk: real scenarios, talks and verdicts, without a model."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.rubric import YesNo
from finetune_prep.core.sample import Sample, State, account, fold
from finetune_prep.core.scenarios.drawing import plan
from finetune_prep.documents.kinds import Documents
from finetune_prep.labels.file import record_label
from finetune_prep.labels.label import Label, Labeller, Sampling, Stage, Word
from finetune_prep.phases.pilot.plan import current_plan
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run, VerdictRow, run_of
from finetune_prep.workflow.reviewing.counting import rubric_version
from tests.phases.pottery_shop import accept_all
from tests.results import write_results

ADA, BEN = Labeller("Ada Larch", "person"), Labeller("Ben Alder", "person")
MODEL = Labeller("larch-1", "model")
STATES: dict[str, State] = {"p": "accepted", "f": "rejected", "x": "faulty", "u": "unjudged", "d": "duplicate"}
SECRET = "SECRET-EVIDENCE"  # stands in every verdict and nowhere else


def pilot_of(project: Project, judged: str, texts: Sequence[str] = ()) -> Run:
    """judged: a letter for each talk – passed, failed, x faulty, unjudged, duplicate. texts: what assistants say instead."""
    accept_all(project)
    rubric = project.value(Documents.rubric)
    run = run_of(project.layout, current_plan(project, len(judged)))
    scenarios = plan(project.value(Documents.space), len(judged), run.plan.seed)
    samples, verdicts = [], []
    for number, (letter, scenario) in enumerate(zip(judged, scenarios, strict=True)):
        said = texts[number % len(texts)] if texts else f"We send a new bowl, number {number}. It comes in two days."
        talk = Conversation((Message("user", f"My bowl {number} broke."), Message("assistant", said)))
        failed = (rubric.questions[-1].id,) if letter == "f" else ()
        score = {"p": 1.0, "f": 0.25}.get(letter)
        samples.append(
            Sample(
                scenario=scenario,
                state=STATES[letter],
                conversation=None if letter == "x" else talk,
                score=score,
                failed=failed,
                unusable="a key" if letter == "u" else "",
            )
        )
        if letter in "pf":
            answers: dict[str, str | None] = {
                question.id: "no" if question.id in failed else "yes" for question in rubric.questions
            }
            evidence = {question.id: f"{SECRET} {number}" for question in rubric.questions}
            verdicts.append(
                VerdictRow(
                    conversation_id=talk.id,
                    scenario=scenario.id,
                    judge="judge-1",
                    rubric=rubric.version,
                    answers=answers,
                    evidence=evidence,
                )
            )
    write_results(run, samples, verdicts, account(fold(samples)))
    return run


def talk_of(sample: Sample) -> Conversation:
    assert sample.conversation is not None
    return sample.conversation


def say(
    project: Project,
    run: Run,
    number: int,
    label: Word,
    by: Labeller = ADA,
    stage: Stage = "blind",
    *,
    drawn: bool = True,
    repeat: bool = False,
    answers: dict[str, YesNo] | None = None,
    missed: tuple[str, ...] = (),
) -> Label:
    """Label the talk of this number in the plan."""
    sample = run.samples()[number]
    said = Label(
        at="2026-11-29T10:00:00+00:00",
        labeller=by,
        conversation_id=talk_of(sample).id,
        scenario=sample.scenario.id,
        rubric=rubric_version(project),
        stage=stage,
        label=label,
        answers=answers or {},
        missed=missed,
        sample=Sampling(design="strata-10/7", p=0.5, repeat=repeat) if drawn or repeat else None,
    )
    record_label(run.labels_path, said)
    return said


def edit_talk(run: Run, number: int, text: str) -> None:
    """Change what the assistant says in a talk, as a person with an editor would."""
    samples = run.samples()
    talk = talk_of(samples[number])
    messages = (*talk.messages[:-1], Message("assistant", text))
    samples[number] = msgspec.structs.replace(samples[number], conversation=Conversation(messages))
    write_results(run, samples, run.verdicts(), account(samples))
