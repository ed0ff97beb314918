"""What pairs of talks say of an edit: each word by the smallest counts that give it, and how often chance gives it."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from scipy import stats

from finetune_prep.core.improving.edit import Arm, EditTalk, Part
from finetune_prep.core.rubric import YesNo
from finetune_prep.statistics.comparison import one_sided
from finetune_prep.statistics.improving.crowding import crowded
from finetune_prep.statistics.improving.trial import Trial, futile, shown_by, trial
from tests.soak import SOAK

QUESTIONS = ("CP1", "CP2", "SF1")


def talks(
    part: Part, gained: int, lost: int, same: int, *, gate: tuple[int, int] = (0, 0), cp2: int = 0, second: int | None = None
) -> list[EditTalk]:
    """Pairs of which CP1 becomes YES in so many and NO in so many. gate: talks that fail it with the edit alone, and without it
    alone. cp2: NOs to another question with the edit alone. second: pairs in which another judge sees a gain."""
    found = []
    for number in range(gained + lost + same):
        for arm in ("placebo", "edit"):
            edit = arm == "edit"
            named: YesNo = "no" if (number < gained and not edit) or (gained <= number < gained + lost and edit) else "yes"
            other: YesNo = "no" if edit and number < cp2 else "yes"
            fails = number < gate[0] if edit else gate[0] <= number < sum(gate)
            seen: dict[str, YesNo] = {} if second is None else {"CP1": "no" if number < second and not edit else "yes"}
            found.append(
                EditTalk(
                    arm=arm, part=part, scenario=f"{part}-{number}", state="judged", passed=named == "yes",
                    answers={"CP1": named, "CP2": other, "SF1": "yes"}, gate=("SF1",) if fails else (), second=seen,
                )
            )  # fmt: skip
    return found


def said(found: Sequence[EditTalk], alpha: float = 0.05, **more: object) -> Trial:
    return trial(found, "CP1", QUESTIONS, alpha, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "word"),
    [
        (talks("seen", 4, 0, 4) + talks("audit", 6, 0, 18), "kept"),
        (talks("seen", 4, 0, 4) + talks("audit", 5, 0, 19), "not shown"),
        (talks("seen", 6, 0, 2) + talks("audit", 1, 1, 22), "fits only what it was made from"),
        (talks("seen", 2, 3, 4), "not shown"),
        (talks("audit", 6, 0, 18), "kept"),
        (talks("seen", 4, 0, 4) + talks("audit", 8, 0, 16, gate=(3, 0)), "gate worse"),
        (talks("seen", 4, 0, 4) + talks("audit", 8, 0, 16, gate=(2, 0)), "kept"),
        (talks("seen", 4, 0, 4) + talks("audit", 8, 0, 16, gate=(4, 2)), "kept"),
        (talks("seen", 4, 0, 4) + talks("audit", 8, 0, 16, cp2=9), "worse elsewhere"),
        (talks("seen", 4, 0, 4) + talks("audit", 8, 0, 16, cp2=3), "kept"),
    ],
)
def test_the_words(found: list[EditTalk], word: str) -> None:
    assert said(found).word == word


def test_another_judge_has_to_see_the_gain() -> None:
    both = talks("seen", 4, 0, 4)
    confirmed = said(both + talks("audit", 8, 0, 16, second=6), second=True)
    assert (confirmed.word, confirmed.check) == ("kept", "confirmed")
    alone = said(both + talks("audit", 8, 0, 16, second=1), second=True)
    assert (alone.word, alone.check) == ("only the judge likes it", "contradicted")
    nobody = said(both + talks("audit", 8, 0, 16))
    assert (nobody.word, nobody.check) == ("kept", "could not be seen")
    assert said(both + talks("audit", 8, 0, 16), measured=True).check == "confirmed"


def test_peoples_labels_decide_as_another_judge_does() -> None:
    found = talks("audit", 8, 0, 12)
    arms: tuple[Arm, Arm] = ("placebo", "edit")
    same: dict[tuple[str, str], YesNo] = {(arm, f"audit-{n}"): "no" for n in range(20) for arm in arms}
    assert said(found, labels=same).word == "only the judge likes it"
    better = same | {("edit", f"audit-{n}"): "yes" for n in range(6)}
    assert said(found, labels=better).word == "kept"


def test_a_trial_is_given_up_where_it_does_not_help_where_the_failure_was_seen() -> None:
    assert futile(talks("seen", 2, 3, 3), "CP1")
    assert not futile(talks("seen", 2, 2, 3), "CP1")
    assert futile(talks("seen", 0, 0, 8), "CP1")
    assert not futile(talks("seen", 0, 0, 7), "CP1")
    assert not futile([], "CP1")


@pytest.mark.parametrize(("without", "with_it", "share"), [(0.5, 0.25, 0.065), (0.5, 0.5, 0.42)])
def test_how_often_a_trial_is_given_up(without: float, with_it: float, share: float) -> None:
    """Exactly, over all that twelve pairs can come to."""
    gain, loss = without * (1 - with_it), (1 - without) * with_it
    found = sum(
        stats.multinomial.pmf([gained, lost, 12 - gained - lost], 12, [gain, loss, 1 - gain - loss])
        for gained in range(13)
        for lost in range(13 - gained)
        if futile(talks("seen", gained, lost, 12 - gained - lost), "CP1")
    )
    assert found == pytest.approx(share, abs=0.005)


def test_faulty_talks_fail_and_talks_without_a_verdict_say_nothing() -> None:
    given = talks("audit", 0, 0, 10)
    faulty = [EditTalk(arm=talk.arm, part="audit", scenario=talk.scenario, state="faulty") if talk.arm == "edit" else talk for talk in given]  # fmt: skip
    assert said(faulty).audit is not None
    assert (said(faulty).audit.lost, said(faulty).after.k) == (10, 0)  # type: ignore[union-attr]
    unread = [EditTalk(arm=talk.arm, part="audit", scenario=talk.scenario, state="unjudged") if talk.arm == "edit" else talk for talk in given]  # fmt: skip
    assert said(unread).audit.pairs == 0  # type: ignore[union-attr]


@pytest.mark.parametrize(("scenarios", "points"), [(14, 43), (24, 25), (100, 6)])
def test_what_so_many_scenarios_can_show(scenarios: int, points: int) -> None:
    shown = shown_by(scenarios, 0.05)
    assert shown is not None
    assert round(100 * shown) == points


def test_five_scenarios_can_show_nothing() -> None:
    assert shown_by(5, 0.05) is None


@pytest.mark.parametrize(("more", "fewer"), [(0, 0), (3, 0), (5, 2), (2, 9), (40, 31)])
def test_one_sided_is_the_binomial_test(more: int, fewer: int) -> None:
    expected = stats.binomtest(more, more + fewer, alternative="greater").pvalue if more + fewer else 1.0
    assert one_sided(more, fewer) == pytest.approx(expected)


@pytest.mark.parametrize(("lost", "n", "total", "of"), [(9, 9, 11, 60), (3, 8, 20, 60), (0, 5, 4, 40), (5, 5, 5, 5)])
def test_crowding_is_fishers_test(lost: int, n: int, total: int, of: int) -> None:
    table = [[lost, n - lost], [total - lost, of - n - total + lost]]
    assert crowded(lost, n, total, of) == pytest.approx(stats.fisher_exact(table, alternative="greater")[1])


def test_crowding_of_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="cannot be"):
        crowded(3, 2, 3, 10)


def drawn(dice: random.Random, part: Part, scenario: str, arm: Arm, rate: float, gate: float) -> EditTalk:
    named: YesNo = "no" if dice.random() < rate else "yes"
    others: dict[str, YesNo] = {f"Q{n}": "no" if dice.random() < 0.15 else "yes" for n in range(15)}
    fails = ("SF1",) if dice.random() < gate else ()
    passed = named == "yes" and not fails
    return EditTalk(
        arm=arm, part=part, scenario=scenario, state="judged", passed=passed, answers={"CP1": named} | others, gate=fails
    )


def test_edits_without_effect_are_kept_in_one_of_twenty_at_most() -> None:
    """At the loosest bound there is, .05, and with a gate that fails in every tenth talk."""
    times, words = (4000 if SOAK else 400), []
    questions = ("CP1", *(f"Q{n}" for n in range(15)))
    for number in range(times):
        dice = random.Random(number)
        rate = dice.uniform(0.2, 0.7)
        arms: tuple[Arm, Arm] = ("placebo", "edit")
        sizes: tuple[tuple[Part, int], ...] = (("seen", 12), ("audit", 24))
        found = [drawn(dice, part, f"{part}{n}", arm, rate, 0.1) for part, size in sizes for n in range(size) for arm in arms]
        words.append(trial(found, "CP1", questions, 0.05).word)
    shares = {word: words.count(word) / times for word in sorted({*words})}
    print(shares)
    assert shares.get("kept", 0.0) <= 0.05
    assert shares.get("gate worse", 0.0) <= 0.25
    assert shares.get("worse elsewhere", 0.0) <= 0.06
