"""The measuring commands as a person and a script meet them: words first, the same in JSON, exit codes, no project needed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from finetune_prep.cli.app import MEASURING, app
from finetune_prep.errors import FinetunePrepError
from tests.records.judged import lines, rubric_file, verdict

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in a folder without a project, in which a rubric and some files stand."""
    monkeypatch.chdir(tmp_path)
    rubric_file(tmp_path)
    lines(tmp_path / "good.jsonl", *(verdict(f"c{n}", "yyyy" if n % 4 else "nyyy", group=f"g{n}") for n in range(40)))
    lines(tmp_path / "better.jsonl", *(verdict(f"c{n}", group=f"g{n}") for n in range(40)))
    lines(
        tmp_path / "bad.jsonl",
        verdict("c1"),
        verdict("c2", "nyyy"),
        verdict("c3", "ERRO".replace("ERRO", "y?yy")),
        "{",
        verdict("c1"),
    )
    labels = [
        {"conversation_id": f"c{n}", "label": "fail" if n % 4 == 0 else "pass", "sample": {"design": "uniform"}}
        for n in range(10)
    ]
    lines(tmp_path / "labels.jsonl", *labels)
    turns = [{"role": "user", "content": "Hello there"}, {"role": "assistant", "content": "Good day to you."}]
    lines(tmp_path / "talks.jsonl", {"id": "a", "messages": turns}, {"id": "b", "messages": turns})

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(app, arguments)

    return call


RUBRIC = ("--rubric", "evaluation-rubric.md")


def test_agreement_names_conversations_as_other_commands_do(run: Run, tmp_path: Path) -> None:
    """Ours by the beginning of their hash, anybody else's as they are called."""
    ours = "0123456789abcdef" * 2
    lines(tmp_path / "ours.jsonl", verdict(ours), verdict("call-of-tuesday"))
    rows = [{"conversation_id": id, "label": "fail", "sample": {"design": "uniform"}} for id in (ours, "call-of-tuesday")]
    lines(tmp_path / "said.jsonl", *rows)
    shown = run("agreement", "ours.jsonl", "said.jsonl", *RUBRIC).output
    assert "they differ on 0123456789ab, call-of-tuesday\n" in shown


def test_score_says_it_in_words_first(run: Run) -> None:
    result = run("score", "good.jsonl", *RUBRIC)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("75% of 40 judged conversations passed, according to the judge\n")
    assert "pass rate 0.75, 95% interval 0.60 to 0.86 (Wilson, of verdicts alone; n = 40)" in result.output
    assert "SF1 (gate)  30   10  0    0        10" in result.output
    assert "What this cannot tell you\n" in result.output


def test_what_is_wrong_with_a_file_ends_with_one_and_the_rest_is_right(run: Run) -> None:
    result = run("score", "bad.jsonl", *RUBRIC)
    assert result.exit_code == 1
    assert "50% of 2 judged conversations passed" in result.output
    assert "1 of 3 unjudged: an answer is missing, which does not count as NO" in result.output
    assert "In the files: 2 findings; 2 rows count nowhere" in result.output
    assert "bad.jsonl:4: this row cannot be read" in result.output
    assert "bad.jsonl:5: a second verdict on c1 by J; the one in line 1 counts" in result.output


def test_no_pass_rate_is_made_of_nothing(run: Run, tmp_path: Path) -> None:
    lines(tmp_path / "unread.jsonl", *(verdict(f"c{n}", "????") for n in range(16)))
    result = run("score", "unread.jsonl", *RUBRIC)
    assert "None of 16 conversations has an answer to every question: there is no pass rate." in result.output
    assert "suspicious" not in result.output
    assert "suspicious" in run("score", "better.jsonl", *RUBRIC).output


def test_health_names_what_deserves_a_look(run: Run, tmp_path: Path) -> None:
    lines(
        tmp_path / "many.jsonl",
        *(verdict(f"c{n}", ("y" if n % 3 else "n") + "y" + ("yy" if n % 4 else "nn")) for n in range(100)),
    )
    output = run("health", "many.jsonl", *RUBRIC).output
    assert output.startswith("2 things to look at in the verdicts of J on 100 conversations\n")
    assert "CP2 and CP3 are answered alike (phi 1.00, at least 0.92; 0 of 100 differ)" in output
    assert "CP1 is nearly always YES (100 of 100) and so distinguishes nothing here" in output


def test_the_tables_of_health_fit_eighty_columns(run: Run, tmp_path: Path) -> None:
    """The widest cells there are: three digits, too few to say, correlations below 0, flips."""
    said = [
        ("n" if n % 9 == 0 else "y") + ("n" if n < 3 else "y") + ("y" if n % 2 else "n") + ("n" if n % 2 else "y")
        for n in range(120)
    ]
    twice = [verdict(f"c{n}", words, run=f"{again}") for again in (1, 2) for n, words in enumerate(said)]
    lines(tmp_path / "twice.jsonl", *twice)
    shown = run("health", "twice.jsonl", *RUBRIC).output.splitlines()
    first, second = (place for place, line in enumerate(shown) if line.startswith("  question"))
    tables = shown[first : first + 5] + shown[second : second + 5]
    assert any("(-" in line for line in tables)
    assert max(map(len, tables)) <= 80


def test_agreement_says_one_word_and_why(run: Run) -> None:
    result = run("agreement", "good.jsonl", "labels.jsonl", *RUBRIC)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("J: smoke-tested\n  not certified: these labels are not sealed")
    assert "10 labels of people" in result.output
    assert "exact (Clopper–Pearson); n = 7" in result.output
    assert "whether a person gave the labels: they do not say so" in result.output
    assert run("agreement", "good.jsonl", "labels.jsonl", *RUBRIC, "--ci").exit_code == 1


def test_final_without_sealed_labels_is_refused_in_a_sentence(run: Run) -> None:
    result = run("agreement", "good.jsonl", "labels.jsonl", *RUBRIC, "--final")
    assert isinstance(result.exception, FinetunePrepError)
    assert str(result.exception).startswith("labels.jsonl: not certified: no label here is sealed")


def test_compare_ends_in_a_word(run: Run) -> None:
    output = run("compare", "good.jsonl", "better.jsonl", *RUBRIC).output
    assert output.startswith("Established: better\n  mean pass rate over 40 groups: 0.75 before, 1.00 after\n")
    assert "exact sign-flip of group means" in output
    assert run("compare", "better.jsonl", "good.jsonl", *RUBRIC).output.startswith("Established: worse\n")
    assert "safety: SF1 has a NO after and none before in g0, g12" in run("compare", "better.jsonl", "good.jsonl", *RUBRIC).output


def test_compare_says_what_more_groups_would_settle_and_why_files_of_an_evaluation_have_fewer(run: Run, tmp_path: Path) -> None:
    for name, groups in (("base", 8), ("tuned", 10)):
        lines(tmp_path / f"{name}.jsonl", *(verdict(f"{n}", group=f"g{n}", run="evaluation-001/1") for n in range(groups)))
    output = " ".join(run("compare", "base.jsonl", "tuned.jsonl", *RUBRIC).output.split())
    assert output.startswith(
        "Not established: both models have the same pass rate in each of the 8 groups. 28 more groups without a difference would "
        "establish “not worse than −0.10”, but not “better”. These files hold the judged conversations of evaluation-001, and "
        "only those are counted here. Its report also counts the faulty ones"
    )
    assert "These files hold" not in run("compare", "good.jsonl", "better.jsonl", *RUBRIC).output


def test_faults_end_with_one(run: Run) -> None:
    result = run("faults", "talks.jsonl")
    assert result.exit_code == 1
    assert result.output.startswith("1 of 2 conversations faulty\n  1 duplicate\n  line 2, b: duplicate: the same words as a\n")


CALLS = {
    "score": ("good.jsonl", *RUBRIC),
    "health": ("good.jsonl", *RUBRIC),
    "agreement": ("good.jsonl", "labels.jsonl", *RUBRIC),
    "compare": ("good.jsonl", "better.jsonl", *RUBRIC),
    "faults": ("talks.jsonl",),
}
KEYS = {
    "score": ("passed", "questions"),
    "health": ("health", "advice"),
    "agreement": ("word", "tpr", "reasons"),
    "compare": ("word", "sign_flip"),
    "faults": ("faulty", "diversity"),
}


@pytest.mark.parametrize("command", CALLS)
def test_json_holds_the_same(run: Run, command: str) -> None:
    printed: dict[str, Any] = json.loads(run(command, *CALLS[command], "--json").output)
    assert {"findings", "left_out", "mapping", "cannot_tell", *KEYS[command]} <= printed.keys()


def test_every_measuring_command_is_tested() -> None:
    assert {*CALLS} == MEASURING


@pytest.mark.parametrize("command", [command for command in CALLS if command != "faults"])
def test_a_rubric_that_is_none_is_a_sentence(run: Run, tmp_path: Path, command: str) -> None:
    files = CALLS[command][:-2]
    missing = run(command, *files, "--rubric", "none.md")
    assert isinstance(missing.exception, FinetunePrepError) and "there is no such file" in str(missing.exception)
    (tmp_path / "prose.md").write_text("# Prose\n\nNothing else.\n")
    prose = run(command, *files, "--rubric", "prose.md")
    assert isinstance(prose.exception, FinetunePrepError) and "cannot be used" in str(prose.exception)
