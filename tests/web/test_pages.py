"""What the pages show and save, without a browser."""

from __future__ import annotations

import asyncio
import errno
import html
import os
import re

import msgspec
import pytest
from starlette.testclient import TestClient

from finetune_prep.core.conversation import Message
from finetune_prep.core.request import Origin, Reply, Request
from finetune_prep.core.sample import account
from finetune_prep.labels.file import read_labels
from finetune_prep.ledger.opening import open_ledger
from finetune_prep.ledger.protocols import Entry
from finetune_prep.project.lock import locked
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Reading, Run
from finetune_prep.web.app import application
from finetune_prep.web.desk import Desk
from tests.phases.pottery_shop import rewrite
from tests.results import write_results
from tests.web.conftest import OWN, PORT
from tests.workflow.reviewing.pilots import ADA, BEN, SECRET, edit_talk, pilot_of, say

FROM_US = {"origin": OWN, "sec-fetch-site": "same-origin"}


def subject(client: TestClient, place: int) -> str:
    """What the page says that it is about."""
    return re.findall(r'name="of" value="([^"]+)"', client.get(f"/review/{place}").text)[0]


def label(client: TestClient, place: int, **fields: str) -> tuple[int, str]:
    answer = client.post(f"/review/{place}/label", data={"seen": "0", "of": subject(client, place)} | fields, headers=FROM_US)
    return answer.status_code, answer.text


def crawled(client: TestClient) -> dict[str, str]:
    """Every page that can be reached by links and filters, with its headers."""
    found: dict[str, str] = {}
    waiting = [
        "/",
        "/runs/pilot-001?state=accepted",
        "/runs/pilot-001?state=rejected",
        "/runs/pilot-001?words=bowl",
        "/review/end",
    ]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        answer = client.get(path)
        found[path] = f"{answer.headers} {answer.text}"
        waiting += [html.unescape(link) for link in re.findall(r'href="(/[^"]*)"', answer.text)]
    return found


def test_no_verdict_is_in_any_answer_before_the_label(client: TestClient, run: Run, shop: Project) -> None:
    """All pages, searched: lists, filters and single conversations, too. What is not drawn may be seen."""
    drawn = Desk(shop, ADA, n=10).sitting().drawn
    hidden = {one.sample.scenario.id: one.sample for one in drawn}
    shown = crawled(client)
    assert len(shown) > 25
    numbers = {
        re.findall(r"number (\d+)", one.sample.conversation.messages[-1].content)[0] for one in drawn if one.sample.conversation
    }
    for path, text in shown.items():
        assert not [number for number in numbers if f"{SECRET} {number}<" in text], path
        if path.rpartition("/")[2] in hidden:
            assert "to review" in text
    for state in ("accepted", "rejected"):
        assert not [id for id in hidden if id in shown[f"/runs/pilot-001?state={state}"]]


def test_after_the_label_there_is_its_verdict_and_no_other(client: TestClient, run: Run, shop: Project) -> None:
    drawn = Desk(shop, ADA, n=10).sitting().drawn
    status, text = label(client, 1, label="pass")
    assert status == 200
    assert "The judge" in text
    assert "Saved." in text
    (said,) = read_labels(run.labels_path).labels
    assert (said.conversation_id, said.label, said.stage, said.labeller) == (drawn[0].conversation_id, "pass", "blind", ADA)
    assert said.seconds is not None
    assert "The judge" not in client.get("/review/2").text


def test_conversations_say_in_which_language_they_are(client: TestClient, shop: Project, run: Run) -> None:
    """The page around them is English: whoever has it read aloud hears each in its own voice."""
    place = shop.layout.document("brief")
    place.write_text(place.read_text("utf-8").replace("language: en-GB", "language: de"), "utf-8")
    assert '<html lang="en">' in client.get("/review").text
    assert '<div class="said" dir="auto" lang="de">' in client.get("/review").text
    place.unlink()
    assert '<div class="said" dir="auto">' in client.get("/review").text, "nobody says which it is"


def test_another_reader_sees_nothing_of_what_the_first_one_said(client: TestClient, shop: Project, run: Run) -> None:
    label(client, 1, label="fail", note="a secret reason")
    other = application(Desk(shop, BEN, n=10), PORT)
    reader = TestClient(other, base_url=OWN)
    reader.get(other.link)
    text = reader.get("/review/1").text
    assert "blind" in text
    assert "secret reason" not in text
    assert "The judge" not in text


def test_a_whole_review_ends_with_what_it_proves(client: TestClient, run: Run) -> None:
    for _ in range(11):
        place = int(client.get("/review").url.path.rpartition("/")[2])
        seen = re.findall(r'name="seen" value="(\d+)"', client.get(f"/review/{place}").text)[0]
        label(client, place, label="pass", seen=seen)
    text = client.get("/review").text
    assert "All read." in text
    assert "10 of 10 that the spot-check of pilot-001 needs" in text
    assert "exact 95% interval" in text
    said = read_labels(run.labels_path).labels
    assert all(one.seconds is not None for one in said)


def test_the_second_event_and_undo_are_events_of_their_own(client: TestClient, run: Run) -> None:
    label(client, 1, label="pass")
    client.post("/review/1/second", data={"act": "change", "of": subject(client, 1)}, headers=FROM_US)
    client.post("/review/1/second", data={"act": "wrong", "of": subject(client, 1)}, headers=FROM_US)
    client.post("/review/1/second", data={"act": "undo", "of": subject(client, 1)}, headers=FROM_US)
    assert [(one.label, one.stage) for one in read_labels(run.labels_path).labels] == [
        ("pass", "blind"),
        ("fail", "revealed"),
        ("fail", "revealed"),
        ("withdrawn", "revealed"),
    ]
    assert "blind" in client.get("/review/1").text
    assert client.post("/review/1/second", data={"act": "change", "of": subject(client, 1)}, headers=FROM_US).status_code == 409


def test_a_failure_without_a_reason_comes_back_with_what_was_written(client: TestClient, run: Run) -> None:
    status, text = label(client, 1, label="fail", missed="", q_XX="no")
    assert status == 422
    assert "Not saved: a failure needs a reason. Say in one line why it fails." in text
    assert not run.labels_path.exists()


def test_two_windows_are_told_of_each_other(client: TestClient, run: Run) -> None:
    assert label(client, 1, label="pass")[0] == 200
    status, text = label(client, 1, label="fail", note="another opinion")
    assert status == 409
    assert "You said pass elsewhere meanwhile. “fail” from here is not saved." in html.unescape(text)
    assert len(read_labels(run.labels_path).labels) == 1


def test_a_full_disk_is_said_and_nothing_is_called_saved(client: TestClient, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    label(client, 1, label="pass")
    before = run.labels_path.read_bytes()
    write = os.write

    def full(descriptor: int, content: bytes) -> int:
        if content.startswith(b'{"at"'):
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, content)

    monkeypatch.setattr(os, "write", full)
    status, text = label(client, 2, label="fail", note="what I wrote")
    assert status == 507
    assert "Not saved: No space left on device" in text
    assert "what I wrote" in text
    assert run.labels_path.read_bytes() == before


def test_labels_are_taken_while_a_run_holds_the_lock(client: TestClient, shop: Project, run: Run) -> None:
    with locked(shop.layout.lock, "pilot"):
        assert client.get("/").status_code == 200
        assert label(client, 1, label="pass")[0] == 200
    assert len(read_labels(run.labels_path).labels) == 1


def test_the_start_says_where_it_stands_and_what_comes_next(client: TestClient, shop: Project, run: Run) -> None:
    say(shop, run, 0, "fail", missed=("calls me a liar",))
    edit_talk(run, 0, "Changed.")
    text = html.unescape(client.get("/").text)
    assert "0 of 10 conversations read by a person" in text
    assert "calls me a liar" in text
    assert "no longer counts: the text has changed since" in text
    assert "finetune-prep pilot" in text
    assert "reference/evaluation-rubric.md" in text
    marks = re.findall(r'aria-label="(met|waived|not met)"', text)
    assert len(marks) == 10
    assert marks.count("waived") == 6, "what a person has waived is not said to hold"
    assert f"{marks.count('met')} of 10 hold, 6 waived" in text


def test_conversations_are_found_by_state_question_and_words(client: TestClient, shop: Project, run: Run) -> None:
    for number in range(12):
        say(shop, run, number, "pass")
    assert "9 of 13 conversations" in client.get("/runs/pilot-001", params={"state": "accepted"}).text
    failed = run.samples()[9].failed[0]
    assert "3 of 13 conversations" in client.get("/runs/pilot-001", params={"question": failed}).text
    assert "1 of 13 conversation" in client.get("/runs/pilot-001", params={"words": "NUMBER 7."}).text
    assert "Nothing fits" in client.get("/runs/pilot-001", params={"words": "unicorn"}).text
    assert SECRET in client.get(f"/runs/pilot-001/{run.samples()[9].scenario.id}").text
    cell = str(run.samples()[0].scenario.cell)
    count = sum(str(sample.scenario.cell) == cell for sample in run.samples())
    assert f"{count} of 13 conversations" in client.get("/runs/pilot-001", params={"cell": cell}).text
    assert "1 of 13 conversation" in client.get("/runs/pilot-001", params={"words": run.samples()[3].scenario.id}).text


def test_thin_and_odd_ones_are_found_and_thin_ones_only_once_labelled(client: TestClient, shop: Project, run: Run) -> None:
    samples = [msgspec.structs.replace(sample, thin=("Steps",), odd=("€9",)) for sample in run.samples()]
    write_results(run, samples, run.verdicts(), account(samples))
    waiting = len(Desk(shop, ADA, n=10).hidden())
    assert f"{13 - waiting} of 13 conversations" in client.get("/runs/pilot-001", params={"thin": "1"}).text
    assert "13 of 13 conversations" in client.get("/runs/pilot-001", params={"odd": "1"}).text
    for number in range(12):
        say(shop, run, number, "pass")
    assert "13 of 13 conversations" in client.get("/runs/pilot-001", params={"thin": "1"}).text
    text = client.get(f"/runs/pilot-001/{samples[0].scenario.id}").text
    assert "Thin: Steps rests on one question." in text
    assert "Odd: €9 stands in no fact" in text


def test_every_request_stands_behind_a_row_and_none_of_a_judge_before_the_label(
    client: TestClient, shop: Project, run: Run
) -> None:
    drawn = Desk(shop, ADA, n=10).sitting().drawn[0].sample
    record(shop, drawn.scenario.id)
    path = f"/runs/pilot-001/{drawn.scenario.id}"
    assert f'href="{path}/requests"' in client.get(path).text
    before = client.get(f"{path}/requests").text
    assert "1 request behind it" in before
    assert "what the assistant said" in before
    assert "SECRET" not in before
    label(client, 1, label="pass")
    after = client.get(f"{path}/requests").text
    assert "2 requests behind it" in after
    assert "SECRET OF THE JUDGE" in after
    other = run.samples()[-1].scenario.id
    assert "The ledger holds none of them" in client.get(f"/runs/pilot-001/{other}/requests").text


def record(project: Project, scenario: str) -> None:
    """One answer of the assistant and one of the judge, as a pilot leaves them in the ledger."""

    async def put() -> None:
        async with open_ledger(project.layout.ledger) as ledger:
            for role, text in (("assistant", "what the assistant said"), ("judge", "SECRET OF THE JUDGE")):
                request = Request(
                    role=role,  # type: ignore[arg-type]
                    phase="pilot",
                    origin=Origin(run="pilot-001", scenario=scenario, turn=1),
                    model="larch-1",
                    messages=(Message("user", f"to the {role}"),),
                )
                await ledger.answers.put(Entry(request, Reply(text=text)))

    asyncio.run(put())


@pytest.mark.parametrize(
    "path", ["/runs/pilot-009", "/runs/pilot-001/nothing", "/review/0", "/review/99", "/static/app.py", "/x"]
)
def test_what_is_not_there_is_a_page_that_says_so(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "There is no such page" in answer.text


def test_without_a_pilot_the_pages_say_what_to_do(shop: Project) -> None:
    guard = application(Desk(shop, ADA, n=10), PORT)
    client = TestClient(guard, base_url=OWN)
    client.get(guard.link)
    assert client.get("/").status_code == 200
    answer = client.get("/review")
    assert answer.status_code == 409
    assert "finetune-prep pilot" in answer.text


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "</textarea><img src=x onerror=alert(1)>",
        "{{ 7 * 7 }}{% raw %}",
        "&lt;b&gt;",
        "a\u202eb\u200bc",
    ],
)
def test_text_of_a_model_is_text(shop: Project, text: str) -> None:
    pilot_of(shop, "pf", [text])
    guard = application(Desk(shop, ADA, n=10), PORT)
    client = TestClient(guard, base_url=OWN)
    client.get(guard.link)
    page = client.get("/review/1").text
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "49" not in page
    if "\u202e" in text:
        assert "\u202e" not in page
        assert "invisible character U+202E right-to-left override" in page
        assert "invisible character U+200B zero width space" in page


def test_a_label_is_of_what_was_shown_and_of_nothing_that_came_in_its_place(client: TestClient, shop: Project, run: Run) -> None:
    """A run goes on, a text or the rubric is edited: what stands in this place then was not what the person read."""
    shown = subject(client, 1)
    drawn = Desk(shop, ADA, n=10).sitting().drawn
    edit_talk(run, [sample.scenario.id for sample in run.samples()].index(drawn[0].sample.scenario.id), "Another text.")
    status, text = label(client, 1, label="pass", of=shown)
    assert status == 409
    assert "has changed since this page was shown" in text
    assert "Another text." in text
    shown = subject(client, 1)
    rewrite(shop, "evaluation-rubric", "threshold: 0.75", "threshold: 0.7")
    assert label(client, 1, label="pass", of=shown)[0] == 409
    assert client.post("/review/1/second", data={"act": "undo", "of": shown}, headers=FROM_US).status_code == 409
    assert not run.labels_path.exists()


def test_an_edit_of_the_run_is_seen_at_once(client: TestClient, shop: Project, run: Run) -> None:
    drawn = Desk(shop, ADA, n=10).sitting().drawn
    number = next(place for place, sample in enumerate(run.samples()) if sample.scenario.id == drawn[0].sample.scenario.id)
    assert "Another text." not in client.get("/review/1").text
    edit_talk(run, number, "Another text.")
    assert "Another text." in client.get("/review/1").text


def test_a_verdict_of_two_judges_says_who_said_what_once_it_is_labelled(client: TestClient, shop: Project, run: Run) -> None:
    drawn = Desk(shop, ADA, n=10).sitting().drawn[0].sample
    rows = {row.scenario: row for row in run.verdicts()}
    row = rows[drawn.scenario.id]
    first = next(iter(row.answers))
    other = Reading(judge="birch-2", answers=row.answers | {first: "no"})
    second = msgspec.structs.replace(row, readings=(Reading(judge="larch-1", answers=row.answers), other), again=other)
    write_results(run, run.samples(), (rows | {second.scenario: second}).values(), account(run.samples()))
    path = f"/runs/pilot-001/{drawn.scenario.id}"
    assert "birch-2" not in client.get(path).text
    label(client, 1, label="pass")
    shown = " ".join(re.sub(r"<[^>]+>", " ", client.get(path).text).split())
    assert "larch-1 alone: the same answers" in shown
    assert f"birch-2 alone: {first} no" in shown
    assert f"Judged twice, the second time: {first} no" in shown
