"""The specimens that `finetune-prep template KIND` prints."""

from importlib import resources

import pytest

from finetune_prep import documents
from finetune_prep.markdown.normal import normal
from finetune_prep.method.phases import PHASES

FORMAT_LINE = "format: 1\n"


def test_every_kind_has_a_specimen_and_every_specimen_a_kind() -> None:
    files = resources.files(documents).joinpath("specimens").iterdir()
    assert {file.name for file in files} == {f"{kind}.md" for kind in documents.KINDS}


def test_phases_write_and_read_kinds_that_exist_and_every_kind_but_the_brief_has_a_phase() -> None:
    assert {kind for phase in PHASES for kind in (*phase.inputs, *phase.accepted, *phase.outputs)} == {*documents.KINDS}
    assert [kind.name for kind in documents.KINDS.values() if not kind.made_by] == ["brief"]


@pytest.mark.parametrize("kind", documents.KINDS)
def test_specimen_is_sound(kind: str) -> None:
    """It parses without findings, and it is written just as the program would write it."""
    text = documents.template(kind)
    document = documents.parse(kind, text, f"{kind}.md")
    assert document.findings == ()
    assert normal(text) == text
    assert documents.render(kind, document.value) == text.replace(FORMAT_LINE, "")


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(KeyError):
        documents.template("../../errors")
    with pytest.raises(KeyError):
        documents.parse("recipe", "# x", "x.md")


def test_the_specimens_belong_together() -> None:
    """The prompts embed the very questions and anchors of the other specimens."""
    value = {kind: documents.parse(kind, documents.template(kind), kind).value for kind in documents.KINDS}
    rubric, judge = value["evaluation-rubric"], value["evaluation-prompt"]
    embedded = [question for category in judge.categories for question in category.questions]
    assert embedded == [question.as_asked for question in rubric.judged]
    assert judge.terms == rubric.terms
    knowledge, assistant = value["domain-frameworks"], value["generation-prompt"]
    assert [anchor.text for anchor in assistant.always + assistant.never] == [anchor.text for anchor in knowledge.anchors]
    assert {id for guard in assistant.guards for id in guard.counters} == {failure.id for failure in knowledge.failure_modes}
