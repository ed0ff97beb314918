"""`check`: what it prints for people, scripts and CI, and what it does with a judge."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from finetune_prep.cli.commands.check import TITLES, annotation
from finetune_prep.core.finding import Finding
from finetune_prep.core.request import Request
from finetune_prep.documents.kinds import KINDS
from finetune_prep.ledger.recording import export_recording
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.providers.scripted import Scripted
from finetune_prep.phases import examining
from finetune_prep.phases.examining.gate_requests import BY_ID
from finetune_prep.phases.session import open_session
from finetune_prep.project.project import Project, open_project
from finetune_prep.workflow import accepting
from tests.cli.terminal import Terminal, on_a_terminal
from tests.phases.pottery_shop import accept_all, have_judged, judge, pottery_project, rewrite


def outcomes(shown: str) -> dict[str, dict[str, Any]]:
    return {outcome["gate"]: outcome for outcome in json.loads(shown)["outcomes"]}


def ask(project: Project, provider: Scripted) -> None:
    async def job() -> None:
        async with open_session(project, provider=provider) as shop:
            await examining.ask(shop)

    asyncio.run(job())


def test_without_a_judge_it_says_how_to_get_one(shop: Project, terminal: Terminal) -> None:
    shown = terminal("check")
    line = next(line for line in shown.out.splitlines() if "anchors.observable" in line)
    assert line == (
        "  unchecked: no judge has been asked; finetune-prep check --judge asks one  [anchors.observable, anchors.conflicts]"
    )
    assert not shop.layout.ledger.exists()


def test_findings_stand_under_their_phase_with_their_line(shop: Project, terminal: Terminal) -> None:
    accept_all(shop)
    rewrite(shop, "domain-frameworks", "- DO3: Ask for one missing detail at a time. From: T1.2\n", "")
    rewrite(shop, "evaluation-rubric", "Fit (weight 0.3)", "Fit (weight 0.4)")
    shown = terminal("check")
    assert shown.code == 1
    lines = shown.out.splitlines()
    anchors, rubric = (next(n for n, line in enumerate(lines) if line.startswith(title)) for title in ("Behavioral", "Binary"))
    assert "5 anchors under “Always do”" in lines[anchors + 1]
    assert "[anchors.always-count]" in lines[anchors + 1]
    assert "weights sum to 1.1" in lines[rubric + 1]
    number = int(lines[rubric + 1].split(":")[1])
    text = shop.layout.document("evaluation-rubric").read_text("utf-8").splitlines()
    assert text[number - 1].startswith("## Comprehension")


@pytest.mark.parametrize(
    ("hidden", "name"),
    [
        ("\u202e", "U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("\U000e0041\U000e0042", "U+E0041 TAG LATIN CAPITAL LETTER A"),
        ("\u200b", "U+200B ZERO WIDTH SPACE"),
        ("\x9b", "U+009B a control character"),
        ("\u2066", "U+2066 LEFT-TO-RIGHT ISOLATE"),
    ],
)
@pytest.mark.parametrize("kind", ["evaluation-rubric", "domain-frameworks", "system-prompt"])
def test_what_nobody_sees_is_found_and_not_accepted(kind: str, hidden: str, name: str, shop: Project, terminal: Terminal) -> None:
    path = shop.layout.document(kind)
    text = path.read_text("utf-8")
    at = text.index(" ", text.index("\n\n") + 20)
    path.write_text(text[:at] + hidden + text[at:], "utf-8")
    line = text[:at].count("\n") + 1
    shown = terminal("check")
    assert shown.code == 1
    assert f"{KINDS[kind].path}:{line}: a character stands here that nobody sees and a model reads: {name}" in shown.out
    refused = terminal("accept", kind, "--yes", "--by", "a reader")
    assert refused.code != 0
    assert name in refused.err
    assert open_project(shop.folder).acceptance(kind) is None


def test_asking_for_some_documents_shows_only_their_gates(shop: Project, terminal: Terminal) -> None:
    found = outcomes(terminal("check", "evaluation-rubric", "--json").out)
    assert {gate.partition(".")[0] for gate in found} == {"rubric", "rulings", "chain", "worked-examples"}


def test_a_human_gate_waits_for_acceptance_and_then_names_who_gave_it(shop: Project, terminal: Terminal) -> None:
    before = outcomes(terminal("check", "--json").out)["research.frameworks-fit"]
    assert (before["answer"], before["note"]) == (
        "waiting",
        "a person decides this: `finetune-prep accept domain-frameworks`",
    )
    have_judged(shop)
    assert terminal("accept", "domain-frameworks", "--yes", "--by", "Ines").code == 0
    after = outcomes(terminal("check", "--json").out)["research.frameworks-fit"]
    assert (after["answer"], after["note"]) == ("holds", "accepted by Ines (not interactive)")
    rewrite(shop, "domain-frameworks", "a fault repaired fast", "a fault repaired quickly")
    assert outcomes(terminal("check", "--json").out)["research.frameworks-fit"]["answer"] == "waiting"


def test_the_judge_is_asked_once_and_replayed_for_good(shop: Project, terminal: Terminal, tmp_path: Path) -> None:
    """From a recording, so without a network; the second time from the ledger, without the recording."""
    accept_all(shop)
    ask(shop, Scripted(judge(no=["DO3"])))
    ledger = SqliteLedger(shop.layout.ledger)
    asyncio.run(export_recording(ledger, shop.folder / "recording.jsonl"))
    ledger.close()
    shop.layout.ledger.unlink()
    shown = terminal("check", "--judge", "--provider", "recording")
    assert shown.code == 1
    assert "24 questions to a judge, 0 of them answered before" in shown.out
    assert "a judge answers no about DO3: “we will see”; Write DO3 anew.  [anchors.observable]" in shown.out
    (shop.folder / "recording.jsonl").unlink()
    found = outcomes(terminal("check", "--json").out)
    assert {gate for gate in BY_ID if found[gate]["answer"] == "fails"} == {
        "anchors.observable",
        "anchors.conflicts",
    }
    assert {found[gate]["answer"] for gate in BY_ID} == {"fails", "holds"}


def test_batch_files_wait_and_are_answered(shop: Project, terminal: Terminal, tmp_path: Path) -> None:
    """Exit code 4 with the next command; with the answers imported, the same command comes to its end."""
    accept_all(shop)
    shown = terminal("check", "--judge")
    assert shown.code == 4
    assert "24 questions to models were written to a batch file" in shown.err
    assert "finetune-prep batch import ANSWERS.jsonl && finetune-prep check --judge" in shown.err
    ledger = SqliteLedger(shop.layout.ledger)
    requests = asyncio.run(ledger.rounds.requests_of(1))
    ledger.close()
    assert len(requests) == 24
    answers = tmp_path / "answers.jsonl"
    answers.write_text("".join(f"{json.dumps(answered(request))}\n" for request in requests), "utf-8")
    assert terminal("batch", "import", str(answers)).code == 0
    shown = terminal("check", "--judge", "--json")
    assert shown.code == 0
    assert {outcomes(shown.out)[gate]["answer"] for gate in BY_ID} == {"holds"}


def answered(request: Request) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": judge()(request)}, "finish_reason": "stop"}
    body = {"id": "x", "object": "chat.completion", "created": 0, "model": "any-model", "choices": [choice]}
    response = {"status_code": 200, "request_id": "r", "body": body}
    return {"id": "b", "custom_id": request.key, "response": response, "error": None}


def test_no_model_there_is_unchecked_with_the_reason(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A provider without its key: exit code 5, the reason, and not one gate that holds."""
    project = pottery_project(tmp_path / "keyless", model="openai/some-model")
    shown = Terminal(capsys, project)("check", "domain-frameworks", "--judge", "--json")
    assert shown.code == 5
    found = outcomes(shown.out)
    judged = [gate for gate in BY_ID if gate in found]
    assert {found[gate]["answer"] for gate in judged} == {"unchecked"}
    for gate in judged:
        assert found[gate]["note"].startswith("could not be checked: ")
        assert "OPENAI_API_KEY" in found[gate]["note"]


def test_a_provider_without_a_question_is_refused(terminal: Terminal) -> None:
    shown = terminal("check", "--provider", "recording")
    assert (shown.code, "--judge" in shown.err) == (2, True)


def test_annotations_name_file_and_line_from_where_ci_runs(
    shop: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shop.folder.parent)
    rewrite(shop, "evaluation-rubric", "Fit (weight 0.3)", "Fit (weight 0.4)")
    rewrite(shop, "evaluation-rubric", "- Serves: G1", "- Sevres: G1")
    rewrite(shop, "domain-frameworks", "Ask for one missing detail at a time", "Kindness above all")
    shown = Terminal(capsys)("--project", "shop", "check", "--format", "github")
    assert shown.code == 1
    lines = shown.out.splitlines()
    assert all(line.startswith(("::error file=shop", "::warning file=shop", "::notice file=shop")) for line in lines)
    text = shop.layout.document("evaluation-rubric").read_text("utf-8").splitlines()
    form = next(line for line in lines if "title=form" in line)
    number = int(form.partition("line=")[2].partition("::")[0])
    assert "Sevres" in text[number - 1]
    assert any(line.startswith("::warning") and "title=anchors.verb-first" in line for line in lines)
    assert any(line.startswith("::error") and "title=rubric.weights" in line for line in lines)


def test_an_annotation_cannot_be_ended_by_what_a_judge_wrote(tmp_path: Path) -> None:
    finding = Finding(path="a,b:c.md", line=3, what="no\n::add-mask::x", fix="100 % better\r", item="CP1")
    line = annotation("error", tmp_path, finding, "rubric.binary")
    path = os.path.relpath(tmp_path / "a").removesuffix("a")
    assert line == f"::error file={path}a%2Cb%3Ac.md,title=rubric.binary,line=3::no%0A::add-mask::x; 100 %25 better%0D"


def test_a_finding_about_a_whole_file_has_no_line(tmp_path: Path) -> None:
    finding = Finding(path="brief.md", line=0, what="it is empty", fix="")
    assert "line=" not in annotation("warning", tmp_path, finding, "form")


def test_json_is_one_document_even_with_a_judge(shop: Project, terminal: Terminal) -> None:
    ask(shop, Scripted(judge()))
    shown = terminal("check", "--judge", "--json")
    assert msgspec.json.decode(shown.out)["unasked"] == {}


def test_opening_the_project_again_changes_nothing(shop: Project, terminal: Terminal) -> None:
    """A judged outcome survives the process: it is read from disk."""
    ask(shop, Scripted(judge()))
    assert outcomes(terminal("check", "--json").out)["anchors.observable"]["note"] == "judged by any-model"
    assert open_project(shop.folder).layout == shop.layout


def on_terminal(project: Project, *options: str) -> str:
    _, shown = on_a_terminal(
        [sys.executable, "-m", "finetune_prep", "--project", str(project.folder), "check", *options], columns=400
    )
    return shown


def test_on_a_terminal_only_what_is_new_is_printed_again(shop: Project, terminal: Terminal) -> None:
    """What still stands is counted under its gate, wherever it has moved; a pipe and --all get all of it."""
    shop.layout.private.mkdir(exist_ok=True)
    rewrite(shop, "evaluation-rubric", "Does the reply use the customer's own word for the thing?", "Is the reply always good?")
    finding = next(line for line in terminal("check").out.splitlines() if "evaluation-rubric.md:" in line).strip()
    gate, what = finding.rsplit("[", 1)[1].split("]")[0], finding.split(".md:", 1)[1].split(": ", 1)[1][:40]
    first = on_terminal(shop)
    assert what in first
    assert "as before" not in first
    path = shop.layout.document("evaluation-rubric")
    path.write_text(path.read_text("utf-8").replace("\n# ", "\n\n\n# ", 1), "utf-8")
    again = on_terminal(shop)
    assert what not in again
    assert f" as before  [{gate}]" in again
    assert "finetune-prep check --all also shows the findings that have not changed." in again
    assert what in on_terminal(shop, "--all")
    assert what in terminal("check").out
    (shop.layout.private / "told.json").write_text("[]")
    assert what in on_terminal(shop)


def test_a_finding_that_comes_back_is_new(shop: Project) -> None:
    shop.layout.private.mkdir(exist_ok=True)
    sound, bad = "Does the reply use the customer's own word for the thing?", "Is the reply always good?"
    seen = []
    for old, new in ((sound, bad), (bad, sound), (sound, bad)):
        rewrite(shop, "evaluation-rubric", old, new)
        seen.append("evaluation-rubric.md:" in on_terminal(shop))
    assert seen == [True, False, True]


def test_a_summary_names_what_it_counts_and_everything_it_counts_is_listed(shop: Project, terminal: Terminal) -> None:
    """Gates and findings are not the same number; a gate that was overridden before anybody could check it has its line, too."""
    accept_all(shop)
    shop.decide(accepting.override(shop, "workflow.gate-probed", None, by="Ada", because="no probes yet"))
    lines = terminal("check").out.splitlines()
    summaries = [line for line in lines if re.match(r"[A-Z][a-z ]+: \d+ gates? ", line)]
    assert len(summaries) == len(TITLES)
    listed = [line for line in lines if re.match(r"  (advice: )?\S+\.(md|toml)(:\d+)?: |  (advice: )?runs/", line)]
    assert sum(int(line.rpartition("; ")[2].split()[0]) for line in summaries if "finding" in line) == len(listed)
    (probed,) = [line for line in lines if "[workflow.gate-probed]" in line]
    assert probed.startswith("  overridden, unchecked: no safety question has been probed yet")


def test_advice_is_not_counted_as_failing(shop: Project, terminal: Terminal) -> None:
    """What a gate of level advice finds fails nothing: the summary says it apart, and the exit code is 0."""
    rewrite(shop, "domain-frameworks", "Ask for one missing detail at a time", "Kindness above all")
    shown = terminal("check", "domain-frameworks")
    assert "advice: " in shown.out
    summaries = [line for line in shown.out.splitlines() if line.startswith("Behavioral")]
    assert len(summaries) == 1
    assert "2 with advice" in summaries[0]
    assert "fail" not in summaries[0]
    assert shown.code == 0


def test_what_fails_leads_on_in_words_and_as_a_command_for_scripts(shop: Project, terminal: Terminal) -> None:
    accept_all(shop)
    rewrite(shop, "evaluation-rubric", "threshold: 0.75", "threshold: 0.5")
    shown = terminal("check", "rubric")
    assert shown.code == 1
    assert shown.out.splitlines()[-1] == "next: fix what was found, then run finetune-prep check evaluation-rubric"
    assert "if you know better: finetune-prep accept evaluation-rubric --override rubric." in shown.out
    found = json.loads(terminal("check", "rubric", "--json").out)
    assert (found["next"], found["hint"]) == ("", "fix what was found, then run finetune-prep check evaluation-rubric")
