"""How far a run is: on a line that is written over, or in plain lines now and then."""

from __future__ import annotations

import re

import pytest

from finetune_prep.cli.progress import PLAIN_SECONDS, Bar
from finetune_prep.models.progress import Progress, RoleProgress
from finetune_prep.workflow.estimate import Estimate, Row


def row(role: str, calls: int) -> Row:
    return Row(
        phase="pilot",
        role=role,  # type: ignore[arg-type]
        prompt=role,
        model="larch/larch-1",
        calls=calls,
        known=0,
        input_tokens=0,
        cached_tokens=0,
        output_tokens=0,
        cost=0.5,
        measured=0,
    )


EXPECTED = Estimate(
    calls=90,
    input_tokens=0,
    cached_tokens=0,
    output_tokens=0,
    cost=1.0,
    measured=0.0,
    rows=(row("assistant", 70), row("judge", 20)),
)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def progress(answered: int, judged: int = 0, spent: float = 0.0) -> Progress:
    roles = {"judge": RoleProgress(answered=judged)} if judged else {}
    return Progress(answered=answered, in_flight=3, spent=spent, roles=roles)  # type: ignore[arg-type]


def test_the_line_says_of_how_much_and_when() -> None:
    clock = Clock()
    bar = Bar(clock)
    bar.expected = EXPECTED
    bar(progress(0))
    clock.now = 60.0
    said = bar.words(progress(30, judged=4, spent=0.25), clock.now)
    assert said.startswith(
        "30 of 90 answered · 4 of 20 judged · 3 in flight · 30 a minute · 2 min to go · $0.2500 spent · about $"
    )


def test_of_a_few_answers_no_rate_is_told() -> None:
    clock = Clock()
    bar = Bar(clock)
    bar(progress(0))
    clock.now = 10.0
    assert bar.words(progress(2), clock.now) == "2 answered · 3 in flight"


def test_what_was_never_asked_has_not_failed() -> None:
    bar = Bar(Clock())
    stopped = Progress(answered=10, in_flight=4, unasked=26)
    assert bar.words(stopped, 0.0) == "10 answered · 4 in flight · 26 not asked"


@pytest.mark.parametrize(
    ("abandoned", "said"),
    [
        (0, ""),
        (1, "1 call under way was abandoned; it will be asked again and may be billed twice."),
        (4, "4 calls under way were abandoned; they will be asked again and may be billed twice."),
    ],
)
def test_calls_that_were_given_up_are_told(abandoned: int, said: str) -> None:
    """Where nothing costs money, nothing is billed twice."""
    bar = Bar(Clock())
    bar(Progress(answered=10, abandoned=abandoned))
    assert bar.loss == said
    bar.free = True
    assert bar.loss == said.replace(" and may be billed twice", "")


def test_a_pipe_gets_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    """However often the counts change; none at all for what is done at once."""
    clock = Clock()
    bar = Bar(clock)
    for second in range(100):
        clock.now = float(second)
        bar(progress(second))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == int(99 / PLAIN_SECONDS)
    assert lines[0] == "  30 answered · 3 in flight · 60 a minute"
    bar.clear()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("room", "said"),
    [
        (
            200,
            "30 of 90 answered · 4 of 20 judged · 3 in flight · 30 a minute · 2 min to go · $0.2500 spent · about $0.75 in all",
        ),
        (80, "30 of 90 answered · 4 of 20 judged · 2 min to go · $0.2500 spent"),
        (56, "30 of 90 answered · 4 of 20 judged · $0.2500 spent"),
        (36, "30 of 90 answered · $0.2500 spent"),
    ],
)
def test_where_the_window_is_narrow_what_matters_least_goes(room: int, said: str) -> None:
    """Money is never what is cut off at the end."""
    clock = Clock()
    bar = Bar(clock)
    bar.expected = EXPECTED
    bar(progress(0))
    clock.now = 60.0
    assert re.sub(r"about \$[\d.]+", "about $0.75", bar.words(progress(30, judged=4, spent=0.25), clock.now, room)) == said
