"""Gates of the few-shots as a set: the trained model inherits whatever they have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations

from finetune_prep.core.finding import Finding
from finetune_prep.core.prompts import GenerationPrompt
from finetune_prep.core.rubric import Example
from finetune_prep.documents.document import Document
from finetune_prep.documents.kinds import Documents
from finetune_prep.gates.premises import need
from finetune_prep.method import limits
from finetune_prep.words import split_words

RUN = 3  # words by which two texts are compared
FEWEST_SHARED = 5  # runs; a set phrase alone makes no talk the same
ALIKE = 0.30  # of the runs of the shorter text; retellings with other names share more, independent talks next to none
EDGE = 3  # words of an opening or ending
HABIT = 0.35  # of the replies
FEWEST = 3  # replies that make a habit


def apart(documents: Documents) -> Iterable[Finding]:
    """No few-shot tells another one again with other names and figures."""
    document, prompt = need(documents, Documents.generation_prompt)
    runs = {example.id: _runs(example) for example in prompt.few_shots}
    for one, other in combinations(runs, 2):
        shorter = min(len(runs[one]), len(runs[other]))
        shared = len(runs[one] & runs[other])
        if shared >= FEWEST_SHARED and shared / shorter > ALIKE:
            yield document.finding(
                f"{other} shares {shared / shorter:.0%} of its runs of {RUN} words with {one}: it is the same talk again",
                "write another situation, another user, another course of the talk",
                other,
            )


def varied(documents: Documents) -> Iterable[Finding]:
    """No opening, ending or closing question recurs in the replies: it would become a habit."""
    document, prompt = need(documents, Documents.generation_prompt)
    replies = [
        (example.id, split_words(reply.casefold()))
        for example in prompt.few_shots
        for reply in example.conversation.spoken_by("assistant")
    ]
    for where, at in (("begin", slice(None, EDGE)), ("end", slice(-EDGE, None))):
        edges = Counter(tuple(words[at]) for _, words in replies if len(words) >= EDGE)
        for words, times in edges.items():
            if times >= FEWEST or (times > 1 and times > HABIT * len(replies)):
                holding = dict.fromkeys(id for id, spoken in replies if tuple(spoken[at]) == words)
                yield _habit(document, f"{times} of {len(replies)} replies {where} with “{' '.join(words)}”", [*holding])


def lengths(documents: Documents) -> Iterable[Finding]:
    """One few-shot is as long as the longest talks of the scenario space, or long enough to show how a talk goes on."""
    document, prompt = need(documents, Documents.generation_prompt)
    _, space = need(documents, Documents.space)
    longest = max((length.exchanges for length in space.lengths), default=1)
    wanted = min(longest, limits.LONG_FEW_SHOT)
    shown = max((_exchanges(example) for example in prompt.few_shots), default=wanted)
    if shown < wanted:
        yield document.finding(
            f"the longest few-shot has {shown} {'exchange' if shown == 1 else 'exchanges'}, and talks have up to {longest}",
            f"let one have {wanted} at least: who has seen short talks only does not know how to carry on a long one",
            "few-shot examples",
        )


def _habit(document: Document[GenerationPrompt], what: str, ids: list[str]) -> Finding:
    return document.finding(
        f"{what} ({', '.join(ids)}): the trained model would do so everywhere",
        "let the others do something else there (the answer, a step, a word about what happened); don't just turn words round",
        ids[-1],
    )


def _exchanges(example: Example) -> int:
    return len(example.conversation.messages) // 2


def _runs(example: Example) -> set[tuple[str, ...]]:
    return set(_of(example))


def _of(example: Example) -> Iterator[tuple[str, ...]]:
    for message in example.conversation.messages:
        words = split_words(message.content.casefold())
        yield from (tuple(words[at : at + RUN]) for at in range(len(words) - RUN + 1))
