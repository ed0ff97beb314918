"""What a tokenizer makes of the rows of a training file: how many tokens they have, and how many of these are trained.

Trained is what the tokenizer's chat template marks as the assistant's (`{% generation %}`). Stock templates of several families
mark nothing, and whoever trusts the mask then trains nothing, without a word. Of the extra `tokenizers`; nothing else needs it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Protocol

import msgspec

from finetune_prep.errors import ActNeeded, UsageError

DECODED = 5  # rows whose trained tokens are shown as text
INSTALL = "pip install transformers"
LONGEST = 60  # characters of such words that are shown
SLOT = "--check"


class Tokenizer(Protocol):
    """What is used of a tokenizer of transformers."""

    def apply_chat_template(self, conversation: Any, **options: Any) -> Any: ...

    def decode(self, ids: Any, **options: Any) -> Any: ...


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """Of a figure over rows."""

    least: int
    median: float
    most: int


class TokenCount(msgspec.Struct, frozen=True, kw_only=True):
    """What a tokenizer made of a training file."""

    file: str
    tokenizer: str
    rows: int
    total: Spread
    """Tokens of a row."""
    trained: Spread
    """Tokens of a row that the template marks as the assistant's."""
    share: float
    """Of all tokens, 0 to 1."""
    decoded: tuple[str, ...]
    """The trained tokens of the first rows, as text."""
    more: int
    """Rows in which other words are trained than the replies: a template may put an empty thought before each."""
    more_words: str
    """Such words of the first of these rows, "" for none."""
    less: int
    """Rows of which some reply is not trained, or not all of it."""


def open_tokenizer(name: str) -> Tokenizer:
    """The tokenizer of a folder or of a hub. Raises UsageError if transformers is not installed, or there is no such one."""
    try:
        from transformers import AutoTokenizer  # heavy, of an extra
    except ImportError as error:
        raise UsageError("counting tokens needs the package transformers", where=SLOT, next=INSTALL) from error
    logging.getLogger("transformers").setLevel(logging.ERROR)  # what it would warn of is told in sentences
    try:
        found: Any = AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise UsageError(
            f"there is no tokenizer “{name}”: {_short(error)}",
            where=SLOT,
            next="name a folder with tokenizer_config.json, or a model on the Hugging Face Hub",
        ) from error
    if not getattr(found, "chat_template", None):
        what = f"the tokenizer “{name}” has no chat template, so it is not known how it would present a row"
        raise UsageError(what, where=SLOT, next="name the one of a chat model")
    tokenizer: Tokenizer = found
    return tokenizer


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def count(path: Path, file: str, name: str, tokenizer: Tokenizer) -> TokenCount:
    """What a tokenizer makes of a training file in chat format. file: its name in the dataset.

    Raises ActNeeded for a template that refuses the system prompt, and if any row has nothing that is trained.
    """
    totals, trained, decoded, nothing = [], [], list[str](), list[int]()
    more, less = list[str](), 0
    for number, messages in enumerate(_rows(path), start=1):
        ids, mask = _tokenized(tokenizer, messages, name)
        kept = [id for id, is_trained in zip(ids, mask, strict=True) if is_trained]
        totals.append(len(ids))
        trained.append(len(kept))
        if not kept:
            nothing.append(number)
        if len(decoded) < DECODED:
            decoded.append(str(tokenizer.decode(kept)))
        if kept:
            beyond, missing = _beside(str(tokenizer.decode(kept, skip_special_tokens=True)), messages)
            more += [beyond] if beyond else []
            less += missing
    if nothing:
        raise ActNeeded(
            f"{len(nothing)} of {len(totals)} rows have no token that is trained: the chat template of {name} does not mark "
            "replies with {% generation %}",
            where=f"{file}, row {nothing[0]}",
            next="nothing was replaced; give the trainer a template that marks them (TRL has its own for models that it knows), "
            "or use one that finds replies by itself (Unsloth, LLaMA-Factory, Axolotl)",
        )
    return TokenCount(
        file=file,
        tokenizer=name,
        rows=len(totals),
        total=_spread(totals),
        trained=_spread(trained),
        share=sum(trained) / sum(totals),
        decoded=tuple(decoded),
        more=len(more),
        more_words=more[0] if more else "",
        less=less,
    )


def _beside(text: str, messages: Sequence[dict[str, str]]) -> tuple[str, bool]:
    """What is trained beside the replies, and whether any of them is not trained. Spaces are no matter here."""
    rest, missing = "".join(text.split()), False
    for message in messages:
        if message["role"] == "assistant":
            reply = "".join(message["content"].split())
            missing |= reply not in rest
            rest = rest.replace(reply, "", 1)
    return rest[:LONGEST], missing


def length_of(tokenizer: Tokenizer, messages: Sequence[dict[str, str]], name: str) -> int:
    """Tokens of a row."""
    return len(_tokenized(tokenizer, messages, name)[0])


def _rows(path: Path) -> Iterator[list[dict[str, str]]]:
    with path.open("rb") as file:
        for line in file:
            yield json.loads(line)["messages"]


def _tokenized(tokenizer: Tokenizer, messages: Sequence[dict[str, str]], name: str) -> tuple[list[int], list[int]]:
    try:
        found = tokenizer.apply_chat_template([*messages], tokenize=True, return_dict=True, return_assistant_tokens_mask=True)
    except Exception as error:  # whatever a template raises: they are programs of strangers
        raise ActNeeded(
            f"the chat template of {name} cannot put these rows: {_short(error)}",
            where=SLOT,
            next="nothing was replaced; where it refuses a system prompt, choose another version of it, or another model",
        ) from error
    return list(found["input_ids"]), list(found["assistant_masks"])


def _spread(values: Sequence[int]) -> Spread:
    return Spread(least=min(values), median=median(values), most=max(values))


def in_words(found: TokenCount) -> str:
    """How long rows are and how much of them is trained, in sentences."""
    total, trained = found.total, found.trained
    odd = ""
    if found.more:
        train = "row also trains" if found.more == 1 else "rows also train"
        odd = f" {found.more} {train} words that are in no reply, such as “{found.more_words}”."
    odd += (
        f" {found.less} {'row does' if found.less == 1 else 'rows do'} not train all words of the replies." if found.less else ""
    )
    return (
        f"{found.file} with {found.tokenizer}: {found.share:.0%} of the tokens are trained. A row has {total.least} to "
        f"{total.most} tokens (median {total.median:g}), of which {trained.least} to {trained.most} are trained; `max_length` "
        f"has to be at least {total.most}.{odd}"
    )
