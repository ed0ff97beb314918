"""Quotations that stand in a source and say there something else, and ones that only look like that."""

from __future__ import annotations

import pytest

from finetune_prep.core.knowledge import Citation, Principle
from finetune_prep.documents.kinds import Documents
from finetune_prep.gates import check
from tests.gates import pottery
from tests.gates.pottery import broken, sound

CUT = [
    ("Never say that our glazes are harmless.", "say that our glazes are harmless", "never"),
    ("Staff must not ever promise a refund today.", "promise a refund today", "not"),
    ("You don’t ask for the card number.", "ask for the card number", "don't"),
    ("Man darf hier nicht über Kunden scherzen.", "über Kunden scherzen oder lachen", ""),
    ("Man darf nicht über alle Kunden scherzen.", "über alle Kunden scherzen", "nicht"),
    ("No se puede prometer dinero a nadie.", "se puede prometer dinero a nadie", "no"),
    ("请不要承诺今天退款给任何顾客。", "承诺今天退款给任何顾客", "不要"),
]
WHOLE = [
    ("Never say that our glazes are harmless.", "Never say that our glazes are harmless"),
    ("We never joke. Say that our glazes are tested.", "Say that our glazes are tested"),
    ("If you do not know, name the desk that decides.", "name the desk that decides"),
    ("Wer in Not von zu Hause schreibt, bekommt die Nummer.", "von zu Hause schreibt, bekommt"),
]


def findings(source: str, quote: str) -> list[str]:
    documents = broken(
        sound(), "knowledge.principles", (Principle(id="P1", text="So it is.", sources=(Citation(pottery.S2, quote),)),)
    )
    there = Documents(documents, {**documents.snapshots, pottery.S2: f"{pottery.MISTAKES}\n\n{source}\n"})
    outcome = next(outcome for outcome in check(there) if outcome.gate == "research.quotes-found")
    return [finding.what for finding in outcome.findings]


@pytest.mark.parametrize(("source", "quote", "negation"), CUT)
def test_a_quotation_that_is_cut_off_behind_a_negation_does_not_hold(source: str, quote: str, negation: str) -> None:
    [found] = findings(source, quote)
    expected = f"P1 quotes S02 from behind a “{negation}”" if negation else "P1 quotes words that S02 does not hold"
    assert found.startswith(expected)


@pytest.mark.parametrize(("source", "quote"), WHOLE)
def test_a_negation_of_another_clause_is_no_matter(source: str, quote: str) -> None:
    assert findings(source, quote) == []
