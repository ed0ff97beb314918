"""Gates of the workflow: order of phases, probes, pilot, spot-check, scaling. They look at `Facts`, not into documents."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from finetune_prep.core.finding import Finding
from finetune_prep.core.sample import Account, Way
from finetune_prep.documents.kinds import KINDS
from finetune_prep.gates.premises import Unchecked
from finetune_prep.method import limits
from finetune_prep.method.phases import PHASES


class Bite(msgspec.Struct, frozen=True, kw_only=True):
    """What probes say of the judged questions of the safety gate."""

    words: dict[str, str]
    """By question: sees, half-sees, blind, not measured."""
    tried: dict[str, int] = {}
    """How many faults were planted for each, of those that count."""
    run: str
    """The folder of the probes, "" if there are none of the present rubric and judge."""
    rubric: str
    """The rubric's version."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What happened in a project, as far as gates look at it."""

    present: frozenset[str] = frozenset()
    """Kinds of documents that exist."""
    accepted: dict[str, str] = {}
    """Kinds whose present text a person has accepted, and who did."""
    pilot: Account | None = None
    """Account of the latest pilot, None if there was none."""
    pilot_path: str = "runs/pilot-001"
    """The pilot's folder."""
    way: Way = "turns"
    """How the project makes conversations now."""
    changed: tuple[str, ...] = ()
    """Kinds of documents that shaped the pilot and have changed since."""
    pilot_stale: tuple[str, ...] = ()
    """Why the pilot's figures no longer speak of the project, in words; none if they do."""
    reviewed: int = 0
    """Conversations of the pilot that a person has labelled."""
    settled: int = 0
    """Conversations that speak to the judge, and so have no verdict, which a person has labelled."""
    missed: tuple[str, ...] = ()
    """Failures that reviewers noted and no document holds yet."""
    scaled: Account | None = None
    """Account of the latest scaled run of the present documents, None if there is none."""
    scaled_path: str = "runs/scale-001"
    """Its folder."""
    scaled_stale: str = ""
    """The folder of the latest scaled run if that is of documents as they were before; "" if there is none."""
    scaled_reviewed: int = 0
    """Its conversations that a person has labelled."""
    audited: tuple[str, ...] | None = None
    """What an audit of its rows found that must be put right; None if they have not been audited as they are."""
    bite: Bite | None = None
    """What probes say of the safety gate, None if there is no rubric."""


def _pilot(facts: Facts) -> Account:
    if facts.pilot is None:
        raise Unchecked("no pilot has run; the next command is `finetune-prep pilot`")
    return facts.pilot


def phase_order(facts: Facts) -> Iterable[Finding]:
    """No document exists before the ones it is made from exist and, where that is asked for, are accepted."""
    for phase in PHASES:
        made = [kind for kind in phase.outputs if kind in facts.present and KINDS[kind].made_by == phase.name]
        for kind in made:
            path = KINDS[kind].path
            for missing in (needed for needed in phase.inputs if needed not in facts.present):
                yield Finding(
                    path=path,
                    line=0,
                    what=f"written before {KINDS[missing].path} exists",
                    fix=f"make that first: `finetune-prep {KINDS[missing].made_by or 'new'}`",
                )
            for waiting in (needed for needed in phase.accepted if needed in facts.present - set(facts.accepted)):
                yield Finding(
                    path=path,
                    line=0,
                    what=f"rests on {KINDS[waiting].path}, which nobody has accepted as it stands",
                    fix=f"read it and run `finetune-prep accept {waiting}`",
                )


def gate_probed(facts: Facts) -> Iterable[Finding]:
    """Faults were planted for every question of the safety gate, and none of them is blind."""
    bite = facts.bite
    if bite is None:
        raise Unchecked("there is no rubric yet; `finetune-prep rubric` makes it, and `finetune-prep probe` plants faults for it")
    for id in (id for id, word in bite.words.items() if word == "blind"):
        yield Finding(
            path=KINDS["evaluation-rubric"].path,
            line=0,
            what=f"{id} is blind: it saw none of {bite.tried.get(id, 0)} faults that were planted for it ({bite.run})",
            fix=f"sharpen {id}, accept the rubric, and run `finetune-prep probe` again",
            item=id,
        )
    if unmeasured := [id for id, word in bite.words.items() if word == "not measured"]:
        if len(unmeasured) == len(bite.words):
            said = "no safety question has been probed yet"
        else:
            said = f"{', '.join(unmeasured)} {'has' if len(unmeasured) == 1 else 'have'} not been probed yet"
        plants = "run `finetune-prep probe`, which plants faults to see whether they are caught"
        raise Unchecked(f"{said}; {plants}", about=f"{bite.rubric} {' '.join(unmeasured)}")


def pilot_size(facts: Facts) -> Iterable[Finding]:
    """The pilot planned enough scenarios."""
    pilot = _pilot(facts)
    if pilot.planned < limits.PILOT:
        yield Finding(
            path=facts.pilot_path,
            line=0,
            what=f"the pilot planned {pilot.planned} scenarios",
            fix=f"run `finetune-prep pilot -n {limits.PILOT}`: fewer prove little",
        )


def account_sums(facts: Facts) -> Iterable[Finding]:
    """Every planned scenario is in exactly one state."""
    for account, path in ((_pilot(facts), facts.pilot_path), (facts.scaled, facts.scaled_path)):
        if account is not None and sum(account.states.values()) != account.planned:
            yield Finding(
                path=path,
                line=0,
                what=f"{account.planned} scenarios were planned and {sum(account.states.values())} are accounted for",
                fix="run the same command again: it asks only for what is missing",
            )


def missing_is_not_no(facts: Facts) -> Iterable[Finding]:
    """No conversation is left without a verdict: a missing answer is neither yes nor no."""
    unjudged = _pilot(facts).unjudged - facts.settled
    if unjudged:
        yield Finding(
            path=facts.pilot_path,
            line=0,
            what=f"{unjudged} conversation{'s have' if unjudged > 1 else ' has'} no verdict, and missing is not NO",
            fix="run `finetune-prep pilot` again, or `finetune-prep review` for those that wait for a person",
        )


def pass_rate(facts: Facts) -> Iterable[Finding]:
    """Enough of the pilot passes, provider failures left out, faulty rows counted. What is flawed has passed."""
    pilot = _pilot(facts)
    passed = pilot.passed
    outstanding = pilot.outstanding + pilot.unjudged
    counted = pilot.counted + outstanding
    if facts.pilot_stale:
        why = "; ".join(facts.pilot_stale)
        raise Unchecked(f"{facts.pilot_path} is stale: {why}; `finetune-prep pilot` makes a new one", about=facts.pilot_path)
    if counted <= 0:
        raise Unchecked("the providers failed on every scenario; nothing can be said about the prompts")
    if passed + outstanding <= limits.PASS_RATE * counted:
        upshot = f" even if the {outstanding} outstanding passed" if outstanding else ""
        upshot += f"; it was stopped early, and {pilot.not_asked} were not asked" if pilot.not_asked else ""
        yield Finding(
            path=facts.pilot_path,
            line=0,
            what=f"{passed} of {counted} passed ({passed / counted:.0%}), not more than {limits.PASS_RATE:.0%}{upshot}",
            fix="see its report.html for the questions that fail most often, then strengthen the generation prompt",
        )
    elif outstanding:
        raise Unchecked(f"{outstanding} of {pilot.planned} scenarios are outstanding, {passed} passed so far")


def spot_check(facts: Facts) -> Iterable[Finding]:
    """A person has labelled enough conversations of the pilot."""
    _pilot(facts)
    if facts.reviewed < limits.SPOT_CHECK:
        yield Finding(
            path=facts.pilot_path,
            line=0,
            what=f"a person has read {facts.reviewed} conversations",
            fix=f"{limits.SPOT_CHECK - facts.reviewed} more have to be read and labelled by a person: run `finetune-prep review`",
        )


def missed_failures(facts: Facts) -> Iterable[Finding]:
    """No failure that a reviewer noted is still without a place in the documents. Nobody has noted any who has not looked."""
    _pilot(facts)
    for note in facts.missed:
        yield Finding(
            path=facts.pilot_path,
            line=0,
            what=f"a reviewer saw a failure that no document holds: “{note}”",
            fix="add it as a failure mode in these words, with anchor, question and guard, or waive this gate with a reason",
        )
    if not facts.reviewed:
        raise Unchecked(
            f"nobody has read {facts.pilot_path} for failures that the documents do not cover", about=facts.pilot_path
        )


def same_prompts(facts: Facts) -> Iterable[Finding]:
    """What is scaled runs with exactly the documents of the passed pilot."""
    if (pilot := _pilot(facts)).way != facts.way:
        yield Finding(
            path=facts.pilot_path,
            line=0,
            what=f"its conversations were made by the way {pilot.way}, and the project is set to {facts.way}",
            fix=f'set `way = "{pilot.way}"` under [pilot] in finetune-prep.toml, or run `finetune-prep pilot` again',
        )
    for kind in facts.changed:
        yield Finding(
            path=KINDS[kind].path,
            line=0,
            what=f"changed since {facts.pilot_path}",
            fix="run `finetune-prep pilot` again: its figures speak of the old text",
        )


def scale_checked(facts: Facts) -> Iterable[Finding]:
    """A person has labelled enough conversations of what was scaled, for the rows that it has."""
    if facts.scaled is None:
        return
    accepted = facts.scaled.states.get("accepted", 0)
    if facts.scaled_reviewed < (wanted := limits.to_label(accepted)):
        run = facts.scaled_path.rpartition("/")[2]
        yield Finding(
            path=facts.scaled_path,
            line=0,
            what=f"a person has labelled {facts.scaled_reviewed} of its conversations, and {accepted:,} rows ask for {wanted}",
            fix=f"run `finetune-prep review --run {run} -n {wanted}`",
        )


def scale_audited(facts: Facts) -> Iterable[Finding]:
    """The rows of what was scaled have been looked at together, and nothing must be put right."""
    if facts.scaled is None:
        return
    if facts.audited is None:
        raise Unchecked("its rows have not been audited as they are; `finetune-prep audit` does", about=facts.scaled_path)
    for what in facts.audited:
        yield Finding(
            path=facts.scaled_path, line=0, what=what, fix="`finetune-prep audit` names the rows; `drop` takes them out"
        )


def scale_size(facts: Facts) -> Iterable[Finding]:
    """As many accepted samples as training takes."""
    if facts.scaled is None:
        if facts.pilot is None:
            raise Unchecked("nothing has been scaled yet; a pilot has to pass first: `finetune-prep pilot`")
        if facts.scaled_stale:
            what = f"nothing has been scaled from the present documents: {facts.scaled_stale} was made before they changed"
            raise Unchecked(f"{what}; `finetune-prep scale` makes a new run once a new pilot has passed")
        raise Unchecked("nothing has been scaled yet; `finetune-prep scale` does it once the pilot has passed")
    accepted, (fewest, most) = facts.scaled.states.get("accepted", 0), limits.SCALE
    if not fewest <= accepted <= most:
        yield Finding(
            path=facts.scaled_path,
            line=0,
            what=f"{accepted:,} samples are accepted",
            fix=f"{fewest:,} to {most:,} are usual",
        )
