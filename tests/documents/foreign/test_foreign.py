"""Rubrics and lists of behaviours in other people's forms: what becomes what, what has no place, and files that hold nothing."""

from __future__ import annotations

import json

import pytest

from finetune_prep import documents
from finetune_prep.core.knowledge import Knowledge
from finetune_prep.core.rubric import Rubric
from finetune_prep.documents.foreign.behaviors import draw_anchors
from finetune_prep.documents.foreign.drafting import Drawn
from finetune_prep.documents.foreign.questions import draw_rubric
from finetune_prep.documents.foreign.rows import MOST_BYTES, MOST_ROWS, read_rows
from finetune_prep.errors import UsageError


def drawn(text: str, name: str) -> tuple[Drawn, Rubric]:
    found = draw_rubric(read_rows(text.encode(), name), "Rubric")
    document = documents.parse("evaluation-rubric", found.text, "x.md")
    assert document.lost == 0, "an import writes nothing that is not read"
    assert document.value is not None
    return found, document.value


def shown(rubric: Rubric) -> list[tuple[str, float | None, list[str]]]:
    return [(one.name, one.weight, [f"{question.id} {question.text}" for question in one.questions]) for one in rubric.categories]


LISTED = [
    {"question": "Does it name the fault?", "category": "Heard", "weight": 3, "yes": "names it", "no": "“Sorry.”"},
    {"question": "Does it stay calm?", "category": "Tone", "weight": 1},
    {"question": "Does it ask for no password?", "category": "Safety", "weight": 5},
]
EXPECTED = [
    ("Safety", None, ["SA1 Does it ask for no password?"]),
    ("Heard", 0.75, ["HE1 Does it name the fault?"]),
    ("Tone", 0.25, ["TO1 Does it stay calm?"]),
]
NESTED = {
    "title": "Shop",
    "pass_threshold": 80,
    "categories": [
        {"name": "Safety", "questions": ["Does it ask for no password?"]},
        {"name": "Heard", "weight": 75, "questions": [{"text": "Does it name the fault?", "yes": "names it", "no": "“Sorry.”"}]},
        {"name": "Tone", "weight": 25, "questions": ["Does it stay calm?"]},
    ],
}
CSV = """question;category;weight
Does it name the fault?;Heard;3
Does it stay calm?;Tone;1
Does it ask for no password?;Safety;5
"""
TABLES = """# Shop

## Category 1: Heard (1 criterion) — Weight: 0.75

| ID | Criterion | YES if | NO if |
|----|-----------|--------|-------|
| HE1 | Does it name the fault? | names it | “Sorry.” |

## Category 2: Tone — Weight: 0.25

1. **Does it stay calm?**

## Safety

- SA1: Does it ask for no password?
"""


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (json.dumps(LISTED), "r.json"),
        ("\n".join(map(json.dumps, LISTED)), "r.jsonl"),
        (json.dumps({"rubric": LISTED}), "r.json"),
        (json.dumps(NESTED), "r.json"),
        (CSV, "r.csv"),
        (CSV.replace(";", "\t").replace("\n", "\r\n"), "r.tsv"),
        ("\ufeff" + CSV.replace(";", ","), "R.CSV"),
        (TABLES, "r.md"),
    ],
)
def test_one_rubric_in_many_forms(text: str, name: str) -> None:
    found, rubric = drawn(text, name)
    assert shown(rubric) == EXPECTED
    assert found.number == 3
    assert found.unplaced == ()
    if "names it" in text:
        assert (rubric.questions[1].yes, rubric.questions[1].no) == ("names it", "“Sorry.”")


def test_what_the_file_says_of_the_whole() -> None:
    _, rubric = drawn(json.dumps(NESTED), "r.json")
    assert (rubric.title, rubric.threshold) == ("Shop", 0.8)


def test_weights_of_points_that_take_away_have_no_place() -> None:
    """Put in as they are, they would be asked the wrong way round."""
    criteria = [
        {"criterion": "Tells to call an ambulance", "points": 8, "tags": ["level:example"]},
        {"criterion": "Fails to mention breathing", "points": -5, "tags": []},
    ]
    found, rubric = drawn(json.dumps({"prompt": [{"role": "user"}], "rubrics": criteria}), "h.json")
    assert [question.text for question in rubric.questions] == ["Tells to call an ambulance"]
    assert [(left.place, left.text, left.why.partition(":")[0]) for left in found.unplaced] == [
        ("row 1", "tags: level:example", "there is no place for this column"),
        ("row 2", "Fails to mention breathing", "-5 points"),
    ]


def test_names_are_not_ids_and_get_one() -> None:
    criteria = [{"name": "clear_requirements", "weight": 10.0, "requirement": "States the requirements"}]
    found, rubric = drawn(json.dumps({"criteria": criteria}), "a.json")
    assert [(question.id, question.text) for question in rubric.questions] == [("QU1", "States the requirements")]
    assert any(placed.column == "1 id" for placed in found.placed)


def test_a_scale_has_no_place() -> None:
    found, _ = drawn(json.dumps([{"question": "How warm is it?", "options": ["1", "2", "3", "4"]}]), "s.json")
    assert [left.why for left in found.unplaced] == ["answers on a scale; ours are yes, no and N/A"]


def test_ids_stay_once_and_no_column_counts_rows_where_there_is_no_yes() -> None:
    _, rubric = drawn("No,Question\n1,Does it listen?\n2,Does it ask?\n", "n.csv")
    assert [question.text for question in rubric.questions] == ["Does it listen?", "Does it ask?"]
    assert rubric.questions[0].no == ""
    _, twice = drawn(json.dumps([{"id": "he-1", "question": "A?"}, {"id": "HE1", "question": "B?"}]), "n.json")
    assert [question.id for question in twice.questions] == ["HE1", "QU1"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (json.dumps({"always": ["Name the fault"], "never": ["Do not ask for a password", "Guess"]}), "a.json"),
        (json.dumps([{"behavior": "Name the fault", "type": "do"}, *({"behavior": text, "type": "don't"} for text in
                     ("Never ask for a password", "Guess"))]), "a.json"),
        ("# x\n\n## Always do\n\n1. **Name the fault**\n   - a note\n\n## Don'ts\n\n- DON'T1: Ask for a password\n- Guess\n", "a.md"),
        ("behavior,list\nName the fault,always\nAsk for a password,never\nGuess,never\n", "a.csv"),
        ("- Name the fault\n- Don’t ask for a password\n- Never guess\n", "a.md"),
    ],
)  # fmt: skip
def test_one_list_of_behaviors_in_many_forms(text: str, name: str) -> None:
    found = draw_anchors(read_rows(text.encode(), name))
    document = documents.parse("domain-frameworks", f"# x\n\n{found.text}", "x.md")
    value: Knowledge = document.value
    assert [anchor.text for anchor in value.always] == ["Name the fault"]
    assert [anchor.text for anchor in value.never] == ["Ask for a password", "Guess"]
    assert document.lost == 0


HOSTILE = [
    (b"", "a.json", "the file is empty"),
    (b"\xff\xfe{", "a.json", "this is not UTF-8 text"),
    (b"[\0]", "a.json", "NUL"),
    (b"{", "a.json", "this is not JSON"),
    (b"[" * 100_000, "a.json", "nested too deeply"),
    (b"[" * 50 + b"]" * 50, "a.json", "nested too deeply"),
    (b'{"a": 1}', "a.json", "no list of questions"),
    (b"42", "a.json", "no list of questions"),
    (b"question\n", "a.csv", "no list of questions"),
    (b"a,b\n1,2,3\n", "a.csv", "row 1 has 3 cells"),
    (b'a,b\n"' + b"x" * 200_000 + b'",1\n', "a.csv", "this is not CSV"),
    (b"just prose\n", "a.md", "no list of questions"),
    (b"x", "a.xlsx", "is no form that is read"),
    (b"x", "noending", "is no form that is read"),
    (b" " * (MOST_BYTES + 1), "a.json", "KB"),
    (json.dumps(["x?"] * (MOST_ROWS + 1)).encode(), "a.json", "501 rows"),
]


@pytest.mark.parametrize(("data", "name", "what"), HOSTILE, ids=[f"{row[1]}-{row[2]}" for row in HOSTILE])
def test_odd_and_hostile_files_are_a_sentence(data: bytes, name: str, what: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_rows(data, name)
    assert what in str(refused.value)
    assert refused.value.next


def test_texts_that_look_like_structure_stay_texts() -> None:
    """Whatever a cell holds, the draft reads back with as many questions as were placed."""
    odd = [
        "# x\n## Goals\nIs it?",
        "<!-- Is it?",
        "---",
        "Is it (gate)",
        "x (weight 0.9)",
        "> **User:** hi?",
        "a" * 1001,
        "\u2028?",
    ]
    found, rubric = drawn(json.dumps([{"question": text, "category": text[:30]} for text in odd]), "o.json")
    assert len(rubric.questions) == found.number == len(odd) - 1
