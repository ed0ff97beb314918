"""What a person may write in domain-frameworks.md for facts, limits and what is set aside, and what is said about slips in it."""

from __future__ import annotations

import pytest

from finetune_prep import documents
from finetune_prep.core.knowledge import Citation, Fact, FailureMode, Knowledge, SetAside, Wish


def read(text: str) -> tuple[Knowledge, list[str]]:
    document = documents.parse("domain-frameworks", f"# x\n\n{text}\n", "x.md")
    value = document.value
    assert isinstance(value, Knowledge)
    return value, [finding.what for finding in document.findings]


def fact(text: str) -> Fact:
    value, findings = read(f"## Facts\n\n- FA1: {text}")
    assert findings == []
    return value.facts[0]


@pytest.mark.parametrize(
    ("text", "name", "value", "kind", "scope"),
    [
        ("Poison line: 01 406 43 43 (telephone; day and night).", "Poison line", "01 406 43 43", "telephone", "day and night"),
        ("Poison line: +43 (1) 406 43 43 (telephone)", "Poison line", "+43 (1) 406 43 43", "telephone", ""),
        ("Care sheet: https://shop.example/care: (LINK)", "Care sheet", "https://shop.example/care:", "link", ""),
        ("Postage: €6.90 (price; parcels (not letters)).", "Postage", "€6.90", "price", "parcels (not letters)"),
        ("热线：12345 (telephone)", "热线：12345", "", "telephone", ""),
    ],
)
def test_a_fact_has_a_name_a_value_a_kind_and_perhaps_a_scope(text: str, name: str, value: str, kind: str, scope: str) -> None:
    if not value:  # a full-width colon with no space behind it parts nothing: the finding says how to write it
        assert read(f"## Facts\n\n- FA1: {text}")[1] == ["FA1 has no name or no value"]
        return
    found = fact(text)
    assert (found.name, found.value, found.kind, found.scope) == (name, value, kind, scope)


def test_where_a_fact_comes_from_stands_behind_it_or_below_it() -> None:
    inline = fact('Returns: 30 days (deadline). Source: S01 "within 30 days"')
    assert inline.sources == (Citation("S01", "within 30 days"),)
    both = fact(
        'Returns: 30 days (deadline)\n  - Source: S01 "within 30 days"\n  - Source: S0 "a month"\n  - Confirmed by: Greta'
    )
    assert (both.sources, both.confirmed_by) == ((Citation("S01", "within 30 days"), Citation("S0", "a month")), "Greta")
    assert fact("Returns: 30 days (deadline). Confirmed by: Greta Obdam.").confirmed_by == "Greta Obdam"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("## Facts\n\n- FA1: Returns: 30 days (time)", "FA1 does not say what kind of fact it is"),
        ("## Facts\n\n- FA1: 30 days (deadline)", "FA1 has no name or no value"),
        ("## Set aside\n\n- AF6: lectures – ", "AF6 is set aside without a reason"),
        ("## Set aside\n\n- lectures – nobody asks for it", "an item stands here without an id, so it is lost"),
        ("## Failure modes\n\n### FM1. x (AI)\n\n- Instance: y\n- Counter: z", "FM1 does not say how grave it is"),
        ("## Failure modes\n\n### FM1. x (grave)\n\n- Instance: y\n- Counter: z", "FM1 does not say what kind of failure it is"),
        ("## Asked for\n\n- Job 1: Find the order", "“Job 1” is not read as an id, so this item is lost"),
    ],
)
def test_slips_are_findings(text: str, what: str) -> None:
    assert read(text)[1] == [what]


def test_what_is_set_aside_may_name_what_stands_elsewhere() -> None:
    """A risk of the brief that is not taken up stands twice, and that is no slip; the same line twice is one."""
    value, findings = read(
        "## Asked for\n\n- RISK1: Floods\n\n## Set aside\n\n- RISK1: not our trade\n- PR3: Coupons – - 5 % – too dear"
    )
    assert findings == []
    assert value.asked_for == (Wish(id="RISK1", text="Floods"),)
    assert value.set_aside == (
        SetAside(id="RISK1", text="", because="not our trade"),
        SetAside(id="PR3", text="Coupons", because="- 5 % – too dear"),
    )
    assert read("## Set aside\n\n- AF1: a\n- AF1: b")[1] == ["“AF1” stands here for the second time"]


def test_a_failure_mode_says_how_grave_it_is_and_what_it_makes_concrete() -> None:
    value, findings = read("### FM1. Promise (unasked) (critical, AI)\n\n- From: RISK1, AF9\n- Instance: a\n- Counter: b")
    assert findings == []
    wanted = FailureMode(
        id="FM1",
        name="Promise (unasked)",
        kind="AI",
        severity="critical",
        drawn_from=("RISK1", "AF9"),
        instance="a",
        counter="b",
    )
    assert value.failure_modes == (wanted,)


@pytest.mark.parametrize(
    "line",
    [
        "DO1: Say it. Except: it is night. From: T1.1, FM3",
        "DO1: Say it\n  - Except: it is night\n  - From: T1.1, FM3",
        "DO1: Say it. Except: it is night\n  - From: T1.1, FM3",
    ],
)
def test_an_anchor_says_when_it_does_not_hold(line: str) -> None:
    value, findings = read(f"## Behavioral anchors\n\n### Always do\n\n- {line}")
    assert findings == []
    [anchor] = value.always
    assert (anchor.unless.removesuffix("."), anchor.drawn_from) == ("it is night", ("T1.1", "FM3"))
