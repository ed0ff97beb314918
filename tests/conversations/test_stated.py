"""Contacts and amounts: what is one, in which form it is compared, and what may be made of known ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_prep.conversations.stated import _IN_LINKS, _LINK, Stated, stated, unknown


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("Call 01 406 43 43, day and night.", "telephone number", "014064343"),
        ("Samaritans: 116 123", "telephone number", "116123"),
        ("Ring +44 (0)20 7946 0018.", "telephone number", "4402079460018"),
        ("Rufen Sie 030/123456 an.", "telephone number", "030123456"),
        ("Text 1-800-273-8255", "telephone number", "18002738255"),
        ("Call 112.", "telephone number", "112"),
        ("Write to Help@Kiln.example today.", "mail address", "help@kiln.example"),
        ("See https://www.kiln.com/returns.", "link", "kiln.com/returns"),
        ("It is on kiln.com.", "link", "kiln.com"),
        ("It costs €6.90 to send.", "price", "6.9"),
        ("Das kostet 6,90 Euro.", "price", "6.9"),
        ("That's $1,200 in all", "price", "1200"),
        ("1.200 € im Jahr", "price", "1200"),
        ("150 euros", "price", "150"),
        ("£ 20", "price", "20"),
        ("You get 15% off.", "percentage", "15"),
        ("Zwei Prozent, also 2,5 Prozent", "percentage", "2.5"),
    ],
)
def test_what_is_stated(text: str, kind: str, value: str) -> None:
    assert [(found.kind, found.value) for found in stated(text)] == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "Order 4711 left on 20.11.2026 at 10:30.",
        "On 2026-11-20, two of the 12 bowls.",
        "Order 12345678 is on its way.",
        "Bowl No. 999999, page 112-113",
        "Between 1998-2004 it had 100 000 visitors, and 2 000 000 in all.",
        "e.g. this one, i.e. the blue one",
        "It took 3 days, 4 hours.",
    ],
)
def test_what_states_neither_contact_nor_amount(text: str) -> None:
    assert stated(text) == ()


def test_what_is_said_twice_counts_once() -> None:
    assert stated("€5. Really, 5.00 euros.") == (Stated("price", "5.00 euros", "5"),)


def test_known_are_the_same_value_and_what_two_known_prices_make() -> None:
    facts = ["Return postage: €6.90", "Poison line: 01 406 43 43"]
    talk = "I paid 34 euros."
    assert unknown("You get €27.10 back; the line is 014064343.", [*facts, talk]) == ()
    assert unknown("You get €40.90.", [*facts, talk]) == ()
    assert unknown("Three slips are €20.70.", [*facts, talk]) == (), "three times a known price"
    assert [found.text for found in unknown("Thirteen slips are €89.70.", [*facts, talk])] == ["€89.70"], "more than a dozen"
    assert unknown("Thirteen slips (13 × €6.90) are €89.70.", [*facts, talk]) == (), "as many as it says"
    assert unknown("That is €89.70.", facts, ["I have 13 parcels."]) == (), "as many as the user says"
    assert [found.text for found in unknown("That is €89.70.", [*facts, "13 slips are a book."])] == ["€89.70"]
    assert [found.text for found in unknown("You get €30, call 01 406 43 44.", [*facts, talk])] == ["€30", "01 406 43 44"]


@given(st.lists(st.sampled_from(["https", "://", "www", ".", "com", "DE", "a", "-", "/", " ", "@", "\u017f", "é"]), max_size=12))
def test_every_link_has_a_part_by_which_it_is_found_sooner(parts: list[str]) -> None:
    text = "".join(parts)
    assert not _LINK.search(text) or _IN_LINKS.search(text)


SCHOOL = ["Entry: €3 for a child, €12 for an adult. A guide costs €60."]


@pytest.mark.parametrize(
    ("reply", "invented"),
    [
        ("25 children are €75, and with the guide you pay €135.", []),
        ("25 children are €75 and 2 adults €24: €99. With the guide that makes €159.", []),
        ("That is €75.", []),
        ("25 children are €80.", ["€80"]),
        ("25 children are €75, and with the guide you pay €140.", ["€140"]),
        ("25 children are €80, and with the guide you pay €140.", ["€80", "€140"]),
        ("You are €48 short.", []),
        ("It takes 100 minutes. Come on 14.11.2026; you pay €42.", ["€42"]),
    ],
)
def test_a_sum_may_have_as_many_parts_as_the_talk_says_and_no_invented_ones(reply: str, invented: list[str]) -> None:
    assert [found.text for found in unknown(reply, SCHOOL, ["We come with 25 children and 2 adults."])] == invented
