"""Auditing the rows of a run: the accepted ones that an export would write, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from finetune_prep.conversations.contamination import Contamination
from finetune_prep.core.conversation import Conversation
from finetune_prep.core.sample import Sample
from finetune_prep.core.scenarios.space import ScenarioSpace
from finetune_prep.documents.kinds import Documents
from finetune_prep.durable import write_atomically
from finetune_prep.errors import ActNeeded
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run
from finetune_prep.statistics.volume.stock_phrases import sampled
from finetune_prep.workflow.auditing.checks import Check, Copies, Duplicates, Invisible, Languages, Lengths, Phrases
from finetune_prep.workflow.auditing.coverage import Coverage, failures_never_tried
from finetune_prep.workflow.auditing.leaks import leaks
from finetune_prep.workflow.auditing.others import examples, read_others
from finetune_prep.workflow.auditing.personal import Contacts
from finetune_prep.workflow.auditing.sentences import PAGE, page_of
from finetune_prep.workflow.auditing.standing import CANNOT_TELL, RESULT, Audited, kept_out_of, subject
from finetune_prep.workflow.exporting import finished_run


def audit(project: Project, *, run: str = "", against: tuple[Path, ...] = ()) -> Audited:
    """Look through the rows that an export would write, together and beside other files; keep what was found with the run.

    run: as of `export`. Raises ActNeeded if there is no run with rows, and UsageError for a file that cannot be read.
    """
    chosen, _ = finished_run(project, run)
    others = read_others(against)
    kept_out = kept_out_of(project)
    first = [said for _, said in sampled(_rows(chosen, kept_out), chosen.plan.seed)]
    if not first:
        raise ActNeeded(f"{chosen.name} has no accepted row to audit", next="finetune-prep show")
    space = project.value(Documents.space)
    lengths, coverage, contacts = Lengths(), Coverage(space), Contacts(project)
    named = ", ".join(path.name for path in against)
    against_others = Contamination(others.texts, given=materials(space))
    checks: list[Check] = [
        Duplicates(),
        Copies("test-set", named or "other files", against_others, others.situations),
        Copies("examples", "few-shots or of the judge's examples", Contamination(examples(project), any_run=False), {}),
        Invisible(),
        Languages(project.value(Documents.brief).language),
        Phrases(first),
        contacts,
        lengths,
        coverage,
    ]
    ids: set[str] = set()
    for sample, said in _rows(chosen, kept_out):
        ids.add(sample.scenario.id)
        for check in checks:
            check.take(sample, said)
    flags = [found for check in checks for found in check.flags()]
    rubric, knowledge = project.value(Documents.rubric), project.value(Documents.knowledge)
    flags += [*failures_never_tried(rubric, knowledge, chosen.each_verdict(), ids), *leaks(project.layout.dataset)]
    result = Audited(
        run=chosen.name,
        subject=subject(project, chosen),
        rows=coverage.rows,
        replies=lengths.replies,
        against=tuple(map(str, against)),
        compared=len(against_others),
        flags=tuple(sorted(flags, key=lambda found: found.level != "red")),
        on_a_question=lengths.questions / lengths.replies if lengths.replies else None,
        length=lengths.ratio / lengths.replies if lengths.replies else None,
        arc=lengths.arc,
        coverage={name: dict(sorted(counts.items())) for name, counts in coverage.by.items()},
        personal=contacts.found,
        findings=others.findings,
        cannot_tell=(*CANNOT_TELL, *contacts.cannot_tell),
    )
    write_atomically(chosen.folder / RESULT, _pretty(result))
    write_atomically(chosen.folder / PAGE, page_of(project, result))
    return result


def materials(space: ScenarioSpace) -> Iterator[str]:
    """What users have at hand and paste, as the scenario space gives it to whoever plays them."""
    return (situation.material for topic in space.topics for situation in topic.situations if situation.material)


def _rows(run: Run, kept_out: set[str]) -> Iterator[tuple[Sample, Conversation]]:
    for sample in run.each_sample():
        said = sample.conversation
        if sample.state == "accepted" and said is not None and said.id not in kept_out:
            yield sample, said


def _pretty(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
