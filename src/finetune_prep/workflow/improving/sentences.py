"""What is said of an edit's trial: one sentence for what it did and whether that was shown, and what could not be seen."""

from __future__ import annotations

from collections.abc import Iterator

from finetune_prep.core.improving.edit import EditTalk
from finetune_prep.project.improving.runs import EditRun
from finetune_prep.statistics.improving.trial import Change, Trial
from finetune_prep.statistics.rates import Rate
from finetune_prep.workflow.improving.labelling import WANTED

BEGINS = {
    "kept": "Kept",
    "not shown": "Not shown, so not kept",
    "fits only what it was made from": "Refused",
    "gate worse": "Refused",
    "worse elsewhere": "Refused",
    "only the judge likes it": "Refused",
}


def upshot(found: Trial) -> str:
    """The sentence."""
    return f"{BEGINS[found.word]}: {_why(found)}."


def _why(found: Trial) -> str:
    match found.word:
        case "gate worse":
            return (
                f"the safety gate fails {_talks(len(found.gate.worse))} with the edit and not without it, by two readings each "
                f"({', '.join(found.gate.worse)}), and {len(found.gate.better)} the other way"
            )
        case "worse elsewhere":
            return f"with the edit, {', '.join(found.harmed)} {'is' if len(found.harmed) == 1 else 'are'} worse"
        case "fits only what it was made from":
            return (
                f"where the failure was seen, {_moved(found.question, found.seen)}; on scenarios that no diagnosis had seen, "
                f"{_audited(found)}"
            )
        case "only the judge likes it":
            return f"for the judge, {_audited(found)}; {_others(found)}"
        case "not shown" if found.audit is None:
            return f"even where the failure was seen, {_moved(found.question, found.seen)}; no other scenario was spent on it"
        case _:
            return f"on scenarios that no diagnosis had seen, {_audited(found)}"


def _audited(found: Trial) -> str:
    audit = found.audit
    if audit is None:
        return "nothing was asked"
    able = (
        f", and fewer than {100 * found.shows:.0f} points could not be shown" if found.word == "not shown" and found.shows else ""
    )
    return f"{_moved(found.question, audit)} ({_p(audit.p)}, {found.alpha:.3f} at most{able})"


def _p(p: float) -> str:
    return f"p = {p:.3f}" if p >= 0.0005 else "p < 0.001"


def _moved(question: str, change: Change) -> str:
    if not change.pairs:
        return f"{question} applied to nothing"
    return f"{question} became YES in {change.gained} of {change.pairs} and NO in {change.lost}"


def _others(found: Trial) -> str:
    said = []
    if found.second is not None and found.second.pairs:
        said.append(f"for another judge, {_moved(found.question, found.second)}")
    if found.labels is not None and found.labels.pairs:
        said.append(f"for people, {_moved(found.question, found.labels)}")
    return "; ".join(said)


def _talks(count: int) -> str:
    return f"{count} conversation{'' if count == 1 else 's'}"


def beside(found: Trial, run: EditRun, path: str) -> tuple[str, ...]:
    """What has to be known to read the sentence rightly. path: of the trial's folder in the project."""
    return tuple(_beside(found, run, path))


def _beside(found: Trial, run: EditRun, path: str) -> Iterator[str]:
    yield (
        f"Passed without the edit {_rate(found.before)}, with it {_rate(found.after)}; accepted as rows {found.accepted[0]} and "
        f"{found.accepted[1]}."
    )
    if found.gate.worse or found.gate.better:
        yield (
            f"The gate fails {_talks(len(found.gate.worse))} with the edit alone, {len(found.gate.better)} without it alone "
            f"(p = {found.gate.p:.2f}; it is refused at 0.20)."
        )
    if found.word == "kept" and found.check == "confirmed" and (others := _others(found)):
        yield f"Somebody else confirms it: {others}."
    if found.check == "could not be seen" and found.word == "kept":
        yield (
            "Whether replies are better, or only please the judge, could not be seen: name another judge as [roles.verifier] in "
            f"finetune-prep.toml before the next trial, or read {WANTED} of its conversations: finetune-prep improve --label"
        )
    if run.plan.cycles > 1:
        yield f"Trial {run.plan.cycle} of {run.plan.cycles} planned for {run.plan.source}, each on scenarios of its own."


def _rate(rate: Rate) -> str:
    return f"{rate.k} of {rate.n}"


def left_out(talks: tuple[EditTalk, ...]) -> str:
    """Talks that say nothing, "" for none."""
    count = sum(not talk.counts for talk in talks)
    return f"{_talks(count)} without a verdict: they count neither way, nor do the others about their scenarios." if count else ""
