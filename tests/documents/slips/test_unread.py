"""No item vanishes: what stands where items stand and is not read as one is a finding with the line to write."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from finetune_prep import documents
from finetune_prep.documents.kinds import KINDS
from finetune_prep.gates import check
from tests.gates.test_parsed import read, written

STRUCTURED = ["domain-frameworks", "scenario-space", "evaluation-rubric", "evaluation-prompt", "generation-prompt"]
ITEM = re.compile(r"(?P<mark>(?:#+|-) )(?P<id>[A-Z]+[0-9]+(?:\.[0-9]+)?)(?P<end>[.:]) (?P<text>.*)")
LETTERS = re.compile(r"(?P<letters>[A-Z]+)(?P<number>.*)")
NAMES = {
    "F": "Framework",
    "T": "Technique",
    "P": "Principle",
    "FM": "Failure mode",
    "DONT": "DON’T",
    "TP": "Topic",
    "GD": "Guard",
}


def parted(id: str) -> tuple[str, str]:
    found = LETTERS.fullmatch(id)
    assert found
    return found["letters"], found["number"]


SPELLINGS: dict[str, Callable[[str, str], str]] = {
    "lower case": lambda id, end: f"{id.lower()}{end}",
    "a dash": lambda id, end: f"{'-'.join(parted(id))}{end}",
    "a space": lambda id, end: f"{' '.join(parted(id))}{end}",
    "a full-width colon": lambda id, end: f"{id}：",
    "full-width letters": lambda id, end: "".join(chr(ord(c) + 0xFEE0) if c.isalnum() else c for c in id) + end,
    "written out": lambda id, end: f"{NAMES.get(parted(id)[0], parted(id)[0].title())} {parted(id)[1]}{end}",
    "bold": lambda id, end: f"**{id.lower()}{end}**",
    "in brackets": lambda id, end: f"[{id}]",
    "without a mark": lambda id, end: f"{id}",
    "a space and a dash": lambda id, end: f"{' '.join(parted(id))} –",
}  # fmt: skip


def items(kind: str) -> Iterator[tuple[int, re.Match[str]]]:
    """Lines with items, answers of examples apart; of each kind of id the first and the last."""
    example = False
    found: dict[str, list[tuple[int, re.Match[str]]]] = {}
    for number, line in enumerate(documents.template(kind).split("\n")):
        item = ITEM.fullmatch(line)
        if line.startswith("#"):
            example = item is not None and parted(item["id"])[0] in ("E", "W", "C")
        if item and not (example and line.startswith("-")):
            found.setdefault(parted(item["id"])[0], []).append((number, item))
    for lines in found.values():
        yield from {lines[0][0]: lines[0], lines[-1][0]: lines[-1]}.values()


CASES = [
    pytest.param(kind, number, spelling, id=f"{kind}-{item['id']}-{spelling}")
    for kind in STRUCTURED
    for number, item in items(kind)
    for spelling in SPELLINGS
    if not (spelling == "without a mark" and item["mark"].startswith("#"))  # which a heading may do without
]


@pytest.mark.parametrize(("kind", "number", "spelling"), CASES)
def test_a_slip_in_an_id_is_found_with_the_id_that_was_meant(kind: str, number: int, spelling: str) -> None:
    lines = documents.template(kind).split("\n")
    item = ITEM.fullmatch(lines[number])
    assert item
    lines[number] = f"{item['mark']}{SPELLINGS[spelling](item['id'], item['end'])} {item['text']}"
    document = documents.parse(kind, "\n".join(lines), "x.md")
    (finding,) = [finding for finding in document.findings if finding.line == number + 1]
    assert re.search(rf"\b{re.escape(item['id'])}[.:] ", finding.fix), finding
    assert document.lost


WITHOUT = [
    pytest.param(kind, number, id=f"{kind}-{item['id']}")
    for kind in STRUCTURED
    for number, item in items(kind)
    if not (item["mark"] == "- " and "." in item["id"])  # a situation of a topic
    and not (kind in ("evaluation-rubric", "evaluation-prompt") and parted(item["id"])[0] in ("E", "W", "C"))  # no field shows it
]


@pytest.mark.parametrize(("kind", "number"), WITHOUT)
def test_an_item_without_an_id_is_found(kind: str, number: int) -> None:
    lines = documents.template(kind).split("\n")
    item = ITEM.fullmatch(lines[number])
    assert item
    lines[number] = f"{item['mark']}{item['text']}"
    document = documents.parse(kind, "\n".join(lines), "x.md")
    findings = [finding for finding in document.findings if finding.line == number + 1]
    assert len(findings) == 1, findings
    letters = parted(item["id"])[0]
    if kind in ("evaluation-rubric", "evaluation-prompt") and not letters.startswith("G"):
        letters = "[A-Z]+"
    if letters in ("LIMIT", "RISK", "AF"):
        letters = "(JOB|PR)"  # nothing but its id tells a limit from a job
    assert re.search(rf"\b{letters}[0-9]", findings[0].fix), findings[0]


# kind, a section of the specimen from its heading on, what a person wrote instead, and of each finding the line and what to write
ALWAYS, NEVER = "### Always do", "### Never do"
PEOPLE = [
    ("domain-frameworks", ALWAYS, "- Name the fault\n- Say who acts\n", [("- Name the fault", "- DO1: Name the fault"),
     ("- Say who acts", "- DO2: Say who acts")]),
    ("domain-frameworks", ALWAYS, "1. **Validate first**\n   - always\n2. **Ask**\n", [("1. **Validate first**",
     "- DO1: Validate first"), ("2. **Ask**", "- DO2: Ask")]),
    ("domain-frameworks", ALWAYS, "| # | Behaviour |\n|---|---|\n| DO1 | Name it |\n| DO2 | Ask |\n",
     [("| # | Behaviour |", "- DO1: …")]),
    ("domain-frameworks", ALWAYS, "| # | Behaviour |\n|---|---|\n| 1 | Name it |\n", [("| # | Behaviour |", "- DO1: …")]),
    ("domain-frameworks", ALWAYS, "DO1. Name the fault\nDO2. Say who acts\n", [("DO1. Name the fault", "- DO1: Name the fault"),
     ("DO2. Say who acts", "- DO2: Say who acts")]),
    ("domain-frameworks", ALWAYS, "- DO1: Name it. From: T1.1\nDO2. State the step\n", [("- DO1: Name it. From: T1.1",
     "T1.1, FM2"), ("DO2. State the step", "- DO2: State")]),
    ("domain-frameworks", ALWAYS, "- ALWAYS1: Name it\n", [("- ALWAYS1: Name it", "- DO1: Name it")]),
    ("domain-frameworks", NEVER, "- DON'T7: Argue\n- Don't 8: Guess\n- NEVER 9 – Blame\n", [("- DON'T7: Argue",
     "- DONT7: Argue"), ("- Don't 8: Guess", "- DONT8: Guess"), ("- NEVER 9 – Blame", "- DONT9: Blame")]),
    ("domain-frameworks", "## Failure modes", "- Sympathy without substance\n", [("- Sympathy without substance",
     "### FM1. Sympathy without substance")]),
    ("domain-frameworks", "## Failure modes", "### Sympathy (AI)\n\nThe bot is sorry.\n", [("### Sympathy (AI)", "### FM1. Symp")]),
    ("domain-frameworks", "## Failure modes", "| Failure | Kind |\n|---|---|\n| Sympathy | AI |\n| Guessing | AI |\n",
     [("| Failure | Kind |", "### FM1. …")]),
    ("scenario-space", "## User styles", "- Terse\n- Upset\n", [("- Terse", "### ST1. Terse"), ("- Upset", "### ST2. Upset")]),
    ("evaluation-rubric", "## Comprehension (weight 0.3)", "### 1. Does it listen?\n- Yes: it does\n- No: it does not\n",
     [("### 1. Does it listen?", "### CO1. Does it listen?")]),
    ("evaluation-rubric", "## Comprehension (weight 0.3)", "- Does it listen?\n- Does it ask?\n", [("- Does it listen?",
     "### CO1. Does it listen?"), ("- Does it ask?", "### CO2. Does it ask?")]),
    ("evaluation-rubric", "## Comprehension (weight 0.3)", "| ID | Criterion |\n|---|---|\n| CQ1 | Does it listen? |\n",
     [("| ID | Criterion |", "### CQ1. …")]),
    ("evaluation-rubric", "## Comprehension (weight 0.3)", "CP1. Does it listen?\n", [("CP1. Does it listen?",
     "### CP1. Does it listen?")]),
    ("evaluation-rubric", "## Terms", "| Term | Meaning |\n|---|---|\n| Fault | what is wrong |\n", [("| Term | Meaning |",
     "- Term: what it means here")]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "heading", "instead", "expected"), PEOPLE)
def test_what_people_write_instead_of_items(kind: str, heading: str, instead: str, expected: list[tuple[str, str]]) -> None:
    text = documents.template(kind)
    level = heading.index(" ")
    body = re.compile(rf"(?<={re.escape(heading)}\n).*?(?=^#{{1,{level}}} |\Z)", re.DOTALL | re.MULTILINE)
    changed = body.sub(lambda _: f"\n{instead}\n", text, count=1)
    document = documents.parse(kind, changed, "x.md")
    lines = changed.split("\n")
    within = [finding for finding in document.findings if lines[finding.line - 1] in instead.split("\n")]
    assert [(lines[finding.line - 1], fix in finding.fix) for finding, (_, fix) in zip(within, expected, strict=True)] == [
        (line, True) for line, _ in expected
    ], within
    assert document.lost


@pytest.mark.parametrize(
    "heading",
    [
        "### Category 1: Comprehension (2 criteria) — Weight: 0.15",
        "## Comprehension – weight 15%",
        "## Comprehension [weight 0.15]",
        "## Comprehension (15%)",
        "## Comprehension (0.15)",
    ],
)
def test_a_heading_that_is_nearly_a_category(heading: str) -> None:
    rest = "- **CQ1**: does it listen?\n"
    document = documents.parse("evaluation-rubric", f"---\nthreshold: 0.8\n---\n# Rubric\n\n{heading}\n\n{rest}", "x.md")
    assert any("Comprehension (weight 0.15)" in finding.fix for finding in document.findings), document.findings


def test_a_heading_in_another_language_over_plain_bullets() -> None:
    """Each bullet is named, with the headings that its list must stand under."""
    text = "# Museum\n\n## Behavioral anchors\n\n### Immer\n\n- Die Stelle nennen\n- Den Tag nennen\n\n### Nie\n\n- Raten\n"
    document = documents.parse("domain-frameworks", text, "x.md")
    assert [finding.line for finding in document.findings] == [7, 8, 12]
    assert all("“Always do” or “Never do”" in finding.fix for finding in document.findings)


def test_answers_under_another_spelling_and_in_a_table() -> None:
    text = written()["evaluation-rubric"]
    slipped = documents.parse("evaluation-rubric", text.replace("- SF1: yes. ", "- sf1: yes. ", 1), "x.md")
    assert ["- SF1: yes." in finding.fix for finding in slipped.findings] == [True]
    example = re.search(r"(?<=\n)(?:- [A-Z]+[0-9]: (?:yes|no|n/a)\..*\n)+", text)
    assert example
    rows = "".join(f"| {line[2:5]} | yes |\n" for line in example[0].splitlines())
    tabled = documents.parse("evaluation-rubric", text.replace(example[0], f"| Q | A |\n|---|---|\n{rows}", 1), "x.md")
    assert ["tables hold no answers" in finding.what for finding in tabled.findings] == [True]


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("domain-frameworks", "- DO3: ", "- do3: "),
        ("evaluation-rubric", "### CP1. ", "### cp1. "),
        ("domain-frameworks", "### FM1. ", "### FM-1. "),
        ("domain-frameworks", "### T1.1. ", "### Technique 1.1: "),
    ],
)
def test_nothing_is_advised_while_items_are_lost(kind: str, old: str, new: str) -> None:
    """“DO3 stands there and not in …; take it out”, “E1 answers CP1, which is no question; drop that line”: whoever does that
    destroys good work because of a slip elsewhere."""
    texts = written()
    assert old in texts[kind]
    texts[kind] = texts[kind].replace(old, new, 1)
    outcomes = check(read(texts))
    assert [(outcome.gate, finding.what) for outcome in outcomes for finding in outcome.findings] == []
    path = KINDS[kind].path
    assert any(outcome.answer == "unchecked" and f"{path} holds an item" in outcome.note for outcome in outcomes)


@pytest.mark.parametrize(
    ("kind", "note"),
    [
        ("domain-frameworks", "### Always do\n\nDo 2 things at most, and FM1 first.\n"),
        ("evaluation-rubric", "## Goals\n\nThe goals are those of 2025.\n"),
        ("evaluation-rubric", "## Comprehension (weight 0.3)\n\nStep 2: read it again.\n"),
    ],
)
def test_prose_stays_prose(kind: str, note: str) -> None:
    heading = note.partition("\n")[0]
    text = documents.template(kind)
    assert heading in text
    document = documents.parse(kind, text.replace(f"{heading}\n", note, 1), "x.md")
    assert document.findings == ()
