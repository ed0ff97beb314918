"""What was agreed covers a run that goes on, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from finetune_prep.project.consent.agreements import Amount, agree, agreed, note_spent

HERE = Path("/somewhere/shop")
MODELS = ["judge: larch/larch-1 at https://larch.example/v1"]
NOTHING = Amount()


def dollars(amount: float) -> Amount:
    return Amount(dollars=amount)


def test_what_is_spent_counts_with_what_is_to_come() -> None:
    assert not agreed(HERE, MODELS, NOTHING, dollars(1.0))
    agree(HERE, MODELS, dollars(3.0), dollars(2.0))
    assert agreed(HERE, MODELS, dollars(3.0), dollars(2.0))
    assert agreed(HERE, MODELS, dollars(4.5), dollars(0.5))
    assert agreed(HERE, MODELS, dollars(4.5), dollars(0.6))  # an estimate that has become a little higher
    assert not agreed(HERE, MODELS, dollars(4.5), dollars(0.8))


def test_answers_of_unknown_cost_are_counted_by_their_number() -> None:
    agree(HERE, MODELS, NOTHING, Amount(answers=10))
    assert agreed(HERE, MODELS, Amount(answers=4), Amount(answers=6))
    assert not agreed(HERE, MODELS, Amount(answers=4), Amount(answers=8))
    assert not agreed(HERE, MODELS, NOTHING, dollars(0.01))


@pytest.mark.parametrize(
    ("folder", "models"),
    [
        (Path("/somewhere/copy"), MODELS),
        (HERE, ["judge: larch/larch-2 at https://larch.example/v1"]),
        (HERE, ["judge: larch/larch-1 at https://maple.example/v1"]),
        (HERE, ["user: larch/larch-1 at https://larch.example/v1", *MODELS]),
    ],
)
def test_another_folder_or_model_is_another_matter(folder: Path, models: list[str]) -> None:
    agree(HERE, MODELS, NOTHING, dollars(2.0))
    assert not agreed(folder, models, NOTHING, dollars(0.1))


def test_fewer_models_than_were_agreed_to_are_no_other_matter() -> None:
    agree(HERE, ["user: larch/larch-1 at https://larch.example/v1", *MODELS], NOTHING, dollars(2.0))
    assert agreed(HERE, MODELS, NOTHING, dollars(1.0))


def test_a_ledger_that_has_lost_something_is_not_filled_again() -> None:
    agree(HERE, MODELS, NOTHING, dollars(2.0))
    note_spent(HERE, MODELS, dollars(1.5))
    assert agreed(HERE, MODELS, dollars(1.5), dollars(0.5))
    assert not agreed(HERE, MODELS, NOTHING, dollars(2.0))


def test_without_a_home_nothing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("no home")

    monkeypatch.setattr(Path, "home", homeless)
    agree(HERE, MODELS, NOTHING, dollars(2.0))
    assert not agreed(HERE, MODELS, NOTHING, dollars(1.0))
