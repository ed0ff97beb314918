"""The law: whatever a value holds, its Markdown gives it back."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finetune_prep import documents
from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.prompts import PlainPrompt
from finetune_prep.markdown.inline import one_line
from finetune_prep.markdown.normal import normal
from finetune_prep.markdown.prose import tidy
from finetune_prep.markdown.tree import grow
from finetune_prep.markdown.turns import read_conversation, render_conversation, spoken
from tests.documents.values import VALUES, raw
from tests.soak import examples

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


@pytest.mark.parametrize("kind", VALUES)
@settings(max_examples=examples(40), suppress_health_check=SLOW)
@given(data=st.data())
def test_every_value_survives(kind: str, data: st.DataObject) -> None:
    """Text that looks like headings, ids, keys, fences, comments or speakers included; and the file parses without a finding."""
    value = data.draw(VALUES[kind])
    text = documents.render(kind, value)
    document = documents.parse(kind, text, f"{kind}.md")
    assert document.value == value
    assert document.findings == ()
    assert documents.render(kind, document.value) == text
    assert normal(text) == text


@given(raw(8).filter(lambda text: bool(spoken(text))))
def test_turns_survive_exactly(content: str) -> None:
    """Apart from white space around them: blank lines, code, quotes and speakers within a turn."""
    conversation = Conversation((Message("user", content), Message("assistant", content)))
    node = grow(f"# x\n\n{render_conversation(conversation)}\n").sections[0]
    assert [spoken(content)] * 2 == [message.content for message in read_conversation(node.quotes).messages]


@given(raw(8))
def test_tidying_is_idempotent(text: str) -> None:
    for tidied in (one_line, tidy, spoken):
        assert tidied(tidied(text)) == tidied(text)


def test_a_comment_right_below_a_quotation_is_text() -> None:
    """CommonMark lets a paragraph in a blockquote go on without `>`; a value's `<!--` is no comment there either."""
    value = PlainPrompt(title="x", text="> a\n<!-- b -->")
    assert documents.parse("user-prompt", documents.render("user-prompt", value), "x.md").value == value


def test_control_characters_are_dropped_on_the_way_in() -> None:
    """A model's escape codes never reach a document."""
    assert one_line("a\x1b[31mb\x00c\x0bd") == "a[31mbc d"
    assert spoken("a\x1b\r\nb\x07\tc") == "a\nb\tc"


@pytest.mark.parametrize(
    ("kind", "attribute"),
    [("system-prompt", "text"), ("brief", "text"), ("evaluation-prompt", "role"), ("generation-prompt", "role")],
)
def test_structure_within_prose_is_guarded(kind: str, attribute: str) -> None:
    """Prose may quote the document it stands in."""
    text = "## Rubric\n\n### Always do\n\n- DO1: x\n\n<!-- not a comment -->\n\n```\n## Rubric\n<!-- y -->\n```"
    value: Any = documents.parse(kind, documents.template(kind), "x.md").value
    changed = type(value)(**{name: getattr(value, name) for name in value.__struct_fields__} | {attribute: text})
    document = documents.parse(kind, documents.render(kind, changed), "x.md")
    assert document.value == changed
    assert document.findings == ()
