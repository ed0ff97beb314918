"""What is still to be written, and what only speaks of such marks."""

from __future__ import annotations

import pytest

from finetune_prep.documents import parse
from finetune_prep.gates.wording import placeholders

UNWRITTEN = ["- Idea: TBD", "- Idea: tbd.", "TODO: the second technique", "- Use when: {{ situation }}", "- P1: Say [insert name].",
             "- Does: [your words here]", "- Idea: Lorem ipsum dolor sit amet."]  # fmt: skip
WRITTEN = ["- Does: points at each TODO comment that the change leaves behind.", "- P1: Name the date [2026] of the rule.",
           "- Where: [your rights](https://a.example/b)", "> **User:** it prints {{ name }} instead of mine", "- Idea: a todo list"]  # fmt: skip


@pytest.mark.parametrize("line", UNWRITTEN)
def test_a_text_that_is_not_written_yet_is_found(line: str) -> None:
    [found] = placeholders(parse("domain-frameworks", f"# x\n\n{line}\n", "x.md"))
    assert found.line == 3


@pytest.mark.parametrize("line", WRITTEN)
def test_who_speaks_of_such_marks_has_written_his_text(line: str) -> None:
    assert [*placeholders(parse("domain-frameworks", f"# x\n\n{line}\n", "x.md"))] == []
