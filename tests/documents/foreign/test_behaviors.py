"""Lists of behaviours: whatever tells what is forbidden, no prohibition becomes an obligation, and doubt is said."""

from __future__ import annotations

import json

import pytest

from finetune_prep import documents
from finetune_prep.core.knowledge import Knowledge
from finetune_prep.documents.foreign.behaviors import draw_anchors
from finetune_prep.documents.foreign.drafting import Drawn
from finetune_prep.documents.foreign.rows import read_rows
from finetune_prep.documents.foreign.sides import is_label
from finetune_prep.documents.knowledge.anchors import ALWAYS, NEVER
from tests.effort import in_proportion


def imported(text: str, name: str = "a.md", unmarked: str = "") -> tuple[Drawn, list[str], list[str]]:
    """What was drawn, and the texts of both lists as they are read again."""
    found = draw_anchors(read_rows(text.encode(), name, is_label), name.partition(".")[0], unmarked)
    document = documents.parse("domain-frameworks", f"# x\n\n{found.text}", "x.md")
    value: Knowledge = document.value
    assert document.lost == 0
    return found, [anchor.text for anchor in value.always], [anchor.text for anchor in value.never]


TOLD = {
    "lines above lists": "Always:\n- ask for the number\nNever:\n- promise refunds\n- share data\n",
    "the same, with blank lines": "Always:\n\n- ask for the number\n\nNever:\n\n- promise refunds\n\n- share data\n",
    "bold lines": "**Do**\n- ask for the number\n\n**Don't**\n- promise refunds\n- share data\n",
    "short lines": "DO\n\n1. ask for the number\n\nDON’T\n\n1. promise refunds\n2. share data\n",
    "sentences": "The assistant must:\n- ask for the number\n\nThese are the things\nthat it must never do:\n- promise refunds\n- share data\n",
    "items with lists": "- Always:\n  - ask for the number\n- **Never**\n  - promise refunds\n  - share data\n",
    "items above items": "- Always:\n- ask for the number\n- Don't:\n- promise refunds\n- share data\n",
    "topics within": "# Shop\n\n## Do\n\n### Orders\n\n- ask for the number\n\n## Don'ts\n\n### Money\n\n- promise refunds\n\n### Data\n\n- share data\n",
    "a word in between": "## Always\n\n- ask for the number\n\n## Never\n\nThe law is strict here.\n\n- promise refunds\n\nAnd it goes on.\n\n- share data\n",
    "signs": "- ✅ ask for the number\n- ❌ promise refunds\n- 🚫 share data\n",
    "a question as heading": "## What must it always do?\n\n- ask for the number\n\n## What must never happen?\n\n- promise refunds\n- share data\n",
    "own ids": "- DO1: ask for the number\n- DONT1: promise refunds\n- Don't 2: share data\n",
    "words of their own": "# Rules\n\n- ask for the number\n- Never: promise refunds\n- You must not share data\n",
    "a table with a column each": "| Do | Don't |\n|---|---|\n| ask for the number | promise refunds |\n| | share data |\n",
    "a table by topic": "| Title | Do | Never |\n|---|---|---|\n| Money | ask for the number | promise refunds |\n| Data | | share data |\n",
    "a table below a line": "Always:\n\n| Rule |\n|---|\n| ask for the number |\n\nForbidden:\n\n| Rule |\n|---|\n| promise refunds |\n| share data |\n",
    "a table with marks": "| Behavior | Always | Never |\n|---|---|---|\n| ask for the number | x | |\n| promise refunds | | x |\n| share data | - | x |\n",
    "what is allowed": "## Always\n\n| Rule |\n|---|\n| ask for the number |\n\n## Data\n\n| Rule | Allowed |\n|---|---|\n"
                       "| promise refunds | no |\n| share data | no |\n",
    "a column without a name that is known": "| Rule | Verdict |\n|---|---|\n| ask for the number | Do |\n| promise refunds | Don't |\n| share data | Don't |\n",
    "German": "**Immer:**\n- ask for the number\n\n**Auf keinen Fall:**\n- promise refunds\n\n**Das darf der Assistent nicht:**\n- share data\n",
    "Spanish": "Siempre:\n- ask for the number\nNunca:\n- promise refunds\n- share data\n",
    "French": "## À faire\n\n- ask for the number\n\n## À ne jamais faire\n\n- promise refunds\n\n## Interdit\n\n- share data\n",
    "a quotation above a list": "> Always:\n\n- ask for the number\n\n> Never:\n\n- promise refunds\n- share data\n",
    "something in between": "Always:\n\n- ask for the number\n\nNever:\n\n```\nas in the handbook\n```\n\n- promise refunds\n- share data\n",
    "Chinese": "必须：\n- ask for the number\n禁止：\n- promise refunds\n- share data\n",
}  # fmt: skip
ASKS, FORBIDS = {"ask for the number"}, {"promise refunds", "share data"}


@pytest.mark.parametrize("text", TOLD.values(), ids=TOLD)
def test_every_shape_that_tells_what_is_forbidden(text: str) -> None:
    found, always, never = imported(text)
    assert ({one.casefold() for one in always}, {one.casefold() for one in never}) == (ASKS, FORBIDS)
    assert not found.doubtful


@pytest.mark.parametrize(
    "value",
    [
        {"always": ["ask for the number"], "never": ["promise refunds", "share data"]},
        {"title": "Shop", "do": ["ask for the number"], "dont": ["promise refunds", "share data"]},
        {"rules": [{"rule": "ask for the number", "type": "do"}], "never": ["promise refunds", "share data"]},
        {"always": {"name": "Orders", "rules": ["ask for the number"]}, "never": {"name": "Hard limits", "rules": ["promise refunds", "share data"]}},
        {"always": {"orders": ["ask for the number"]}, "forbidden": {"money": ["promise refunds"], "data": ["share data"]}},
        [{"rule": "ask for the number", "never": False, "list": "do"}, *({"rule": one, "never": True} for one in sorted(FORBIDS))],
        [{"do": "ask for the number", "dont": "promise refunds"}, {"dont": "share data"}],
        {"orders": {"do": ["ask for the number"], "dont": ["promise refunds"]}, "data": {"dont": ["share data"]}},
        {"do1": "ask for the number", "dont1": "promise refunds", "dont2": "share data"},
    ],
)  # fmt: skip
def test_every_shape_of_json_that_tells_what_is_forbidden(value: object) -> None:
    found, always, never = imported(json.dumps(value), "a.json")
    assert (set(always), set(never)) == (ASKS, FORBIDS)
    assert not found.doubtful


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("# What the assistant must never do\n\n- promise refunds\n- share data\n", "a.md"),
        ("- promise refunds\n- share data\n", "never.txt"),
        ("Never\npromise refunds\nshare data\n", "a.csv"),
        ('{"name": "Prohibitions", "rules": ["promise refunds", "share data"]}', "a.json"),
    ],
)
def test_a_whole_file_of_prohibitions(text: str, name: str) -> None:
    _, always, never = imported(text, name)
    assert (set(always), set(never)) == (set(), FORBIDS)


DOUBTFUL = {
    "an unknown language": ("Igazán:\n- kérdezz\n\nSohasem:\n- ígérj\n", [("Igazán:", 1), ("Sohasem:", 1)]),
    "a topic": ("## Always\n\n- ask\n\n## Refunds\n\n- promise them\n- Never guess\n", [("Refunds", 1)]),
    "both": ("## Do's and Don'ts\n\n- ask\n- promise refunds\n", [("Do's and Don'ts", 2)]),
    "a condition": ("When customers don't answer:\n- ask again\n", [("When customers don't answer:", 1)]),
    "a kind": ("| Rule | Kind |\n|---|---|\n| ask | A |\n| promise refunds | B |\n", [("A", 1), ("B", 1)]),
    "what is permitted": ("| Rule | Allowed |\n|---|---|\n| ask | yes |\n", [("Allowed: yes", 1)]),
    "a mark that says no": ("| Rule | Do |\n|---|---|\n| ask | yes |\n| promise refunds | no |\n", [("Do: no", 1)]),
    "a sentence about something else": ("Our shop never closes.\n\n- ask\n", [("Our shop never closes.", 1)]),
    "a rule right above a list": ("Never: promise refunds\n\n- ask\n", [("Never: promise refunds", 1)]),
    "a title": ("# Sohasem\n\n- ígérj\n", [("Sohasem", 1)]),
}


@pytest.mark.parametrize(("text", "doubtful"), DOUBTFUL.values(), ids=DOUBTFUL)
def test_what_tells_nothing_is_in_doubt_until_a_person_says_it(text: str, doubtful: list[tuple[str, int]]) -> None:
    found, *_ = imported(text)
    assert [*found.doubtful] == doubtful
    number = sum(count for _, count in doubtful)
    found, always, never = imported(text, unmarked=NEVER)
    assert not found.doubtful
    assert len(never) >= number
    found, more, fewer = imported(text, unmarked=ALWAYS)
    assert (len(more) - len(always), len(never) - len(fewer)) == (number, number)


@pytest.mark.parametrize(
    "text", ["- ask\n- Never guess\n", "# Rules of conduct\n\nThese are our rules:\n\n- ask\n- Never guess\n"]
)
def test_a_plain_list_of_rules_is_what_its_sentences_say(text: str) -> None:
    found, always, never = imported(text)
    assert (always, never) == (["ask"], ["Guess"])
    assert not found.doubtful
    assert any(placed.column == "2 rows under no list" for placed in found.placed)


def test_it_is_told_what_was_read_as_which_list() -> None:
    found, *_ = imported(TOLD["lines above lists"])
    assert [(placed.column, placed.became) for placed in found.placed][1:] == [
        ("“Always:” (1)", "Always do"),
        ("“Never:” (2)", "Never do"),
    ]


def test_an_item_that_ends_with_a_colon_is_one_rule_with_what_stands_below_it() -> None:
    _, always, never = imported("## Always\n\n- Greet them:\n  - by name\n  - politely\n\n## Never\n\n- promise:\n  - refunds\n")
    assert (always, never) == (["Greet them: by name; politely"], ["promise: refunds"])


def test_a_paragraph_that_forbids_is_named_as_left_out() -> None:
    found, *_ = imported(
        "# Rules\n\nWe are friendly.\n\nNever: promise refunds, or share what others have written to us.\n\nOur rules:\n\n- ask\n"
    )
    assert [(left.place, left.text[:22]) for left in found.unplaced] == [("line 5", "Never: promise refunds")]


def test_what_stands_below_an_item_is_named_as_left_out() -> None:
    found, *_ = imported("## Always\n\n- ask\n  - and wait\n")
    assert [(left.place, left.text) for left in found.unplaced] == [("line 3", "the list within it: and wait")]


def test_a_large_file_takes_no_longer_than_its_length() -> None:
    text = ("It is.\n\n" * 125_000 + "- ask\n").encode()
    with in_proportion():
        assert len(read_rows(text, "a.md", is_label).rows) == 1
