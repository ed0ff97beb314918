"""`agreement`: is the judge right? One word, and what it rests on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from finetune_prep.core.identity import digest
from finetune_prep.core.rubric import Rubric
from finetune_prep.errors import UsageError
from finetune_prep.records.conversations import read_conversations
from finetune_prep.records.labels import Label, Labels, Spent, Word, read_labels, spend, spent_of
from finetune_prep.records.verdicts import Verdicts
from finetune_prep.statistics import certification
from finetune_prep.statistics.agreement import Drawn, kappa, true_negative_rate, true_positive_rate
from finetune_prep.statistics.pass_rate import Corrected, by_people, corrected
from finetune_prep.statistics.rates import Estimate, Rate, exact
from finetune_prep.statistics.scoring import Scoring
from finetune_prep.workflow.measuring.inputs import Measured, one_judge, read_rubric, verdicts_of
from finetune_prep.workflow.measuring.labelled import Counted, Out, Rules, count, draw, text_of


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What people and judge answered to one question, where people answered it. Raw counts: under a draw by verdict no rates.

    no_found: of people's NOs, those that the judge gave. yes_kept: of people's YES, those that the judge gave.
    """

    id: str
    gate: bool
    no_found: Rate
    yes_kept: Rate


class Agreement(Measured, frozen=True, kw_only=True):
    word: Word
    reasons: tuple[str, ...]
    """Why it is this word and none better; empty for a certified judge."""
    judge: str
    rubric: str
    labels: int
    deferred: int
    out: dict[Out, int]
    again: Rate | None
    others: Rate | None
    drawn: Drawn | None
    tpr: Estimate | None
    """None where it cannot be estimated; `reasons` says why."""
    tnr: Estimate | None
    kappa: Estimate | None
    people: Estimate | None
    """Pass rate by labels alone."""
    corrected: Corrected | None
    """Pass rate by labels and verdicts together: of a certified judge only."""
    judge_rate: Rate
    """Pass rate by the judge's word: advisory, unless it is certified."""
    questions: tuple[Question, ...]
    disagreements: tuple[str, ...]
    """Conversations on which the two differ; none of a sealed part."""


class _Case(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that has been read."""

    rubric: Rubric
    verdicts: Verdicts
    passed: dict[str, bool | None]
    counted: Counted
    sealed: bool


def agreement(
    verdicts_path: Path,
    labels_path: Path,
    rubric_path: Path,
    *,
    conversations: Path | None = None,
    judge: str = "",
    design: str = "",
    final: str = "",
) -> Agreement:
    """Compare one judge with people.

    design: how conversations were drawn, where labels do not say. final: the time, in ISO form, for the sealed labels alone,
    which this spends: the file of labels says so from then on. Raises UsageError if there are several judges and none is named,
    if there is no sealed label, or if they were spent on something else.
    """
    rubric = read_rubric(rubric_path)
    verdicts = verdicts_of(verdicts_path, rubric, conversations, judge)
    name = one_judge(verdicts)
    labels = read_labels(labels_path, rubric)
    split = any(label.split == "sealed" for label in labels.rows)
    scoring = Scoring(rubric)
    passed = {row.conversation: scoring.passed(row.answers) if row.complete else None for row in verdicts.rows}
    texts = read_conversations(conversations).hashes if conversations else {}
    rules = Rules(
        passed=passed,
        texts=texts,
        rubric=rubric.version,
        sealed=bool(final),
        split=split,
        drawn=not design and any(label.design for label in labels.rows),
    )
    counted = count(labels.rows, rules)
    case = _Case(rubric=rubric, verdicts=verdicts, passed=passed, counted=counted, sealed=bool(final))
    pin, spent = _pin(case, labels, name), spent_of(labels_path)
    if not final:
        result = _result(case, name, design, labels)
        return _as_spent(result, spent, pin) if spent else result
    _refuse_final(spent, labels_path, pin, split=split)
    result = _result(case, name, design, labels)
    if spent is None:
        spend(labels_path, Spent(at=final, judge=name, rubric=rubric.version, pin=pin, word=result.word))
    return result


def _pin(case: _Case, labels: Labels, judge: str) -> str:
    """Hash of what the word depends on: judge, rubric, the sealed labels, and what the judge said of their conversations."""
    sealed = {label.conversation for label in labels.rows if label.split == "sealed"}
    said = sorted((row.conversation, row.answers) for row in case.verdicts.rows if row.conversation in sealed)
    given = [msgspec.structs.replace(label, line=0) for label in labels.rows if label.split == "sealed"]
    return digest([judge, case.rubric.version, given, said])


def _refuse_final(spent: Spent | None, path: Path, pin: str, *, split: bool) -> None:
    if not split:
        raise UsageError(
            "not certified: no label here is sealed, and only labels that nobody has looked at can certify a judge",
            where=str(path),
            next="finetune-prep agreement without --final, for what the open labels say",
        )
    if spent is not None and spent.pin != pin:
        raise UsageError(
            f"the sealed labels were spent on {spent.at[:10]}, on {spent.judge or 'a judge without a name'}; "
            "judge, rubric, labels or verdicts have changed since",
            where=str(path),
            next="label conversations that nobody has labelled yet, sealed, in a file of their own",
        )


def _as_spent(result: Agreement, spent: Spent, pin: str) -> Agreement:
    """What open labels say, under the word that the sealed ones gave."""
    if spent.pin == pin:
        reasons = (f"by the sealed labels, on {spent.at[:10]}; the figures here are those of the open ones",)
        return msgspec.structs.replace(result, word=spent.word, reasons=reasons)
    reasons = (f"it was {spent.word} on {spent.at[:10]}; judge, rubric, sealed labels or verdicts have changed since",)
    return msgspec.structs.replace(result, word="stale", reasons=reasons)


def _result(case: _Case, judge: str, design: str, labels: Labels) -> Agreement:
    found = draw(case.counted, case.passed, design)
    drawn = found.drawn
    tpr, tnr = (true_positive_rate(drawn), true_negative_rate(drawn)) if drawn else (None, None)
    word, reasons = _word(case, tpr, tnr, found.why_not)
    judged = [said for said in case.passed.values() if said is not None]
    return Agreement(
        findings=(*case.verdicts.findings, *labels.findings),
        left_out=case.verdicts.left_out + len(labels.findings),
        mapping=(*case.verdicts.mapping, *labels.mapping),
        cannot_tell=_cannot_tell(case),
        word=word,
        reasons=reasons,
        judge=judge,
        rubric=case.rubric.version,
        labels=len(case.counted.labels),
        deferred=len(case.counted.deferred),
        out=case.counted.out,
        again=case.counted.again,
        others=case.counted.others,
        drawn=drawn,
        tpr=tpr,
        tnr=tnr,
        kappa=kappa(drawn) if drawn else None,
        people=by_people(drawn) if drawn else None,
        corrected=corrected(drawn) if drawn and word == "certified" else None,
        judge_rate=exact(sum(judged), len(judged)),
        questions=_questions(case),
        disagreements=()
        if case.sealed
        else tuple(
            label.conversation for label in case.counted.labels if case.passed[label.conversation] != (label.label == "pass")
        ),
    )


def _word(case: _Case, tpr: Estimate | None, tnr: Estimate | None, why_not: str) -> tuple[Word, tuple[str, ...]]:
    if not case.counted.labels:
        return "not measured", (why_not,)
    if tpr is None or tnr is None:
        return ("inconclusive" if case.sealed else "smoke-tested"), (f"TPR and TNR cannot be estimated: {why_not}",)
    shown = certification.shown(tpr, tnr)
    if not case.sealed:
        wish = "" if shown == "certified" else f"; besides, {_shortfall(tpr, tnr)}"
        return "smoke-tested", (
            f"not certified: these labels are not sealed, and a judge may be tuned to labels one has seen{wish}",
        )
    if shown != "certified":
        return shown, (_shortfall(tpr, tnr),)
    lacking = (*_unsealed(case.counted.labels, case), *_overlooked(case))
    return ("inconclusive", lacking) if lacking else ("certified", ())


def _shortfall(tpr: Estimate, tnr: Estimate) -> str:
    """What the two intervals do not show, and how many labels it takes."""
    low = [
        f"{name} may be as low as {rate.low:.2f}"
        for name, rate in (("TPR", tpr), ("TNR", tnr))
        if rate.low < certification.CERTIFIED
    ]
    rates = [rate.value for rate in (tpr, tnr) if rate.value is not None]
    needed = certification.labels_needed(min(rates)) if len(rates) == 2 else certification.labels_needed(0.95)
    more = f"it takes {needed} labels of each kind" if needed else "no number of labels certifies this judge"
    return f"{' and '.join(low)}, below {certification.CERTIFIED:.2f}; with rates as seen, {more}"


def _unsealed(labels: Sequence[Label], case: _Case) -> tuple[str, ...]:
    """What sealed labels must say of themselves, and these do not."""
    gate = [question.id for category in case.rubric.categories if category.gate for question in category.questions]
    wanted: dict[str, Callable[[Label], bool]] = {
        "do not say that a person gave them": lambda label: label.kind == "person",
        "do not say that they were given blind": lambda label: label.stage == "blind",
        "do not say how, and with which chance, they were drawn": lambda label: bool(label.design and label.p),
        "do not say of which text they speak": lambda label: bool(text_of(label)),
        "are not bound to this rubric": lambda label: label.rubric == case.rubric.version,
        "do not answer every question of the gate": lambda label: all(id in label.answers for id in gate),
    }
    missing = {words: sum(not holds(label) for label in labels) for words, holds in wanted.items()}
    unbound = sum(row.rubric != case.rubric.version for row in case.verdicts.rows)
    named = (f"{unbound} verdicts do not say of which rubric they are",) if unbound else ()
    anonymous = () if case.verdicts.judges[0] else ("the verdicts do not name the judge",)
    return (*(f"{many} sealed labels {words}" for words, many in missing.items() if many), *named, *anonymous)


def _overlooked(case: _Case) -> tuple[str, ...]:
    """NOs of people on the gate that the judge did not give."""
    return tuple(
        f"{question.id} is a question of the gate, and the judge gave {question.no_found.k} of people's {question.no_found.n} NOs"
        for question in _questions(case)
        if question.gate and question.no_found.k < question.no_found.n
    )


def _questions(case: _Case) -> tuple[Question, ...]:
    gate = {question.id for category in case.rubric.categories if category.gate for question in category.questions}
    said: Mapping[str, Mapping[str, str | None]] = {
        row.conversation: dict(zip([question.id for question in case.rubric.questions], row.answers, strict=True))
        for row in case.verdicts.rows
    }
    found = []
    for question in case.rubric.questions:
        pairs = [
            (label.answers[question.id], said[label.conversation][question.id])
            for label in case.counted.labels
            if question.id in label.answers
        ]
        no = [judge == "no" for people, judge in pairs if people == "no"]
        yes = [judge == "yes" for people, judge in pairs if people == "yes"]
        if pairs:
            rates = exact(sum(no), len(no)), exact(sum(yes), len(yes))
            found.append(Question(id=question.id, gate=question.id in gate, no_found=rates[0], yes_kept=rates[1]))
    return tuple(found)


def _cannot_tell(case: _Case) -> tuple[str, ...]:
    unknown = any(not label.kind for label in case.counted.labels)
    return (
        *(("whether a person gave the labels: they do not say so, and were taken for a person's",) if unknown else ()),
        "whether people are right: only that the judge agrees with them",
        "how the judge does on other conversations, under another rubric, or as another version of the model",
    )
