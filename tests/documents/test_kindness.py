"""What people's editors and habits do to a document does not change its value."""

import json
import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from finetune_prep import documents
from finetune_prep.core.knowledge import Citation, Preference
from finetune_prep.core.rubric import Expected, Term

STRUCTURED = ["domain-frameworks", "scenario-space", "evaluation-rubric", "evaluation-prompt", "generation-prompt"]


def outside_of_code(change: Callable[[str], str]) -> Callable[[str], str]:
    """Apply a change to everything but fences, blockquotes and front matter."""

    def apply(text: str) -> str:
        front, _, rest = text.rpartition("---\n") if text.startswith("---") else ("", "", text)
        parts = re.split(r"(^```.*?^```$|^>.*$)", rest, flags=re.MULTILINE | re.DOTALL)
        changed = "".join(part if number % 2 else change(part) for number, part in enumerate(parts))
        return (front + "---\n" if front else "") + changed

    return apply


def each(pattern: str, new: str | Callable[[re.Match[str]], str]) -> Callable[[str], str]:
    """Replace every occurrence of a pattern; ^ and $ stand for the ends of lines."""
    return lambda text: re.sub(pattern, new, text, flags=re.MULTILINE)


CHANGES: dict[str, Callable[[str], str]] = {
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "CR": lambda text: text.replace("\n", "\r"),
    "BOM": lambda text: "\ufeff" + text,
    "spaces at line ends": outside_of_code(each(r"(?<=[^>\s])$", "  ")),
    "no blank lines": lambda text: re.sub(r"\n\n(?=[#>-])(?!- (?:Length|At|Short))", "\n", text),
    "many blank lines": outside_of_code(lambda text: text.replace("\n\n", "\n\n\n\n")),
    "deeper headings": outside_of_code(each(r"^(##+) ", r"#\1 ")),
    "stars": outside_of_code(each(r"^- ", "* ")),
    "bullets": outside_of_code(each(r"^- ", "• ")),
    "indented lists": outside_of_code(each(r"^- ", "   - ")),
    "tabs": outside_of_code(each(r"^- ", "-\t")),
    "bold ids": outside_of_code(each(r"^(- |#+ )([A-Z]+[0-9.]*[0-9])([.:]) ", r"\1**\2\3** ")),
    "bold keys": outside_of_code(each(r"^- ([A-Z][a-z /A-Z]+):", r"- **\1**:")),
    "bold keys with their colon": outside_of_code(each(r"^- ([A-Z][a-z/ A-Z]+):", r"- **\1:**")),
    "keys in capitals": outside_of_code(
        each(r"^- (Yes|No|Does|Why|Where|Expected):", lambda m: f"- {m[1].upper()}:")
    ),
    "colons after ids": outside_of_code(each(r"^(#+ [A-Z]+[0-9.]*[0-9])\. ", r"\1: ")),
    "wrapped items": outside_of_code(each(r"^(- (?:\S+ ){5})(?=[a-z])", r"\1\n  ")),
    "comments": outside_of_code(each(r"^(#+ .*)$", r"\1\n\n<!-- TODO\n\n- Yes: no\n## x -->")),
    "notes": outside_of_code(each(r"^(- Yes: .*)$", r"\1\n- I am not sure of this one.")),
    "no spaces after quote marks": each(r"^> (?=\S)", ">"),
    "plain bold speakers": lambda text: text.replace(":** ", "**: "),
    "speakers in capitals": lambda text: text.replace("**User:**", "**USER:**").replace("**Assistant:**", "__assistant__:"),
    "speakers on their own line": each(r"^(> \*\*\w+:\*\*) ", r"\1\n> "),
    "gaps between turns": lambda text: re.sub(r"\n>\n(?=> \*\*Assistant)", "\n\n", text),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", STRUCTURED)
def test_value_stays(kind: str, change: str) -> None:
    text = documents.template(kind)
    changed = CHANGES[change](text)
    document = documents.parse(kind, changed, "x.md")
    assert [str(finding) for finding in document.findings] == []
    assert told(document.value) == told(documents.parse(kind, text, "x.md").value)


def told(value: Any) -> Any:
    """What a value says: a list within its prose is the same list, whatever marks its items."""
    return json.loads(re.sub(r"\\n(?:\\n)?(?: *|\\t)[-*•](?: |\\t)", r"\\n- ", msgspec.json.encode(value).decode()))


def test_every_change_changes_something() -> None:
    """A change that does nothing would prove nothing."""
    for name, change in CHANGES.items():
        assert any(change(documents.template(kind)) != documents.template(kind) for kind in STRUCTURED), name


def test_items_may_be_list_items_throughout() -> None:
    text = """# Shop
- F1. Service recovery
  - Idea: repaired fast
  - Use when: at fault
  - Not when: nothing is owed
  - T1.1. Name it
    - Does: names the fault
    - Use when: damaged
    - Source: expert, unsourced

    > **User:** Cracked.
    >
    > **Assistant:** Cracked: ours to mend.
"""
    document = documents.parse("domain-frameworks", text, "x.md")
    assert document.findings == ()
    technique = document.value.frameworks[0].techniques[0]
    assert technique.does == "names the fault"
    assert technique.sources == (Citation("expert"),)
    assert [message.content for message in technique.snippets[0].messages] == ["Cracked.", "Cracked: ours to mend."]


@pytest.mark.parametrize(
    ("written", "citations"),
    [
        ('S01 "Ask one thing"', [Citation("S01", "Ask one thing")]),
        ("S01 “Ask one thing”.", [Citation("S01", "Ask one thing")]),
        ('S1, "he said "no" to me"', [Citation("S1", 'he said "no" to me')]),
        ("s02", [Citation("S02")]),
        ("Expert, unsourced", [Citation("expert")]),
        ('S01 "a"; S02 "b"', [Citation("S01", "a"), Citation("S02", "b")]),
        ('S01 "a" Source: S02 "b" Source: expert, unsourced', [Citation("S01", "a"), Citation("S02", "b"), Citation("expert")]),
    ],
)
def test_citations(written: str, citations: list[Citation]) -> None:
    document = documents.parse("domain-frameworks", f"# x\n- P1: One thing. Source: {written}\n", "x.md")
    assert document.findings == ()
    assert list(document.value.principles[0].sources) == citations


def test_rather_than_names_the_other_technique() -> None:
    fields = "- Does: a\n- Use when: b\n- Rather than T2.1: the fault is known\n- **RATHER THAN T2.2**: nobody asked\n"
    document = documents.parse(
        "domain-frameworks", f"# x\n## F1. y\n- Idea: a\n- Use when: b\n- Not when: c\n### T1.1. z\n{fields}", "x.md"
    )
    preferences = document.value.frameworks[0].techniques[0].rather_than
    assert preferences == (Preference("T2.1", "the fault is known"), Preference("T2.2", "nobody asked"))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("CP1: yes. Named.", Expected("CP1", "yes", "Named.")),
        ("CP1: **No** – not named", None),
        ("CP1. N/A: no fault", Expected("CP1", "na", "no fault")),
        ("CP1: NO", Expected("CP1", "no", "")),
        ("CP1: na – no fault", Expected("CP1", "na", "no fault")),
    ],
)
def test_answers(line: str, expected: Expected | None) -> None:
    text = f"---\nthreshold: 75%\n---\n# x\n## Examples\n### E1. Strong: y\n> **User:** a\n> **Assistant:** b\n- {line}\n"
    document = documents.parse("evaluation-rubric", text, "x.md")
    assert document.value.threshold == 0.75
    answers = document.value.examples[0].answers
    if expected:
        assert answers == (expected,)
    else:
        assert [finding.line for finding in document.findings] == [9]


def test_terms_may_hold_colons_and_bold() -> None:
    text = "---\nthreshold: 0.75\n---\n# x\n## Terms\n- **Next step:** who, and when: by a date\n- Ratio 3:1: three to one\n"
    document = documents.parse("evaluation-rubric", text, "x.md")
    assert document.value.terms == (Term("Next step", "who, and when: by a date"), Term("Ratio 3:1", "three to one"))
