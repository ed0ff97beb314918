"""From a struct to the schema that a model follows, and from its answer back to the struct."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta

from finetune_prep.core.conversation import Message
from finetune_prep.core.request import Request
from finetune_prep.models.wire import openai_wire
from finetune_prep.phases.drafting.draft import Strict
from finetune_prep.phases.drafting.examples_draft import ExamplesDraft, FewShotsDraft, JudgeDraft
from finetune_prep.phases.drafting.schemas import read, schema_of, unfenced
from finetune_prep.phases.prompts.guidance_draft import GuidanceDraft
from finetune_prep.phases.research.knowledge_draft import AskedForDraft, KnowledgeDraft, Reading
from finetune_prep.phases.research.scenario_space_draft import SpaceDraft
from finetune_prep.phases.rubric.anchors_draft import AnchorsDraft
from finetune_prep.phases.rubric.rubric_draft import RubricDraft
from tests.effort import in_proportion

DRAFTS: list[type[Strict]] = [
    AskedForDraft,
    Reading,
    KnowledgeDraft,
    SpaceDraft,
    AnchorsDraft,
    RubricDraft,
    ExamplesDraft,
    JudgeDraft,
    GuidanceDraft,
    FewShotsDraft,
]


class Part(Strict, frozen=True):
    title: str  # also the name of a note in JSON Schema
    description: Literal["a", "b"]


class Whole(Strict, frozen=True):
    """A note to us, which no model should read."""

    properties: Annotated[list[Part], Meta(min_length=1, max_length=2, description="a note")]
    first: Part
    count: Annotated[int, Meta(ge=1)]


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema within a schema, names of properties passed over."""
    if isinstance(schema, list):
        for item in schema:
            yield from nodes(item)
    elif isinstance(schema, dict):
        yield schema
        for key, value in schema.items():
            yield from nodes(list(value.values()) if key == "properties" else value)


@pytest.mark.parametrize("draft", DRAFTS, ids=lambda draft: draft.__name__)
def test_a_schema_has_no_references_and_every_object_is_closed_with_all_its_properties_required(draft: type[Strict]) -> None:
    schema = schema_of(draft, "draft").schema
    objects = [node for node in nodes(schema) if node.get("type") == "object"]
    assert objects
    for node in nodes(schema):
        assert not {"$ref", "$defs", "title", "description", "default"} & set(node)
    for node in objects:
        assert node["required"] == list(node["properties"])
        assert node["additionalProperties"] is False


def test_properties_stand_in_the_order_of_the_fields_and_may_have_any_name() -> None:
    schema = schema_of(Whole, "whole").schema
    part = {
        "type": "object",
        "properties": {"title": {"type": "string"}, "description": {"enum": ["a", "b"]}},
        "required": ["title", "description"],
        "additionalProperties": False,
    }
    assert schema == {
        "type": "object",
        "properties": {
            "properties": {"type": "array", "minItems": 1, "maxItems": 2, "items": part},
            "first": part,
            "count": {"type": "integer", "minimum": 1},
        },
        "required": ["properties", "first", "count"],
        "additionalProperties": False,
    }
    assert list(schema["properties"]) == ["properties", "first", "count"]


# https://platform.openai.com/docs/guides/structured-outputs: what strict mode takes
STRICT = {"type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "pattern", "format"}
STRICT |= {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems", "maxItems"}


@pytest.mark.parametrize("draft", DRAFTS, ids=lambda draft: draft.__name__)
def test_every_draft_is_sent_in_strict_mode_with_nothing_that_strict_mode_refuses(draft: type[Strict]) -> None:
    schema = schema_of(draft, "draft")
    request = Request(role="expert", phase="research", model="larch-1", messages=(Message("user", "x"),), schema=schema)
    sent = openai_wire.body(request)["response_format"]["json_schema"]
    assert sent["strict"] is True
    assert {key for node in nodes(sent["schema"]) for key in node} <= STRICT


ANSWER = '{"title": "T", "description": "a"}'


@pytest.mark.parametrize(
    "text",
    [
        ANSWER,
        f"\n  {ANSWER}\n\n",
        f"```json\n{ANSWER}\n```",
        f"```\n{ANSWER}```",
        f"\n```JSON  \n\n{ANSWER}\n\n```\n ",
        f"```json\r\n{ANSWER}\r\n```",
    ],
)
def test_an_answer_is_read_with_or_without_a_fence_around_it(text: str) -> None:
    assert read(text, Part) == Part(title="T", description="a")


def test_fences_within_an_answer_stay() -> None:
    text = '{"title": "```json\\nx\\n```", "description": "a"}'
    assert read(f"```json\n{text}\n```", Part).title == "```json\nx\n```"
    assert unfenced("```python\nx\n```") == "```python\nx\n```"
    assert unfenced("before\n```\nx\n```") == "before\n```\nx\n```"
    assert unfenced("```") == "```"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Input data was truncated"),
        ("I cannot do that.", "JSON is malformed"),
        (ANSWER[:-1], "Input data was truncated"),
        (f"{ANSWER} And more.", "words stand behind the JSON"),
        (f"Here it is: {ANSWER}", "words stand before the JSON"),
        (f"Here it is:\n```json\n{ANSWER}\n```\nA good one.", "the JSON stands in a code fence with words around it"),
        (f"{ANSWER[:-1]},}}", "trailing comma"),
        ('{"title": "T"}', "missing required field `description`"),
        ('{"title": "T", "description": "c"}', "Invalid enum value 'c'"),
        ('{"title": "T", "description": "a", "note": 1}', "unknown field `note`"),
        ('{"title": " \\n", "description": "a"}', "`title` holds nothing but white space"),
        ("[1, 2]", "Expected `object`"),
        ('{"title": "\ud800"}', "surrogates"),
    ],
)
def test_an_answer_that_does_not_follow_is_refused_with_a_sentence_for_its_writer(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read(text, Part)


@pytest.mark.parametrize(
    "text", ["```json\n" + "\n" * 200_000, "```json\n" + " \n" * 100_000 + "x", "[" * 200_000, "```" * 50_000]
)
def test_a_model_that_ran_away_is_refused_at_once(text: str) -> None:
    with in_proportion(), pytest.raises(ValueError, match=r"."):
        read(text, Part)


@pytest.mark.parametrize(
    "text",
    ['{"a": {"b": 1}, "a": {"b": 2}}', '{"a": {"b": 1, "b": 2}}', '```json\n{"a": {"c": 0, "b": 1, "b": 1}}\n```'],
)
def test_a_key_that_stands_twice_is_refused_at_any_depth(text: str) -> None:
    """Decoders keep the last one without a word, and a NO becomes a YES."""
    with pytest.raises(ValueError, match="stands twice in one object"):
        read(text, dict[str, dict[str, int]])
    assert read('{"a": {"b": 1}, "c": {"b": 1}}', dict[str, dict[str, int]]) == {"a": {"b": 1}, "c": {"b": 1}}
