"""What a person reads of a document: its text, what gates find and where, what changed, what readers said."""

from __future__ import annotations

import html
import re

from starlette.testclient import TestClient

from finetune_prep.core.finding import Finding
from finetune_prep.phases.drafting import briefing
from finetune_prep.phases.drafting.revising import Answered, Drafted, Point
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run
from finetune_prep.web.documents.text import Note, blocks
from tests.phases.pottery_shop import rewrite


def text_of(client: TestClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return html.unescape(answer.text)


def test_every_document_stands_in_the_list_with_its_state(client: TestClient, shop: Project, run: Run) -> None:
    rewrite(shop, "evaluation-rubric", "threshold: 0.75", "threshold: 0.7")
    shop.layout.document("system-prompt").unlink()
    text = text_of(client, "/documents")
    assert re.search(r'href="/documents/domain-frameworks".*?accepted</span>', text, re.DOTALL)
    assert "changed in reference/evaluation-rubric.md since it was accepted" in text
    assert "/documents/system-prompt" not in text
    assert "not made yet" in text
    assert "A person has labelled at least 10 conversations of the pilot." in text


def test_the_overview_leads_to_the_document_that_waits(client: TestClient, shop: Project, run: Run) -> None:
    assert "read and accept it here" not in text_of(client, "/")
    rewrite(shop, "evaluation-rubric", "threshold: 0.75", "threshold: 0.7")  # which its gates do not let pass
    assert 'or <a href="/documents/evaluation-rubric">read it here</a>' in text_of(client, "/")
    rewrite(shop, "evaluation-rubric", "threshold: 0.7", "threshold: 0.75")
    rewrite(shop, "user-prompt", "\n\n", "\n\nBe brief. ")
    assert 'or <a href="/documents/user-prompt">read and accept it here</a>' in text_of(client, "/")


def test_a_finding_stands_in_the_margin_of_its_line(client: TestClient, shop: Project, run: Run) -> None:
    rewrite(shop, "domain-frameworks", "### FM2.", "### FM1.")
    lines = shop.layout.document("domain-frameworks").read_text("utf-8").split("\n")
    number = max(at for at, line in enumerate(lines, start=1) if line.startswith("### FM1."))
    text = text_of(client, "/documents/domain-frameworks")
    aside, _, line = text.partition(f'id="L{number}"')
    margin = aside.rpartition("<aside")[2]
    assert f"About line {number}" in margin
    assert "FM1" in margin
    assert "### FM1." in line.partition("</div>")[0]
    assert "It cannot be accepted before it can be read" in text
    other = text_of(client, "/documents/evaluation-rubric")
    assert "reference/domain-frameworks.md holds an item that is not read" in other
    listed = client.get("/documents")
    assert listed.status_code == 200
    assert "/documents/domain-frameworks" in listed.text


def test_what_gates_find_is_linked_to_its_place(client: TestClient, shop: Project, run: Run) -> None:
    rewrite(shop, "evaluation-rubric", "threshold: 0.75", "threshold: 0.99")
    text = text_of(client, "/documents/evaluation-rubric")
    assert "The pass threshold lies between" in text
    assert "in the way" in text
    assert 'name="because:rubric.threshold"' in text


def test_words_that_changed_since_the_acceptance_are_marked(client: TestClient, shop: Project, run: Run) -> None:
    assert "What changed since" not in text_of(client, "/documents/evaluation-rubric")
    rewrite(shop, "evaluation-rubric", "threshold: 0.75", "threshold: 0.7")
    text = text_of(client, "/documents/evaluation-rubric")
    assert "<del>0.75</del><ins>0.7</ins>" in text
    assert '<a class="at" href="#L2">line 2</a>' in text


def test_an_objection_stands_with_what_became_of_it(client: TestClient, shop: Project, run: Run) -> None:
    """As the phase writes it, and not as this test would."""
    points = [
        Point(by="a seller, ten years", item=item, what=f"{item} is – in a word – cold (too cold)", fix="warm → it", critic=True)
        for item in ("FM1", "XX9")
    ]
    answers = (
        Answered(objection=points[0], taken_up=True, because="the first sentence is warm now"),
        Answered(objection=points[1], taken_up=False, because="there is no such item"),
    )
    drafted = Drafted(None, (), tuple(points), 2, answers)
    parts = [briefing.objections(drafted), briefing.Part("Sources", ("none: all of this is a model's word",))]
    briefing.write(shop, "research", "domain-frameworks", "reference/domain-frameworks.md", parts)
    text = text_of(client, "/documents/domain-frameworks")
    assert "Said by readers of the first draft; 1 of 2 taken up" in text
    assert '<span class="badge taken">taken up</span> the first sentence is warm now' in text
    assert '<span class="badge aside">set aside</span> there is no such item' in text
    assert "FM1 is – in a word – cold (too cold)" in text
    assert "a seller, ten years" in text
    assert "none: all of this is a model's word" in text


def test_a_document_that_is_not_there_says_which_command_makes_it(client: TestClient, shop: Project, run: Run) -> None:
    shop.layout.document("user-prompt").unlink()
    answer = client.get("/documents/user-prompt")
    assert answer.status_code == 409
    assert "finetune-prep generation-prompt" in answer.text
    assert client.get("/documents/nothing").status_code == 404


def test_the_brief_is_read_and_not_accepted(client: TestClient, run: Run) -> None:
    text = text_of(client, "/documents/brief")
    assert "Accept this text" not in text
    assert "to accept" not in text


def test_blocks_begin_where_something_is_said() -> None:
    note = Note(Finding(path="a.md", line=5, what="odd", fix=""), "", "stands")
    found = blocks("---\na: 1\n---\n# Title\ntext\n\nmore\n", {5: [note]})
    assert [[line.number for line in block.lines] for block in found] == [[1, 2, 3, 4], [5, 6, 7]]
    assert [block.notes for block in found] == [(), [note]]
    assert [line.look for block in found for line in block.lines] == ["matter", "matter", "matter", "h1", "", "blank", ""]
    assert [line.text for line in blocks("---", {})[0].lines] == ["---"]
