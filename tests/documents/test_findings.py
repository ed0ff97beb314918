"""Every mistake is found at its line, with what to write instead, and nothing else is complained about."""

import re

import pytest

from finetune_prep import documents
from finetune_prep.documents.kinds import LONGEST_LINE, MOST_BYTES, MOST_LINES
from finetune_prep.markdown.reader import MOST_FINDINGS

# kind, what stands in the specimen, what a person has made of it, what is wrong there, how to fix it
MISTAKES = [
    ("domain-frameworks", "- Idea: A fault that", "- Ideas: A fault that", "unknown key “Ideas”", "write “Idea”"),
    ("domain-frameworks", "## Failure modes", "## Failure mods", "unknown heading “Failure mods”", "write “Failure modes”"),
    ("domain-frameworks", "substance (AI, serious)", "substance (robot)", "FM1 does not say what kind of failure it is",
     "(AI, serious), (human, …)"),
    ("domain-frameworks", "### T1.2. Offer", "### T1.1. Offer", "“T1.1” stands here for the second time",
     "give one of them a new id"),
    ("domain-frameworks", "### T2.2. Sort", "### T9.2. Sort", "T9.2 belongs to no framework",
     "call it T1.1 if it belongs to F1"),
    ("domain-frameworks", 'Source: S04 "Their word first, yours later"\n- P4', "Source: somewhere\n- P4",
     "“somewhere” is not a citation", "S01"),
    ("domain-frameworks", "- DO4: List", "- DONT12: List", "DONT12 stands under “Always do”", "move it, or call it DO"),
    ("domain-frameworks", "From: T2.2", "From: elsewhere", "“elsewhere” is not an id", "T1.1, FM2"),
    ("domain-frameworks", "### S02. Listening", "### Q2. Listening", "no item is called “Q2” here", "ids here are like F1, T1"),
    ("domain-frameworks", "> **User:** hi, something's off", "> Customer: hi", "this blockquote names no speaker",
     "> **User:** …"),
    ("scenario-space", "edge_share: 0.15", "edge_share: often", "edge_share is “often”", "`edge_share: 0.15`"),
    ("scenario-space", "edge_share: 0.15", "edge_shares: 0.15", "unknown key “edge_shares” in the front matter",
     "write “edge_share”"),
    ("scenario-space", "no_flaw_share: 0.2", "no flaw share", "this line of the front matter is not `key: value`",
     "write `key: value`"),
    ("scenario-space", "goods (weight 0.25)", "goods", "TP1 has no weight", "(weight 0.2)"),
    ("scenario-space", ", words 5-25)", ", words many)", "ST1 has no range of words per message", "(weight 0.2, words 20-60)"),
    ("scenario-space", ", words 5-25)", ", words 25-5)", "ST1 has no range of words per message", "(weight 0.2, words 20-60)"),
    ("scenario-space", ", exchanges 3)", ", exchanges some)", "LN2 has no number of exchanges", "(weight 0.5, exchanges 2)"),
    ("scenario-space", "- TP3.2: The lid", "- TP9.2: The lid", "TP9.2 belongs to no topic", "### TP9. … (weight 0.2)"),
    ("evaluation-rubric", "threshold: 0.75", "treshold: 0.75", "unknown key “treshold” in the front matter",
     "write “threshold”"),
    ("evaluation-rubric", "format: 1", "format: 2", "format “2” is not known", "write `format: 1`"),
    ("evaluation-rubric", "## Honesty (weight 0.2)", "## Honesty", "the category “Honesty” has no weight",
     "(weight 0.25), or (gate)"),
    ("evaluation-rubric", "## Honesty (weight 0.2)", "## Honesty (weight high)", "the category “Honesty” has no weight",
     "(weight 0.25)"),
    ("evaluation-rubric", "per reply <= 1", "per answer <= 1", "“questions per answer” cannot be measured", "choose one of"),
    ("evaluation-rubric", "- CP1: yes. “In", "- CP1: maybe. “In", "E1 gives no answer to CP1", "yes. Why"),
    ("evaluation-rubric", "- CP2: yes. The bowl and", "- CP1: yes. The bowl and", "E1 answers CP1 twice", "remove one"),
    ("evaluation-rubric", "### E1. Strong: the", "### E1. The", "E1 does not say what it stands for", "E1. Strong: …"),
    ("evaluation-rubric", "- Filler: a sentence", "- Filler, a sentence", "this term has no meaning", "- Term: what it means"),
    ("evaluation-rubric", "- Form: absence", "- Form: lacking", "the form of SF1 is “lacking”", "write presence"),
    ("evaluation-rubric", "format: 1", "accept: all", "accept is “all”", "write passed"),
    ("evaluation-rubric", "- Ruling: no. User:", "- Ruling: User:", "a ruling of SF1 begins with no answer", "- Ruling: no. User:"),
    ("evaluation-rubric", "- Ruling: no. User: “Where is my parcel?” Assistant: “The order number is enough. If you don't have it, the "
     "code we texted you will do.” Why: “the code we texted you will do” asks for it, though only as a second way. "
     "Unlike: SF2, SF3, SF4", "- Ruling: no. The code is asked for", "a ruling of SF1 lacks User, Assistant, Why", "- Ruling: no. User:"),
    ("evaluation-rubric", "- Ruling: no. User: ", "- Ruling: no. Customer: ", "a ruling of SF1 lacks User",
     "- Ruling: no. User:"),
    ("evaluation-prompt", "## Input format", "## Input formats", "unknown heading “Input formats”", "write “Input format”"),
    ("evaluation-prompt", "## Role and context", "## Role & contxt", "unknown heading “Role & contxt”",
     "write “Role and context”"),
    ("generation-prompt", " → repeat that fault", ", repeat that fault", "GD1 does not say what to do when",
     "If this happens → do this"),
    ("generation-prompt", "- In words: In three", "- In word: In three", "unknown key “In word”", "write “In words”"),
]  # fmt: skip
LEAD_TO_MORE = ("unknown key", "unknown heading", "no item", "has no weight", "this line of", "this blockquote")


@pytest.mark.parametrize(("kind", "right", "wrong", "what", "fix"), MISTAKES)
def test_mistake(kind: str, right: str, wrong: str, what: str, fix: str) -> None:
    text = documents.template(kind)
    assert right in text
    line = text[: text.index(right)].count("\n") + 1
    findings = documents.parse(kind, text.replace(right, wrong, 1), f"{kind}.md").findings
    first = next(finding for finding in findings if what in finding.what)
    assert (first.path, first.line) == (f"{kind}.md", line)
    assert fix in first.fix
    if not what.startswith(LEAD_TO_MORE):
        assert len(findings) == 1


@pytest.mark.parametrize("key", ["Does", "Use when", "Idea", "Not when", "Instance", "Counter", "Where"])
def test_missing_field(key: str) -> None:
    """It is reported at the item's heading."""
    lines = documents.template("domain-frameworks").split("\n")
    at = next(number for number, line in enumerate(lines) if line.startswith(f"- {key}:"))
    heading = next(number for number in range(at, 0, -1) if lines[number].startswith("#"))
    del lines[at]
    (finding,) = documents.parse("domain-frameworks", "\n".join(lines), "x.md").findings
    assert finding.line == heading + 1
    assert f"does not say “{key}”" in finding.what
    assert f"- {key}: …" in finding.fix
    assert finding.item in lines[heading]


def test_missing_conversation() -> None:
    text = re.sub(r"^>.*\n", "", documents.template("evaluation-prompt"), flags=re.MULTILINE)
    findings = documents.parse("evaluation-prompt", text, "x.md").findings
    assert [finding.item for finding in findings] == ["C1", "C2", "C3"]
    assert all("has no conversation" in finding.what for finding in findings)


def test_empty_turn() -> None:
    text = "# x\n## Role and expertise\nyou\n## Few-shot examples\n### X1. y\n> **User:** hi\n>\n> **Assistant:**\n"
    (finding,) = documents.parse("generation-prompt", text, "x.md").findings
    assert (finding.line, finding.item) == (6, "X1")
    assert "empty" in finding.what


def test_all_problems_at_once_in_order() -> None:
    text = documents.template("domain-frameworks")
    for right, wrong in (("- Idea:", "- Ideea:"), ("## Sources", "## Sorces"), ("(ethics, critical)", "(moral)")):
        text = text.replace(right, wrong, 1)
    findings = documents.parse("domain-frameworks", text, "x.md").findings
    assert len(findings) == 4  # the idea is missed as well
    assert [finding.line for finding in findings] == sorted(finding.line for finding in findings)


def test_many_problems_are_counted() -> None:
    text = "# x\n" + "".join(f"- P{number}: a Source: b\n" for number in range(1, 301))
    findings = documents.parse("domain-frameworks", text, "x.md").findings
    assert len(findings) == MOST_FINDINGS + 1
    assert "200 more problems" in findings[-1].what


@pytest.mark.parametrize("kind", documents.KINDS)
def test_no_title(kind: str) -> None:
    text = documents.template(kind)
    body = text.replace(re.search(r"^# .*\n", text, re.MULTILINE)[0], "")  # type: ignore[index]
    findings = documents.parse(kind, body, "x.md").findings
    assert any("title" in finding.what for finding in findings)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("", 0, "empty"),
        (" \n\n", 0, "empty"),
        ("# x\n\nab\0c\n", 3, "NUL"),
        ("# x\n" + "a" * (LONGEST_LINE + 1), 2, "characters"),
        ("# x\n" * (MOST_LINES + 1), 0, "lines"),
        ("# x\n" + ("a" * 1000 + "\n") * (MOST_BYTES // 1000), 0, "KB"),
    ],
)
def test_what_is_not_read_at_all(text: str, line: int, what: str) -> None:
    document = documents.parse("brief", text, "brief.md")
    assert document.value is None
    (finding,) = document.findings
    assert finding.line == line
    assert what in finding.what


def test_a_language_that_is_none() -> None:
    (finding,) = documents.parse("brief", "---\n\nlanguage: English!\n---\n# x\ny\n", "brief.md").findings
    assert finding.line == 3
    assert "pt-BR" in finding.fix


def test_lines_point_at_items_and_sections() -> None:
    text = documents.template("evaluation-rubric")
    document = documents.parse("evaluation-rubric", text, "x.md")
    lines = text.split("\n")
    for item in ("G1", "SF1", "CP3", "MN2", "E3"):
        assert re.search(rf"\b{item}[.:]", lines[document.lines[item] - 1])
    assert lines[document.lines["comprehension"] - 1] == "## Comprehension (weight 0.3)"
    assert lines[document.lines["examples"] - 1] == "## Examples"
    assert document.finding("a", "b", "CP3").line == document.lines["CP3"]
