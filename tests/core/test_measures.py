"""Rules that a program measures: what they count, and that what is printed can be read back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.measures import COMPARISONS, FORMS, METRICS, Rule, forms, holds, measure, parse_rule
from tests.soak import examples

laws = settings(max_examples=examples(40))


def talk(*turns: str) -> Conversation:
    return Conversation(tuple(Message("user" if n % 2 == 0 else "assistant", turn) for n, turn in enumerate(turns)))


numbers = st.one_of(st.integers(0, 10**9).map(float), st.floats(0, 1e9, allow_nan=False))
phrases = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters='"”“'), min_size=1, max_size=20)
rules = st.one_of(
    st.builds(Rule, metric=st.sampled_from(sorted(METRICS)), comparison=st.sampled_from(sorted(COMPARISONS)), number=numbers),
    st.builds(
        Rule, metric=st.just("phrase in replies"), comparison=st.sampled_from(sorted(COMPARISONS)), number=numbers, phrase=phrases
    ),
)


@laws
@given(rules)
def test_a_rule_that_was_printed_is_read_back_as_it_was(rule: Rule) -> None:
    assert parse_rule(str(rule)) == rule


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("questions per reply <= 1", Rule(metric="questions per reply", comparison="<=", number=1)),
        ("  Words per  REPLY≤120 ", Rule(metric="words per reply", comparison="<=", number=120)),
        ("exchanges ≥ 2", Rule(metric="exchanges", comparison=">=", number=2)),
        (
            "words per reply over words per user message < 1.5",
            Rule(metric="words per reply over words per user message", comparison="<", number=1.5),
        ),
        ("phrase “at least” in replies = 0", Rule(metric="phrase in replies", comparison="=", number=0, phrase="at least")),
        ('Phrase "a < 3" in replies <= 2', Rule(metric="phrase in replies", comparison="<=", number=2, phrase="a < 3")),
    ],
)
def test_rules_are_read_kindly(text: str, rule: Rule) -> None:
    assert parse_rule(text) == rule


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not a rule"),
        ("questions per reply", "is not a rule"),
        ("questions per reply <= few", "is not a rule"),
        ("questions per reply <= 1 or 2", "is not a rule"),
        ("questions per reply <= -1", "is not a rule"),
        ("sighs per reply <= 1", "“sighs per reply” cannot be measured; choose one of: questions per reply"),
        ("questions per reply == 1", "cannot be measured"),
        ('phrase "" in replies = 0', "cannot be measured"),
        ('phrase "sorry" = 0', "cannot be measured"),
    ],
)
def test_what_is_no_rule_is_refused_with_what_is_allowed(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_rule(text)


def test_questions_are_counted_by_their_marks_a_row_of_marks_being_one() -> None:
    conversation = talk("Why?? Why?", "Really?! When? Where??", "Hm?", "您好？ هل وصلت؟", "And?", "None.")
    assert measure(parse_rule("questions per reply <= 1"), conversation) == [3, 2, 0]


def test_a_reply_in_chinese_is_as_long_as_its_characters() -> None:
    long = talk("碗碎了怎么办？", "请把碗的照片发给我们，三天之内会有人答复。" * 5)
    assert measure(parse_rule("words per reply <= 80"), long) == [95]
    assert not holds(parse_rule("words per reply <= 80"), long)
    assert measure(parse_rule("words per reply over words per user message <= 2"), talk("碗碎了", "请发照片给我们")) == [7 / 3]


def test_who_writes_rules_for_chinese_is_told_what_a_word_is() -> None:
    assert forms("en") == "; ".join(FORMS)
    assert "a word is one character" in forms("zh-Hant")


def test_only_replies_count_and_each_of_them_must_hold() -> None:
    conversation = talk("Is it? Is it? Is it?", "Is it broken?", "Yes.", "Two? Questions?")
    assert not holds(parse_rule("questions per reply <= 1"), conversation)
    assert holds(parse_rule("questions per reply <= 2"), conversation)


def test_the_length_ratio_takes_the_user_turn_before_each_reply() -> None:
    conversation = talk("one two three four", "one two", "one", "one two three")
    assert measure(parse_rule("words per reply over words per user message <= 2"), conversation) == [0.5, 3.0]


def test_a_reply_to_a_user_turn_without_words_is_compared_to_one_word() -> None:
    assert measure(parse_rule("words per reply over words per user message <= 2"), talk("?!", "one two three")) == [3.0]


def test_paragraphs_are_divided_by_blank_lines() -> None:
    conversation = talk("Hi", "One\nstill one\n \n\nTwo\n\n", "Hi", "")
    assert measure(parse_rule("paragraphs per reply <= 2"), conversation) == [2, 0]


@pytest.mark.parametrize(
    "reply", ["That's not nothing.", "THAT’S NOT NOTHING", "that's\nnot  nothing", "“That’s not nothing” and that's not nothing"]
)
def test_a_phrase_is_found_whatever_its_case_apostrophe_and_line_breaks(reply: str) -> None:
    for apostrophe in "'’":
        rule = parse_rule(f'phrase "that{apostrophe}s not nothing" in replies = 0')
        assert not holds(rule, talk("Hi", reply))
        assert holds(rule, talk("That's not nothing", "It is something."))


def test_a_phrase_is_counted_over_all_replies_together() -> None:
    assert measure(parse_rule('phrase "sorry" in replies <= 1'), talk("a", "Sorry, so sorry.", "b", "Sorry again.")) == [3]


@pytest.mark.parametrize(
    ("rule", "held"),
    [
        ("exchanges = 2", True),
        ("exchanges > 2", False),
        ("exchanges < 3", True),
        ("exchanges >= 2", True),
        ("exchanges <= 1", False),
    ],
)
def test_every_comparison_does_what_it_says(rule: str, held: bool) -> None:
    assert holds(parse_rule(rule), talk("a", "b", "c", "d")) is held
