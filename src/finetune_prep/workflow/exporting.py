"""From accepted samples to training data: a preview now, the full export when every success criterion holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

import msgspec

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.finding import Outcome
from finetune_prep.core.sample import Account
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.documents.readings.readings import text_hash
from finetune_prep.durable import Together
from finetune_prep.errors import ActNeeded, UsageError
from finetune_prep.exports import card, dataset
from finetune_prep.exports.dataset import with_system_prompt
from finetune_prep.exports.figures import each_row, in_sentences, run_figures
from finetune_prep.exports.formats import DEFAULT, FORMATS, Format, held_back, preview_of
from finetune_prep.exports.kto import LONGER
from finetune_prep.exports.lengths import slices as cutting
from finetune_prep.exports.lengths import tokens as counting
from finetune_prep.exports.lengths.slices import Slices
from finetune_prep.exports.lengths.tokens import TokenCount
from finetune_prep.exports.manifest import (
    MANIFEST,
    REJECTED,
    Manifest,
    Written,
    encoded,
    fewer_in_words,
    in_words,
    read_manifest,
)
from finetune_prep.exports.splits import Proof, Split, split_of
from finetune_prep.exports.trainers import DATASET_INFO, Facts, dataset_info, wanting
from finetune_prep.exports.traps import TRAPS, trap_in
from finetune_prep.gates import success_criteria
from finetune_prep.ledger.protocols import Consumption
from finetune_prep.phases.pilot.plan import KIND, prepared
from finetune_prep.project.project import Project
from finetune_prep.project.runs import SCALE, Run, require_run, runs
from finetune_prep.project.scaling.result import cells_in_words, missing_in_words
from finetune_prep.statistics.rates import Rate
from finetune_prep.workflow.checking import GATE, LEVELS, outcomes, overrides_in_force
from finetune_prep.workflow.looking import looked
from finetune_prep.workflow.reviewing.counting import Reviewed, failures, proof, require_all_labels, reviewed
from finetune_prep.workflow.reviewing.due import due
from finetune_prep.workflow.status.overview import overview
from finetune_prep.workflow.status.standing import pass_rate, run_view
from finetune_prep.workflow.status.written import source_of
from finetune_prep.workflow.texts.first_brief import title_of

SHOWN = 5  # ids of rows in a warning; rejected.jsonl has them all


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """What was exported."""

    run: str
    rows: int
    """Number of rows in `data`."""
    data: Path
    """The training file; of several formats the first."""
    files: tuple[Written, ...]
    """Every training file, with what is not in it and why."""
    card: Path
    manifest: Path
    rejected: Path
    """What was left out, a line each, for people."""
    rate: Rate
    account: str
    """Every planned scenario by its state, in words."""
    split: Proof | None
    """Which rows are held back for validation, and what was counted of both sides; None if none are."""
    warnings: tuple[str, ...]
    """What trainers would stumble over: rows that were kept out, and trainers that want more of them."""
    tokens: tuple[TokenCount, ...] = ()
    """What a tokenizer made of each file in chat format, if one was asked."""
    slices: tuple[Slices, ...] = ()
    """What was cut out of each file in chat format, if that was asked for."""
    measures: tuple[dataset.Measures, ...] = ()
    """Of each of `files`."""
    removed: tuple[str, ...] = ()
    """Files of an earlier export that this one did not write, and that no longer fit to it."""


class Lengths(msgspec.Struct, frozen=True, kw_only=True):
    """What is done about the lengths of rows."""

    tokenizer: str = ""
    """Counts tokens and what of them is trained: a folder, or a name of the hub; "" = nothing is counted."""
    slices: int = 0
    """Talks are also written as slices of at most so many tokens; 0 = they are not."""


AS_THEY_ARE = Lengths()


def export(
    project: Project,
    *,
    preview: bool = False,
    run: str = "",
    formats: Sequence[str] = (DEFAULT,),
    validation: float = 0.0,
    lengths: Lengths = AS_THEY_ARE,
) -> Exported:
    """Write what a run brought in formats of `FORMATS`, with card, sidecars and manifest.

    run: its name; otherwise the latest scaled run, or, while there is none, the latest pilot. validation: share of the rows that
    are held back, 0 to 1, by whole families. lengths: what is done about the lengths of rows.

    All files of an earlier export are replaced together, or none. Raises ActNeeded if there is no pilot of the present
    documents, if no row can be trained, or, without `preview`, while a success criterion is unmet; and for rows of which a
    tokenizer's template marks nothing.
    """
    prepared(project, "the export")
    chosen, account = finished_run(project, run)
    said = reviewed(project, chosen)
    require_all_labels(project)
    waits = chosen.plan.kind != SCALE and account.outstanding  # a pilot is a sample: half of one tells something else
    if waits or not account.states["accepted"]:
        open_rows = f"{account.outstanding} of {account.planned} scenarios are outstanding" if account.outstanding else ""
        raise ActNeeded(
            f"{chosen.name} gives no rows to export: {open_rows or 'nothing was accepted'}",
            next=chosen.plan.command if account.outstanding else "finetune-prep show, to see why",
        )
    unmet = require_met(project, preview=preview)
    forms = [FORMATS[name] for name in formats]
    kept_out = {*failures(project), *project.dropped()}
    parted = split_of(chosen, kept_out, validation) if validation else (None, None)
    done = _written(project, chosen, account, said, forms, parted, lengths, preview=preview, unmet=unmet)
    later = () if run or chosen.plan.kind == SCALE else unfinished_after(project, chosen)
    told = [*(_not_this(other, chosen) for other in later), *missing_in_words(chosen, account)]
    return msgspec.structs.replace(done, warnings=(*told, *done.warnings))


def _not_this(other: Run, chosen: Run) -> str:
    """What is said of a later pilot that has not come to its end."""
    return f"{other.name} of {other.plan.n} is unfinished: these rows are of {chosen.name}, of {chosen.plan.n}"


def _written(
    project: Project,
    run: Run,
    account: Account,
    said: Reviewed,
    forms: Sequence[Format],
    parted: tuple[Split | None, Proof | None],
    lengths: Lengths,
    *,
    preview: bool,
    unmet: tuple[str, ...],
) -> Exported:
    system = project.value(Documents.system_prompt).text
    _check_system_prompt(project, system)
    folder = project.layout.dataset
    before = read_manifest(folder / (preview_of(MANIFEST) if preview else MANIFEST))
    beside = preview and any((folder / form.file).exists() for form in FORMATS.values())  # the full set's card stays
    readme, info = ("README.preview.md", preview_of(DATASET_INFO)) if beside else ("README.md", DATASET_INFO)
    manifest, rejected = (preview_of(name) if preview else name for name in (MANIFEST, REJECTED))
    with Together(folder) as files:
        gaps = project.config.export.show_gaps
        rows = dataset.write(
            files, run.each_sample(), system, forms, failed=failures(project), dropped=project.dropped(), split=parted[0],
            show_gaps=gaps, preview=preview,
        )  # fmt: skip
        _check_account(run, account, rows)
        _check_labels(run, rows, preview=preview)
        tokens, slices = _measured(files, rows, lengths)
        rows = msgspec.structs.replace(
            rows, files=(*rows.files, *(written for one in slices for written in (one.written, one.beside)))
        )
        about = _card(project, run, account, said, rows, forms, parted[1], preview=preview, unmet=unmet, info=info)
        about = msgspec.structs.replace(about, lengths=(*map(counting.in_words, tokens), *map(cutting.in_words, slices)))
        files.put(manifest, encoded(_manifest(project, run, rows, about)))
        files.put(readme, card.render(about).encode())
        gone = _names(preview=preview) - {written.file for written in rows.files}
        if registry := dataset_info(title_of(project), rows.training):
            files.put(info, registry)
        gone = gone if registry else {*gone, info}
        removed = tuple(sorted(name for name in gone if (folder / name).exists()))
        files.commit(gone=gone)
    return Exported(
        run=run.name,
        rows=rows.training[0].rows,
        data=folder / rows.training[0].file,
        files=rows.training,
        card=folder / readme,
        manifest=folder / manifest,
        rejected=folder / rejected,
        rate=pass_rate(account),
        account=in_words(account.planned, account.states),
        split=parted[1],
        warnings=(*fewer_in_words(before, run.name, rows.training), *_warnings(rows)),
        tokens=tokens,
        slices=slices,
        measures=rows.measures,
        removed=removed,
    )


def _measured(files: Together, rows: dataset.Rows, lengths: Lengths) -> tuple[tuple[TokenCount, ...], tuple[Slices, ...]]:
    """What a tokenizer says of the files in chat format, and slices of them. Raises as `counting.count`."""
    chats = [written for written in rows.training if written.form == DEFAULT]
    if not (lengths.tokenizer or lengths.slices):
        return (), ()
    if not chats:
        raise UsageError("tokens are counted, and conversations cut, in chat format only", next=f"add --format {DEFAULT}")
    name = lengths.tokenizer
    tokenizer = counting.open_tokenizer(name) if name else None
    paths = {written.file: files.finish(written.file) for written in chats}
    tokens = tuple(counting.count(path, file, name, tokenizer) for file, path in paths.items()) if tokenizer else ()

    if not lengths.slices:
        return tokens, ()
    length = partial(counting.length_of, tokenizer, name=name) if tokenizer else None
    cut = tuple(cutting.write(files, path, file, lengths.slices, length) for file, path in paths.items())
    if empty := next((one for one in cut if not one.written.rows), None):
        less = "" if tokenizer else ", or count with a tokenizer (--check): a token has several bytes"
        raise ActNeeded(
            f"no conversation fits into {lengths.slices} tokens, not even its first slice",
            where=empty.written.file,
            next=f"nothing was replaced; give a larger limit{less}",
        )
    return tokens, cut


def _check_system_prompt(project: Project, system: str) -> None:
    """A trap in it would be one in every row. Raises ActNeeded."""
    harmless = Conversation((Message("user", "What?"), Message("assistant", "That.")))
    if trap := trap_in(with_system_prompt(harmless, system).messages):
        where = project.layout.relative(project.layout.document("system-prompt"))
        raise ActNeeded(
            f"every row would begin with {trap.name}: {trap.does}",
            where=where,
            next=f"take it out of {where}, and accept it again",
        )


def _check_account(run: Run, account: Account, rows: dataset.Rows) -> None:
    """Raises UsageError if a training file does not account for every planned scenario, ActNeeded if one has no row."""
    for written in rows.training:
        counted = written.rows + sum(written.left_out.values())
        if counted != account.planned:
            raise UsageError(
                f"{run.name} has planned {account.planned} scenarios, and its samples are {counted}",
                where=f"{run.name}/{run.samples_path.name}",
                next=f"{run.plan.command}, which writes them anew",
            )
        if not written.rows:
            raise ActNeeded(f"{run.name} gives no rows to export: {_why_none(written, rows)}", next="finetune-prep show")


def _check_labels(run: Run, rows: dataset.Rows, *, preview: bool) -> None:
    """Raises ActNeeded if a file that is learnt from by comparison has nothing to compare."""
    for written, of in zip(rows.training, rows.measures, strict=True):
        if written.form == "kto" and of.passed in (0, of.rows):
            raise ActNeeded(
                f"all {of.rows} rows of {run.name} have the label {'true' if of.passed else 'false'}; the kto format needs both",
                next=f"finetune-prep export --format messages{' --preview' if preview else ''}",
            )


def _why_none(written: Written, rows: dataset.Rows) -> str:
    if {*rows.held_back} == {dataset.FAILED}:
        return "a person failed all that the judge accepted"
    return ", ".join(f"{count} {why}" for why, count in written.left_out.items())


def _failed_by_people(rows: int) -> tuple[str, ...]:
    if not rows:
        return ()
    return (
        f"{rows} accepted by the judge {'is' if rows == 1 else 'are'} left out: a person failed {'it' if rows == 1 else 'them'}.",
    )


def _warnings(rows: dataset.Rows) -> Iterator[str]:
    does = {trap.name: trap.does for trap in TRAPS}
    for name, scenarios in rows.held_back.items():
        shown = ", ".join(scenarios[:SHOWN]) + (", …" if len(scenarios) > SHOWN else "")
        why = f" ({does[name]})" if name in does else ""
        row, were = ("row", "was") if len(scenarios) == 1 else ("rows", "were")
        if name == LONGER:
            yield f"{len(scenarios)} accepted {row} {name} {were} kept out: {shown}"
        else:
            yield f"{len(scenarios)} accepted {row} {were} kept out: {name}{why}: {shown}"
    for written, of in zip(rows.training, rows.measures, strict=True):
        if of.side == "train" and (few := wanting(written.form, written.rows)):
            wanted = ", ".join(f"{trainer.name} {trainer.fewest}" for trainer in few)
            yield f"{written.file} has {written.rows} rows; some trainers want more: {wanted}"


def _names(*, preview: bool) -> set[str]:
    """Every training file and sidecar that an export may write."""
    every = [one for form in FORMATS.values() for one in (form, held_back(form))]
    names = {name for form in every for name in (form.file, form.sidecar)}
    chats = (FORMATS[DEFAULT], held_back(FORMATS[DEFAULT]))
    sliced = {name for form in chats for name in cutting.names(form.file, preview=preview)}
    return ({preview_of(name) for name in names} if preview else names) | sliced


class Unmet(msgspec.Struct, frozen=True, kw_only=True):
    """A success criterion that does not hold, or a gate that is in none of them."""

    sentence: str
    """What would hold."""
    gates: tuple[Outcome, ...]
    """Those that do not hold, by which it can be looked up or waived."""

    def __str__(self) -> str:
        return f"{self.sentence}  [{', '.join(f'{outcome.gate} {outcome.answer}' for outcome in self.gates)}]"

    @property
    def why(self) -> str:
        """What stands in the way first."""
        found = [str(finding) for outcome in self.gates for finding in outcome.findings]
        return (found or [outcome.note for outcome in self.gates if outcome.note] or [""])[0]


def require_met(project: Project, *, preview: bool, command: str = "finetune-prep export --preview") -> tuple[str, ...]:
    """What is unmet, for a preview. Raises ActNeeded for anything unmet if it is none. command: writes the preview."""
    unmet = _unmet(project)
    if unmet and not preview:
        one = len(unmet) == 1
        said = [line for found in unmet for line in (f"  - not met: {found}", f"      {found.why}") if line.strip()]
        raise ActNeeded(
            f"{len(unmet)} condition{'' if one else 's'} of a full export {'is' if one else 'are'} not met yet",
            details=(*said, f"  to look at the data as it is: {command}"),
            next=_leads_on(project),
        )
    return tuple(map(str, unmet))


def _leads_on(project: Project) -> str:
    """The command after which less is unmet; what only shows something is none."""
    step = overview(project).next
    if not step.startswith(("finetune-prep export", "finetune-prep show")):
        return step
    reading = due(project)
    return reading.command if reading and reading.waited_for else "finetune-prep status"


def _unmet(project: Project) -> list[Unmet]:
    """Success criteria that do not hold, and gates that must and are in none of them: of the workflow, or unchecked."""
    found = outcomes(project)
    criteria = success_criteria(found)
    told = {gate for criterion in criteria for gate in criterion.gates}
    open_gates = [
        outcome for outcome in found if LEVELS[outcome.gate] == "must" and outcome.answer not in ("holds", "overridden")
    ]
    unmet = [
        Unmet(sentence=criterion.sentence, gates=tuple(outcome for outcome in open_gates if outcome.gate in criterion.gates))
        for criterion in criteria
        if not criterion.met
    ]
    beside = [outcome for outcome in open_gates if outcome.gate not in told]
    return [*unmet, *(Unmet(sentence=GATE[outcome.gate].sentence, gates=(outcome,)) for outcome in beside)]


def finished_run(project: Project, name: str = "") -> tuple[Run, Account]:
    """The run of this name; otherwise the latest scaled one of the present documents that holds rows, or else the latest pilot.

    Raises as `finished_pilot`.
    """
    if name:
        require_run(project.layout, name)
    if name.startswith(SCALE) or not name:
        scaled = [run for run in runs(project.layout, SCALE) if name in ("", run.name) and not run_view(project, run).stale]
        for run in reversed(scaled):
            account = run.account()
            if account is not None and (name or account.states["accepted"]):
                return run, account
        if name:
            raise _unusable(project, name) or ActNeeded(f"{name} holds no rows yet", next="finetune-prep status")
    return finished_pilot(project, name)


def finished_pilot(project: Project, name: str = "") -> tuple[Run, Account]:
    """The pilot of this name, or the latest that has come to its end, made from the present documents.

    Raises ActNeeded if there is none, or it has not come to its end, and UsageError for a name that no run has.
    """
    if name:
        require_run(project.layout, name)
    fresh = [run for run in runs(project.layout, "pilot") if name in ("", run.name) and not run_view(project, run).stale]
    if not fresh:
        raise _unusable(project, name) or ActNeeded("there is no pilot of the present documents", next="finetune-prep pilot")
    accounts = [(run, run.account()) for run in fresh]
    ended = [(run, account) for run, account in accounts if account is not None and not account.outstanding]
    run, account = ended[-1] if ended else accounts[-1]
    if account is None:
        raise ActNeeded(f"{run.name} is unfinished", next=run.plan.command)
    return run, account


def _unusable(project: Project, name: str) -> ActNeeded | None:
    """What is said of a run that somebody names and that is of other documents or models; None of every other one."""
    stale = next((view.stale for run in runs(project.layout) if run.name == name and (view := run_view(project, run))), ())
    return ActNeeded(f"{name} is stale: {'; '.join(stale)}", next="finetune-prep status") if stale else None


def unfinished_after(project: Project, run: Run) -> tuple[Run, ...]:
    """Later pilots of the present documents that have not come to their end: what is exported is not theirs."""
    later = [found for found in runs(project.layout, KIND) if found.name > run.name and not run_view(project, found).stale]
    return tuple(found for found in later if (account := found.account()) is None or account.outstanding)


def _card(
    project: Project, run: Run, account: Account, said: Reviewed, rows: dataset.Rows, forms: Sequence[Format],
    split: Proof | None, *,
    preview: bool, unmet: tuple[str, ...], info: str,
) -> card.Card:  # fmt: skip
    rubric = project.value(Documents.rubric)
    texts = {kind: text_hash(project.sound(KINDS[kind]).text) for kind in run.plan.made_from}
    acceptances = {kind: project.acceptance(kind) for kind in texts}
    named = preview_of if preview else str
    return card.Card(
        domain=title_of(project),
        run=run.name,
        files=[
            card.TrainingFile(
                written=written,
                config=form.config,
                shape=form.shape,
                sidecar=named(form.sidecar),
                facts=Facts(title_of(project), written.file, info, of),
            )
            for written, form, of in zip(rows.training, _of_both_sides(forms, rows), rows.measures, strict=True)
        ],
        rejected=named(REJECTED),
        manifest=named(MANIFEST),
        preview=preview,
        language=project.value(Documents.brief).language,
        account=account,
        rate=pass_rate(account),
        figures=(*cells_in_words(run), *in_sentences(run_figures(project, each_row(run)))),
        split=split,
        review=(*proof(said), *_failed_by_people(len(rows.held_back.get(dataset.FAILED, ())))),
        threshold=rubric.threshold,
        models={role: run.plan.models[role]["model"] for role in run.plan.models},
        served=served(run, looked(project, lambda ledger: ledger.reports.tokens_used(), ())),
        texts=texts,
        accepted_by={
            kind: f"{decision.by}{'' if decision.interactive else ' (not interactive)'}"
            for kind, decision in acceptances.items()
            if decision
        },
        overrides=[(decision.gate, decision.because) for decision in overrides_in_force(project)],
        unmet=unmet,
    )


def _of_both_sides(forms: Sequence[Format], rows: dataset.Rows) -> list[Format]:
    """The format of each training file."""
    return [*forms, *map(held_back, forms)] if len(rows.training) > len(forms) else [*forms]


def served(run: Run, used: Iterable[Consumption]) -> list[card.Served]:
    """Models of the run that answered under another name than they were asked by. used: what the ledger counts."""
    found = {
        (line.role, line.model, line.served)
        for line in used
        if line.phase == KIND and line.role in run.plan.models and line.model == run.plan.models[line.role]["model"]
        and line.served not in ("", line.model)
    }  # fmt: skip
    return [card.Served(role=role, asked=asked, served=served) for role, asked, served in sorted(found)]


def _manifest(project: Project, run: Run, rows: dataset.Rows, about: card.Card) -> Manifest:
    account = about.account
    spent = looked(project, lambda ledger: ledger.reports.time_spent(), ())
    times = next(((line.first, line.last) for line in spent if line.phase == KIND), ("", ""))
    return Manifest(
        preview=about.preview,
        source=source_of(project, run),
        planned=account.planned,
        states={state: count for state, count in account.states.items() if count},
        account=in_words(account.planned, account.states),
        rubric=project.value(Documents.rubric).version,
        documents=dict(about.texts),
        prompts=run.plan.prompts,
        models=dict(about.models),
        first_answer=times[0],
        last_answer=times[1],
        files=rows.files,
        split=about.split,
    )
