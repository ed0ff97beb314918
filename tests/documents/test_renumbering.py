"""New ids for items: where they stand as ids they follow, everywhere else they stay."""

from __future__ import annotations

import re

import pytest

from finetune_prep import documents
from finetune_prep.errors import DocumentError, UsageError
from tests.documents.handwritten import items_of

PROJECT = {kind: documents.template(kind) for kind in documents.KINDS}

FRAMEWORKS = """\ufeff# Title

CP1 and FM1 in my words. From: T1.1

F1. Repair
==========
- Idea: as FM1 says
- **Rather than T1.1**: x
### **T1.1** – Name
- Rather than T1.2: not T1.1 itself
- Source: S01 "S01 says FM1", S02 "From: T1.1"
- Source:
  - S02 "a"
  - S01 "b"
> **User:** T1.1. FM1
>
> **Assistant:** - FM1: yes
<!-- FM1 <!-- T1.1
- From: FM1 -->
## Failure modes
### FM1. FM1 again (AI)
- Counter: if FM1 → T1.1. Source: S01
```
### FM1. code
```
## Behavioral anchors
### Always do
1. DO1: Not from T1.1. From: T1.1, <!-- FM1 --> FM1 and
   FM12; **T1.1**.
- DO2: No end
  - From: T1.1,
    FM1
""".replace("\n", "\r\n")


def test_every_way_to_write_an_id_and_none_to_quote_one() -> None:
    after = documents.renumber("domain-frameworks", FRAMEWORKS, {"T1.1": "T1.12", "FM1": "FM100", "S01": "S9"})
    expected = FRAMEWORKS
    for old, new in (
        ("### **T1.1** – Name", "### **T1.12** – Name"),
        ('- Source: S01 "S01 says FM1", S02 "From: T1.1"', '- Source: S9 "S01 says FM1", S02 "From: T1.1"'),
        ('  - S01 "b"', '  - S9 "b"'),
        ("### FM1. FM1 again (AI)", "### FM100. FM1 again (AI)"),
        ("From: T1.1, <!-- FM1 --> FM1 and", "From: T1.12, <!-- FM1 --> FM100 and"),
        ("   FM12; **T1.1**.", "   FM12; **T1.12**."),
        ("  - From: T1.1,\r\n    FM1\r\n", "  - From: T1.12,\r\n    FM100\r\n"),
    ):
        assert old in expected
        expected = expected.replace(old, new, 1)
    assert after.splitlines() == expected.splitlines()
    assert after == expected


@pytest.mark.parametrize("kind", documents.KINDS)
def test_renumbering_there_and_back_changes_nothing(kind: str) -> None:
    known = items_of(documents.parse(kind, PROJECT[kind], "x.md").value)
    ids = {id: re.sub(r"[0-9]+", r"\g<0>9", id, count=1) for id in known}  # T1.2 goes with F1
    after = documents.renumber(kind, PROJECT[kind], ids)
    assert (after != PROJECT[kind]) == bool(ids)
    assert documents.renumber(kind, after, {new: old for old, new in ids.items()}) == PROJECT[kind]


def test_two_items_change_places() -> None:
    after = documents.renumber_all(PROJECT, {"CP1": "CP2", "CP2": "CP1"})
    assert set(after) == {"evaluation-rubric", "evaluation-prompt"}
    before, rubric = (items_of(documents.parse("evaluation-rubric", text, "x.md").value)
                      for text in (PROJECT["evaluation-rubric"], after["evaluation-rubric"]))  # fmt: skip
    assert (rubric["CP1"].text, rubric["CP2"].text) == (before["CP2"].text, before["CP1"].text)
    answers = [{answer.question: answer.reason for answer in items["E2"].answers} for items in (before, rubric)]
    assert (answers[1]["CP1"], answers[1]["CP2"]) == (answers[0]["CP2"], answers[0]["CP1"])


def test_what_an_item_holds_goes_with_it() -> None:
    """Through all documents: techniques of a framework, situations of a topic, and who refers to them."""
    after = PROJECT | documents.renumber_all(PROJECT, {"F1": "F7", "TP1": "TP9", "T1.2": "T7.8"})
    found = {kind: documents.parse(kind, text, kind) for kind, text in after.items()}
    assert all(document.findings == () for document in found.values())
    assert [technique.id for technique in found["domain-frameworks"].value.frameworks[0].techniques] == ["T7.1", "T7.8", "T7.3"]
    assert [technique.id for technique in found["generation-prompt"].value.techniques][:3] == ["T7.1", "T7.8", "T7.3"]
    topic = found["scenario-space"].value.topics[0]
    assert [situation.id for situation in topic.situations] == ["TP9.1", "TP9.2", "TP9.3", "TP9.4"]
    assert topic.techniques[:3] == ("T7.1", "T7.8", "T7.3")
    assert {case.topic for case in found["scenario-space"].value.edge_cases} & {"TP1", "TP9"} == {"TP9"}


def test_a_witness_is_titled_anew() -> None:
    after = documents.renumber_all(PROJECT, {"US3": "US8"})["evaluation-rubric"]
    assert "### W1. Witness: US2 without US8" in after


@pytest.mark.parametrize(
    ("ids", "what", "where", "next"),
    [
        ({"cp1": "CP2"}, "“cp1” is not an id", "", "CP1"),
        ({"CP1": "CP2"}, "CP2 is taken", "reference/evaluation-rubric.md:55", "give CP2 a new one"),
        ({"CP1": "CP8", "CP2": "CP8"}, "two items would be called CP8", "", "each its own"),
        ({"CP7": "CP8"}, "no item is called CP7", "", "CP1, CP2, CP3"),
        ({"ZZ7": "CP8"}, "no item is called ZZ7", "", "none begins with ZZ"),
        ({"DO1": "DONT31"}, "these ids would not read", "reference/domain-frameworks.md", "keep the letters"),
        ({"T1.1": "T8.1"}, "these ids would not read", "reference/domain-frameworks.md", "keep the letters"),
        ({"F1": "F2"}, "F2 is taken", "reference/domain-frameworks.md:", "choose another"),
    ],
)
def test_what_is_refused(ids: dict[str, str], what: str, where: str, next: str) -> None:
    with pytest.raises(UsageError) as refused:
        documents.renumber_all(PROJECT, ids)
    assert refused.value.what == what
    assert refused.value.where.startswith(where)
    assert next in refused.value.next


def test_a_name_of_two_things_is_refused() -> None:
    rubric = documents.renumber("evaluation-rubric", PROJECT["evaluation-rubric"], {"SF1": "S01"})
    with pytest.raises(
        UsageError, match=r"S01 names two things: reference/domain-frameworks.md:\d+ and reference/evaluation-rub"
    ):
        documents.renumber_all(PROJECT | {"evaluation-rubric": rubric}, {"S01": "S77"})


def test_an_unreadable_text_is_refused() -> None:
    for change in (
        lambda: documents.renumber("evaluation-rubric", "a\0b", {"CP1": "CP2"}),
        lambda: documents.replace_item("a\0b", "CP1", "x", kind="evaluation-rubric"),
    ):
        with pytest.raises(DocumentError, match=r"cannot be read\n.*NUL"):
            change()
