"""The dataset card: a README.md that says what is in the data, how it was made, how to train on it, what it cannot promise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from finetune_prep.core.sample import WAYS, Account
from finetune_prep.exports.manifest import Written, rows_in_words
from finetune_prep.exports.splits import Proof, in_words
from finetune_prep.exports.trainers import TRAINERS, Facts, filled
from finetune_prep.statistics.rates import Rate

SIZES = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M", 10_000_000: "1M<n<10M"}
LICENSE = "# license: choose one, and write it here; whoever publishes the rows decides, finetune-prep cannot"


class TrainingFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of rows, as the card tells of it."""

    written: Written
    config: str
    """The name by which a hub loads it."""
    shape: str
    """The form of the rows ("chat format")."""
    sidecar: str
    """The file that says of each row where it comes from."""
    facts: Facts
    """What the settings of trainers depend on."""


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """A model that answered under another name than it was asked by."""

    role: str
    asked: str
    served: str


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What a card says."""

    domain: str
    run: str
    files: Sequence[TrainingFile]
    rejected: str
    """The file of what was left out."""
    manifest: str
    preview: bool
    language: str
    account: Account
    rate: Rate
    """How many passed, of those planned without provider failures."""
    threshold: float
    models: Mapping[str, str]
    """Role → model."""
    served: Sequence[Served]
    texts: Mapping[str, str]
    """Document → hash of the text that was used."""
    accepted_by: Mapping[str, str]
    """Document → who accepted it."""
    overrides: Sequence[tuple[str, str]]
    """Gates that were waived, each with its reason."""
    figures: Sequence[str] = ()
    """What is said beside the rate, in sentences."""
    split: Proof | None = None
    """What was counted of the rows that are held back for validation; None if none are."""
    review: Sequence[str] = ()
    """What persons' labels of the run say, in sentences; empty if nobody has read any."""
    unmet: Sequence[str]
    """Success criteria that do not hold."""
    lengths: Sequence[str] = ()
    """What a tokenizer made of the rows, and what was cut out of them, in sentences."""

    @property
    def rows(self) -> int:
        return sum(file.written.rows for file in self.files)


def render(card: Card) -> str:
    """The card as Markdown with the metadata block that dataset hubs read."""
    sections = [
        f"---\n{LICENSE}\n{_metadata(card)}---",
        f"# {_line(card.domain)}{' (preview)' if card.preview else ''}",
        _opening(card),
        "## Account\n\n" + _account(card),
        "## How it was made\n\n" + _making(card),
        "## Training on it\n\n" + _training(card),
        "## What it cannot promise\n\n" + _limits(card),
    ]
    return "\n\n".join(sections) + "\n"


def _metadata(card: Card) -> str:
    """YAML in which every text is quoted: a Norwegian is no boolean, and a title may hold any character."""
    names = [*dict.fromkeys(file.config for file in card.files)]
    found: dict[str, Any] = {
        "language": [card.language],
        "pretty_name": _line(card.domain),
        "task_categories": ["text-generation"],
        "size_categories": [next((size for most, size in SIZES.items() if card.rows < most), "10M<n<100M")],
        "tags": ["synthetic", "conversational", *names, "finetune-prep"],
        "annotations_creators": ["machine-generated"],
        "source_datasets": ["original"],
        "configs": [_config(name, [file for file in card.files if file.config == name]) for name in names],
    }
    found["configs"][0]["default"] = True
    yaml, text = YAML(typ="rt", pure=True), StringIO()
    yaml.width = 10_000  # no line is broken
    yaml.dump(_quoted(found), text)
    return text.getvalue()


def _config(name: str, files: Sequence[TrainingFile]) -> dict[str, Any]:
    """Without it a hub would load every JSON file of the folder, one over the other."""
    return {"config_name": name, "data_files": [{"split": file.facts.of.side, "path": file.written.file} for file in files]}


def _quoted(value: object) -> object:
    if isinstance(value, str):
        return DoubleQuotedScalarString(value)
    if isinstance(value, list):
        return [_quoted(item) for item in value]
    return {name: _quoted(item) for name, item in value.items()} if isinstance(value, dict) else value


def _opening(card: Card) -> str:
    files = " and ".join(f"{file.written.rows} conversations in {file.shape} (`{file.written.file}`)" for file in card.files)
    text = (
        f"{files}, written by language models for scenarios drawn from a "
        f"scenario space, each judged against a binary rubric. {_passed(card)} From run `{card.run}`."
    )
    sidecars = " and ".join(f"`{file.sidecar}`" for file in card.files)
    says = "says" if len(card.files) == 1 else "say"
    text += (
        f"\n\n{sidecars} {says} of each row which scenario it is of and what it scored, `{card.rejected}` which planned "
        f"conversations are not in it and why, `{card.manifest}` which files belong together."
    )
    if not card.preview:
        return text
    unmet = "\n".join(f"- {criterion}" for criterion in card.unmet)
    return f"**This is a preview, not a training set.** What is still missing:\n\n{unmet}\n\n{text}"


def _passed(card: Card) -> str:
    """Which of them passed, file by file where some did not."""
    plain = [file for file in card.files if file.facts.of.passed == file.facts.of.rows]
    labelled = [
        f"Of those in `{file.written.file}`, {file.facts.of.passed} passed and have the label true, "
        f"{file.facts.of.rows - file.facts.of.passed} failed and have the label false."
        for file in card.files
        if file not in plain
    ]
    if not labelled:
        return "Only those that passed are in it."
    return " ".join([*(f"`{file.written.file}` has only those that passed." for file in plain), *labelled])


def _account(card: Card) -> str:
    rows = "\n".join(f"| {state} | {count} |" for state, count in card.account.in_words)
    parts = [
        "Every planned scenario is in exactly one state.",
        f"| state | scenarios |\n| --- | ---: |\n{rows}\n| planned | {card.account.planned} |",
    ]
    for file in card.files:
        parts.append(f"`{file.written.file}`: {rows_in_words(card.account.planned, file.written)}.")
    if card.split is not None:
        parts.append(in_words(card.split))
    rate = card.rate
    if rate.value is not None:
        interval = f"95% Wilson interval {rate.low:.0%} to {rate.high:.0%}"
        parts.append(
            f"{rate.k} of {rate.n} passed: {rate.value:.0%} ({interval}), according to the judge, at threshold "
            f"{card.threshold:g}; conversations {WAYS[card.account.way]}. How often the judge is right has not been measured."
        )
    if flawed := card.account.states.get("flawed", 0):
        one = flawed == 1
        parts.append(
            f"{flawed} of those that passed {'is' if one else 'are'} flawed: NO to a question that catches a serious failure. "
            f"{'It is' if one else 'They are'} in no training file."
        )
    if card.figures:
        parts.append(" ".join(card.figures))
    if card.review:
        parts.append(" ".join(card.review))
    return "\n\n".join(parts)


def _making(card: Card) -> str:
    both = "both sides of every conversation, in one call" if card.account.way == "one-call" else "every reply"
    wrote = {"user": "every user turn", "assistant": both, "judge": "every verdict", "verifier": "second verdicts"}
    models = "\n".join(f"| {role} | {_cell(model)} | {wrote.get(role, '')} |" for role, model in card.models.items())
    texts = "\n".join(
        f"| {kind} | `{text[:12]}` | {_cell(card.accepted_by.get(kind, 'not accepted'))} |" for kind, text in card.texts.items()
    )
    parts = [f"| role | model | wrote |\n| --- | --- | --- |\n{models}"]
    parts += [f"The {line.role} was asked for as {_line(line.asked)}, but {_line(line.served)} answered." for line in card.served]
    parts += [
        "Before you publish these rows, or a model trained on them, read the terms of the models above: some forbid training "
        "others on what they write, or ask to be named.",
        f"| document | text | accepted by |\n| --- | --- | --- |\n{texts}",
    ]
    if card.overrides:
        parts.append("Waived gates:\n\n" + "\n".join(f"- `{gate}`: {_line(because)}" for gate, because in card.overrides))
    return "\n\n".join(parts)


def _training(card: Card) -> str:
    parts = [
        "The smallest settings that train the replies and nothing else, run from this folder. `MODEL` is yours to fill in; the "
        "length is in bytes, so no row is cut: a token of a byte-level tokenizer stands for at least one byte."
    ]
    plain = []
    trained = [file for file in card.files if file.facts.of.side == "train"]
    for facts, trainer in ((file.facts, one) for file in trained for one in TRAINERS if one.form == file.written.form):
        few = f" It wants at least {trainer.fewest} rows." if facts.of.rows < trainer.fewest else ""
        beware = filled(trainer.beware, facts) + few
        if trainer.settings:
            parts += [f"**{trainer.name}**", f"```{trainer.language}\n{filled(trainer.settings, facts)}\n```", beware]
        else:
            plain.append(f"- **{trainer.name}**: {beware}")
    return "\n\n".join([*parts, *(["\n".join(plain)] if plain else []), *map(_line, card.lengths)])


def _line(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    """A text that ends neither its cell nor its row."""
    return _line(text).replace("|", "\\|")


def _limits(card: Card) -> str:
    limits = ["- Users and assistant are both simulated; real users will surprise a model trained on this."]
    if card.models.get("judge") == card.models.get("assistant"):
        limits.append("- The judge is the model that wrote the replies; such judges pass their own words too often.")
    limits.append("- A rubric catches what somebody thought of. Read some rows yourself.")
    return "\n".join(limits)
