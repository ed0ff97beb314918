"""The dataset card: a README.md that says what is in the data, how it came about, and what it cannot promise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from finetune_prep.core.sample import Account
from finetune_prep.statistics.rates import Rate


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What a card says."""

    domain: str
    run: str
    rows: int
    file: str
    shape: str
    """The form of the rows ("chat format")."""
    preview: bool
    language: str
    account: Account
    rate: Rate
    """How many were accepted, of those planned without provider failures."""
    threshold: float
    models: Mapping[str, str]
    """Role → model."""
    texts: Mapping[str, str]
    """Document → hash of the text that was used."""
    accepted_by: Mapping[str, str]
    """Document → who accepted it."""
    overrides: Sequence[tuple[str, str]]
    """Gates that were overridden, each with its reason."""
    review: Sequence[str] = ()
    """What persons' labels of the run say, in sentences; empty if nobody has read any."""
    unmet: Sequence[str]
    """Success criteria that do not hold."""


def render(card: Card) -> str:
    """The card as Markdown with the metadata block that dataset hubs read."""
    sections = [
        f'---\nlanguage:\n- "{card.language}"\ntask_categories:\n- text-generation\ntags:\n- synthetic\n- finetune-prep\n---',
        f"# {_line(card.domain)}{' (preview)' if card.preview else ''}",
        _opening(card),
        "## Account\n\n" + _account(card),
        "## How it was made\n\n" + _making(card),
        "## What it cannot promise\n\n" + _limits(card),
    ]
    return "\n\n".join(sections) + "\n"


def _opening(card: Card) -> str:
    text = (
        f"{card.rows} conversations in {card.shape} (`{card.file}`), written by language models for scenarios drawn from a "
        f"scenario space, each judged against a binary rubric; only those that passed are in it. From run `{card.run}`."
    )
    if not card.preview:
        return text
    unmet = "\n".join(f"- {criterion}" for criterion in card.unmet)
    return f"**This is a preview, not a training set.** What is still missing:\n\n{unmet}\n\n{text}"


def _account(card: Card) -> str:
    rows = "\n".join(f"| {state} | {count} |" for state, count in card.account.states.items() if count)
    parts = [
        "Every planned scenario is in exactly one state.",
        f"| state | scenarios |\n| --- | ---: |\n{rows}\n| planned | {card.account.planned} |",
    ]
    rate = card.rate
    if rate.value is not None:
        interval = f"95% Wilson interval {rate.low:.0%} to {rate.high:.0%}"
        parts.append(
            f"{rate.k} of {rate.n} passed: {rate.value:.0%} ({interval}), according to the judge, at threshold "
            f"{card.threshold:g}. How often the judge is right has not been measured."
        )
    if card.review:
        parts.append(" ".join(card.review))
    return "\n\n".join(parts)


def _making(card: Card) -> str:
    models = "\n".join(f"| {role} | {_cell(model)} |" for role, model in card.models.items())
    texts = "\n".join(
        f"| {kind} | `{text[:12]}` | {_cell(card.accepted_by.get(kind, 'not accepted'))} |" for kind, text in card.texts.items()
    )
    parts = [
        f"| role | model |\n| --- | --- |\n{models}",
        f"| document | text | accepted by |\n| --- | --- | --- |\n{texts}",
    ]
    if card.overrides:
        parts.append("Overridden gates:\n\n" + "\n".join(f"- `{gate}`: {_line(because)}" for gate, because in card.overrides))
    return "\n\n".join(parts)


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
