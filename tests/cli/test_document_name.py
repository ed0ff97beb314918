"""How documents may be named: every name that is accepted is listed where one is not."""

from __future__ import annotations

import re

import click
import pytest

from finetune_prep.cli.document_name import DocumentName
from finetune_prep.errors import UsageError


def named(value: str, type: DocumentName | None = None) -> str:
    return (type or DocumentName()).convert(value, None, None)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("rubric", "evaluation-rubric"),
        ("Evaluation_Rubric", "evaluation-rubric"),
        ("reference/evaluation-rubric.md", "evaluation-rubric"),
        ("anchors", "domain-frameworks"),
        ("behavioral-anchors", "domain-frameworks"),
        ("domain-knowledge", "domain-frameworks"),
        ("generation-prompt", "generation-prompt"),
    ],
)
def test_a_document_goes_by_its_kind_its_path_its_phase_and_the_title_of_that(name: str, kind: str) -> None:
    assert named(name) == kind


def test_a_name_that_is_none_gets_a_list_of_all() -> None:
    with pytest.raises(UsageError, match="did you mean rubric") as unknown:
        named("rubrik")
    listed = re.findall(r"[a-z-]+", unknown.value.next.removeprefix("name one of: ").removesuffix("; or its path"))
    type = DocumentName()
    assert {"brief", "rubric", "evaluation-rubric", "anchors", "behavioral-anchors", "research", "user-prompt"} <= {*listed}
    assert {type.convert(name, None, None) for name in listed} == {*type.kinds}
    assert {*listed} == {name for name in type.names if "." not in name}


def test_only_what_the_command_takes_is_listed() -> None:
    with pytest.raises(UsageError, match="no document “brief”") as unknown:
        named("brief", DocumentName(["evaluation-rubric"]))
    assert unknown.value.next == "name one of: evaluation-rubric (rubric, binary-rubric); or its path"


def test_completion_offers_other_names_only_where_no_kind_fits() -> None:
    type = DocumentName()
    context, parameter = click.Context(click.Command("x")), click.Argument(["document"])

    def completed(typed: str) -> list[str]:
        return [item.value for item in type.shell_complete(context, parameter, typed)]

    assert completed("eval") == ["evaluation-rubric", "evaluation-prompt"]
    assert completed("beh") == ["behavioral-anchors"]
