"""Without the days of reading: only the field `Read` of a source goes, in documents and in prompts that hold one."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_prep import documents
from finetune_prep.core.knowledge import Knowledge
from finetune_prep.documents.readings.items import undated
from finetune_prep.markdown.normal import normal
from tests.documents.values import VALUES

SOUND = Path(__file__).parents[2] / "gates" / "sound"
HAND_WRITTEN = """# Reference

## Sources

### S01. Terms – what customers *Read:*

- **Read:** 2026-03-01
- Where: sources/terms.md

### **S2** – Another

* Where: sources/other.md
* read: last spring, on paper

## Read

- Read: twice
"""


def test_only_the_field_of_a_source_goes() -> None:
    """However a person writes it; a heading or a list of that name elsewhere stays."""
    shown = undated(HAND_WRITTEN)
    gone = [line for line in HAND_WRITTEN.splitlines() if line not in shown.splitlines()]
    assert gone == ["- **Read:** 2026-03-01", "* read: last spring, on paper"]


@settings(deadline=None, max_examples=60)
@given(VALUES["domain-frameworks"], st.dates(), st.dates())
def test_two_days_of_reading_give_one_text(value: Knowledge, one: object, other: object) -> None:
    """Nothing else of a reference is lost by it, and doing it again changes nothing."""

    def read_on(day: object) -> str:
        sources = tuple(msgspec.structs.replace(source, read=str(day)) for source in value.sources)
        return documents.render("domain-frameworks", msgspec.structs.replace(value, sources=sources))

    shown = undated(read_on(one))
    assert shown == undated(read_on(other)) == undated(shown)
    assert documents.body(read_on(one)) == documents.body(read_on(other))
    assert len(read_on(one).splitlines()) - len(shown.splitlines()) == len(value.sources)


@pytest.mark.parametrize("language", ["de", "es"])
def test_it_is_the_same_within_a_prompt(language: str) -> None:
    """What was taken from a document before it went into a prompt is taken from the prompt just so, whatever stands around it."""
    text = (SOUND / language / "domain-frameworks.md").read_text("utf-8")
    plain = normal(text).strip()
    assert undated(plain) != plain
    for prompt in ("# The reference\n\n{}\n\n# Your task\n\n- Read: all of it\n", "<reference>\n{}</reference>", "{}"):
        assert undated(prompt.format(plain)) == prompt.format(undated(plain))
