"""`import`: never over a text without being told, through the history, and what is missing is said."""

from __future__ import annotations

import json
from pathlib import Path

from finetune_prep.project.project import Project
from finetune_prep.project.stamps import Part
from tests.cli.terminal import Terminal

QUESTIONS = [{"question": "Does it name the fault?", "category": "Heard", "source": "handbook"}]


def test_a_rubric_replaces_one_only_when_told(shop: Project, terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "theirs.json"
    file.write_text(json.dumps(QUESTIONS), "utf-8")
    before = shop.layout.document("evaluation-rubric").read_text("utf-8")
    refused = terminal("import", "rubric", str(file))
    assert refused.code == 3
    assert "exists already" in refused.err
    assert shop.layout.document("evaluation-rubric").read_text("utf-8") == before
    done = terminal("import", "rubric", str(file), "--overwrite")
    assert done.code == 0
    assert "evaluation-rubric.md: 1 question from" in done.out
    assert "source: handbook – there is no place for this column" in " ".join(done.out.split())
    assert "the category “Heard” has no weight" in " ".join(done.out.split())
    assert "HE1 does not say “Yes”" in " ".join(done.out.split())
    (restore,) = [line.split(":", 1)[1].split() for line in done.out.splitlines() if "finetune-prep restore" in line]
    assert terminal(*restore[1:]).code == 0
    assert shop.layout.document("evaluation-rubric").read_text("utf-8") == before


def test_its_json(shop: Project, terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "theirs.csv"
    file.write_text("question,category\nDoes it listen?,Heard\n", "utf-8")
    done = json.loads(terminal("import", "rubric", str(file), "--overwrite", "--json").out)
    assert done["number"] == 1
    assert {"column": "question", "became": "the question"} in done["placed"]
    assert any("no pass threshold" in finding["what"] for finding in done["missing"])


def test_anchors_go_into_their_section_and_leave_the_rest(shop: Project, terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "rules.md"
    file.write_text("# Rules\n\n## Always\n\n- Name the fault\n\n## Never\n\n- Do not guess\n", "utf-8")
    path = shop.layout.document("domain-frameworks")
    assert terminal("import", "anchors", str(file)).code == 3
    head, _, rest = path.read_text("utf-8").partition("## Behavioral anchors")
    done = terminal("import", "anchors", str(file), "--overwrite")
    assert done.code == 0
    after = path.read_text("utf-8")
    assert after.startswith(head)
    assert after.endswith(rest[rest.index("## Sources") :])
    assert "- DO1: Name the fault\n" in after
    assert "- DONT1: Guess\n" in after
    assert "1 anchors under “Always do”" in " ".join(done.out.split()) or "DO1" in done.out
    path.unlink()
    assert terminal("import", "anchors", str(file)).code == 3


def test_a_heading_that_names_no_list_is_refused_with_the_way_out(shop: Project, terminal: Terminal, tmp_path: Path) -> None:
    """What stands below it may be forbidden."""
    file = tmp_path / "their rules.md"
    file.write_text("## Sohasem\n\n- promise refunds\n", "utf-8")
    path = shop.layout.document("domain-frameworks")
    before = path.read_text("utf-8")
    refused = terminal("import", "anchors", str(file), "--overwrite")
    assert refused.code == 3
    assert "whether to do always or never what stands under “Sohasem” (1 row)" in refused.err
    assert f"finetune-prep import anchors '{file}' --overwrite --unmarked always (or never)" in refused.err
    assert path.read_text("utf-8") == before
    done = terminal("import", "anchors", str(file), "--overwrite", "--unmarked", "never")
    assert done.code == 0
    assert "- DONT1: promise refunds\n" in path.read_text("utf-8")
    assert terminal("import", "rubric", str(file), "--unmarked", "never").code == 2


def test_what_is_no_file_is_a_sentence(terminal: Terminal, tmp_path: Path) -> None:
    for file, what in ((tmp_path, "this is a folder"), (tmp_path / "none.json", "there is no such file")):
        shown = terminal("import", "rubric", str(file), "--overwrite")
        assert shown.code == 2
        assert what in shown.err


def test_a_page_about_what_was_written_before_is_not_to_be_read_for_what_was_imported(
    shop: Project, terminal: Terminal, tmp_path: Path
) -> None:
    kind = "evaluation-rubric"
    shop.write(
        kind, shop.layout.document(kind).read_text("utf-8") + "\nMore.\n", {"Questions": Part(compiled=False, made_from={})}
    )
    digest = shop.layout.digest(3, kind)
    digest.parent.mkdir(parents=True, exist_ok=True)
    digest.write_text("# What deserves a look\n", "utf-8")
    assert f"look first at reference/digest/{digest.name}" in " ".join(terminal("status").out.split())
    file = tmp_path / "theirs.json"
    file.write_text(json.dumps(QUESTIONS), "utf-8")
    assert terminal("import", "rubric", str(file), "--overwrite").code == 0
    assert digest.name not in terminal("status").out
