"""The user's own material: what can be read is read as it stands, and what cannot is told and stops nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from finetune_prep.core.identity import digest_bytes
from finetune_prep.core.knowledge import Source
from finetune_prep.sources.files import FIX, LARGEST, SourceText, from_snapshot, known_ids, next_id, read_folder, read_snapshots
from tests.effort import in_proportion
from tests.soak import examples
from tests.sources.foreign import docx, hide_cryptography, locked_pdf, p, pdf, r, word

PAGE = "# Returns\n\nThirty days from the day of delivery.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """sources/ of a project at tmp_path / "shop"."""
    path = tmp_path / "shop" / "sources"
    path.mkdir(parents=True)
    return path


def put(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(folder: Path) -> list[SourceText]:
    texts, findings = read_folder(folder, folder.parent)
    assert findings == []
    return texts


def only(folder: Path, content: str | bytes, name: str = "page.md") -> SourceText:
    put(folder, name, content)
    (text,) = read(folder)
    return text


def problems(folder: Path) -> dict[str, str]:
    _, findings = read_folder(folder, folder.parent)
    assert all(finding.fix for finding in findings)
    return {finding.path: finding.what for finding in findings}


def test_a_project_without_sources_has_none(tmp_path: Path) -> None:
    assert read_folder(tmp_path / "sources", tmp_path) == ([], [])


def test_files_are_numbered_in_the_order_of_their_paths(folder: Path) -> None:
    for name in ("returns.md", "b/late.txt", "b/early.md", "a.MD"):
        put(folder, name, PAGE)
    assert [(text.source.id, text.source.where) for text in read(folder)] == [
        ("S01", "sources/a.MD"),
        ("S02", "sources/b/early.md"),
        ("S03", "sources/b/late.txt"),
        ("S04", "sources/returns.md"),
    ]


def test_hidden_files_and_folders_are_passed_over(folder: Path) -> None:
    for name in (".notes.md", ".obsidian/workspace.md", "deep/.git/HEAD", "deep/.DS_Store"):
        put(folder, name, PAGE)
    assert read_folder(folder, folder.parent) == ([], [])


def test_what_cannot_be_read_is_told_and_takes_no_number(folder: Path) -> None:
    put(folder, "a.epub", b"PK")
    put(folder, "a.pdf", b"%PDF-1.7")
    put(folder, "b.md", b"Gr\xfc\xdfe")
    put(folder, "c.md", "")
    put(folder, "d.md", " \n\t\n")
    put(folder, "e.txt", "a\0b")
    put(folder, "f.md", "x" * (LARGEST + 1))
    put(folder, "g", "no ending")
    put(folder, "h.md", "---\ntitle: Nothing more\n---\n")
    put(folder, "i.md", PAGE)
    texts, _ = read_folder(folder, folder.parent)
    assert [(text.source.id, text.source.where) for text in texts] == [("S01", "sources/i.md")]
    assert problems(folder) == {
        "sources/a.epub": "not read: .epub is not a text format known here",
        "sources/a.pdf": "not read: its PDF is broken (PdfStreamError)",
        "sources/b.md": "not read: not UTF-8 text",
        "sources/c.md": "not read: empty",
        "sources/d.md": "not read: empty",
        "sources/e.txt": "not read: binary",
        "sources/f.md": "not read: larger than 2 MB",
        "sources/g": "not read: no ending is not a text format known here",
        "sources/h.md": "not read: empty",
    }


def test_a_link_out_of_the_project_is_not_followed(folder: Path, tmp_path: Path) -> None:
    put(tmp_path, "private.md", "not for the project")
    put(tmp_path, "handbook/returns.md", PAGE)
    put(folder, "deep/inside.md", PAGE)
    (folder / "file.md").symlink_to(tmp_path / "private.md")
    (folder / "up.md").symlink_to(Path("../../private.md"))
    (folder / "folder").symlink_to(tmp_path / "handbook")
    (folder / "nowhere.md").symlink_to(tmp_path / "gone.md")
    (folder / "circle.md").symlink_to(folder / "circle.md")
    (folder / "here.md").symlink_to(folder / "deep" / "inside.md")
    texts, _ = read_folder(folder, folder.parent)
    assert [text.source.where for text in texts] == ["sources/deep/inside.md", "sources/here.md"]
    leads_nowhere = "not read: it is a link to a folder, or to nothing"
    assert problems(folder) == {
        "sources/circle.md": leads_nowhere,
        "sources/file.md": "not read: it points outside the project",
        "sources/folder": leads_nowhere,
        "sources/nowhere.md": leads_nowhere,
        "sources/up.md": "not read: it points outside the project",
    }


def test_a_project_that_is_itself_reached_by_a_link_is_read(folder: Path, tmp_path: Path) -> None:
    put(folder, "page.md", PAGE)
    (tmp_path / "link").symlink_to(folder.parent)
    texts, findings = read_folder(tmp_path / "link" / "sources", tmp_path / "link")
    assert ([text.source.where for text in texts], findings) == (["sources/page.md"], [])


def test_a_file_that_vanishes_while_it_is_read_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, "a.md", PAGE)
    put(folder, "b.md", PAGE)
    whole = Path.read_bytes

    def vanishing(path: Path) -> bytes:
        if path.name == "a.md":
            path.unlink()
        return whole(path)

    monkeypatch.setattr(Path, "read_bytes", vanishing)
    texts, findings = read_folder(folder, folder.parent)
    assert [text.source.where for text in texts] == ["sources/b.md"]
    assert [finding.what for finding in findings] == ["not read: No such file or directory"]


def test_front_matter_tells_about_the_page_and_is_not_part_of_it(folder: Path) -> None:
    front = "---\nTitle: |\n  Returns\n  and refunds\npublisher: 'Larch: Linen'\npublished: 2026-03-01\nedition: 3\n---\n"
    text = only(folder, front + PAGE)
    assert (text.source.title, text.source.publisher, text.source.published) == (
        "Returns and refunds",
        "Larch: Linen",
        "2026-03-01",
    )
    assert text.text == PAGE
    assert text.hash == digest_bytes((front + PAGE).encode())


def test_an_empty_value_says_nothing(folder: Path) -> None:
    text = only(folder, f"---\ntitle:\npublisher:\npublished: ~\n---\n{PAGE}")
    assert (text.source.title, text.source.publisher, text.source.published) == ("Returns", "", "")


@pytest.mark.parametrize(
    ("content", "name", "title"),
    [
        (PAGE, "page.md", "Returns"),
        ("Thirty days.\n", "damaged-goods.md", "Damaged goods"),
        ("Intro\n\n#   Late heading  \n", "page.md", "Late heading"),
        ("#hashtag\n", "page.md", "Page"),
        ("---\n---\n# After an empty block\n", "page.md", "After an empty block"),
    ],
)
def test_a_page_without_a_title_is_named_by_its_heading_or_its_file(folder: Path, content: str, name: str, title: str) -> None:
    assert only(folder, content, name).source.title == title


@pytest.mark.parametrize(
    "front",
    [
        "title: [open",
        "just words",
        "- a\n- list",
        "title: a\ntitle: b",
        "published: 2026-02-30",
        "x: !!python/object/apply:os.system ['true']",
        "[" * 1500,
        "title: \tx: y: z",
    ],
)
def test_what_is_no_front_matter_is_left_in_the_text(folder: Path, front: str) -> None:
    page = f"---\n{front}\n---\n{PAGE}"
    text = only(folder, page)
    assert text.text == page
    assert text.source.title == "Returns"


def test_aliases_that_stand_for_more_than_fits_in_memory_are_left_alone(folder: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with in_proportion():
        text = only(folder, "---\n" + "\n".join(lines) + f"\ntitle: Bomb\n---\n{PAGE}")
    assert text.source.title == "Bomb"


def test_windows_line_ends_and_a_byte_order_mark_are_not_part_of_the_text(folder: Path) -> None:
    text = only(folder, b"\xef\xbb\xbf---\r\ntitle: Returns\r\n---\r\nThirty days.\r\n\r\nOr never.\r\n")
    assert (text.source.title, text.text) == ("Returns", "Thirty days.\n\nOr never.\n")


titles = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=20).filter(str.strip)


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(titles, st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).filter(str.strip))
def test_a_snapshot_can_be_read_back_as_a_source(folder: Path, title: str, body: str) -> None:
    """Titles hold colons, quotes, brackets and hashes; none of them may break the snapshot."""
    text = only(folder, f"# {title}\n\n{body}")
    front, _, rest = text.snapshot.removeprefix("---\n").partition("\n---\n")
    values = YAML(typ="safe", pure=True).load(front)
    assert values == {"title": text.source.title, "where": "sources/page.md", "hash": text.hash}
    assert rest == text.text


def test_a_file_that_is_added_later_takes_no_cited_number(tmp_path: Path) -> None:
    folder, snapshots = tmp_path / "sources", tmp_path / "reference"
    folder.mkdir()
    snapshots.mkdir()
    for name in ("delivery.md", "returns.md"):
        (folder / name).write_text(f"# {name}\n\nText.\n")
    for text in read_folder(folder, tmp_path)[0]:
        (snapshots / f"{text.source.id}.md").write_text(text.snapshot)
    (folder / "apology.md").write_text("# Apology\n\nOnce.\n")
    (folder / "delivery.md").unlink()
    texts, _ = read_folder(folder, tmp_path, known_ids(snapshots))
    assert {text.source.where: text.source.id for text in texts} == {"sources/apology.md": "S03", "sources/returns.md": "S02"}


def test_html_word_and_pdf_are_read(folder: Path) -> None:
    """Title, publisher and day as the file itself says; the hash is that of the file."""
    head = "<title>Returns</title><meta property='og:site_name' content='Larch'><meta name='date' content='2026-03-01'>"
    page = f"<head>{head}</head><p>Thirty days.</p><script>no()</script>".encode()
    put(folder, "a.html", page)
    put(folder, "b.HTM", b"<h1>Heading</h1><p>Text.")
    put(folder, "c.docx", docx("# Fees", "No fee."))
    put(folder, "d.pdf", pdf("Handed over.", title="Delivery"))
    put(folder, "e.html", b"<p>Untitled.")
    first, *_ = found = read(folder)
    assert [(text.source.title, text.text) for text in found] == [
        ("Returns", "Thirty days.\n"),
        ("Heading", "# Heading\n\nText.\n"),
        ("Fees", "# Fees\n\nNo fee.\n"),
        ("Delivery", "Handed over.\n"),
        ("E", "Untitled.\n"),
    ]
    assert (first.source.publisher, first.source.published, first.hash) == ("Larch", "2026-03-01", digest_bytes(page))


def test_a_pdf_that_needs_a_library_is_a_finding_with_the_command_that_installs_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hide_cryptography(monkeypatch, tmp_path)
    put(folder, "a.pdf", locked_pdf("Not read yet."))
    found, (finding,) = read_folder(folder, folder.parent)
    assert found == []
    assert (finding.what, finding.fix) == (
        "not read: it is encrypted with AES, which needs a library that is not installed",
        "install it: pip install cryptography",
    )


@pytest.mark.parametrize(
    ("name", "content", "fix"),
    [
        ("a.pdf", locked_pdf("Never.", user="secret"), "qpdf --decrypt"),
        ("a.pdf", pdf(""), "ocrmypdf"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512, "save it as .docx"),
        ("a.md", b"Gr\xfc\xdfe", "save it as UTF-8"),
        ("a.md", b"x" * (LARGEST + 1), "split it"),
        ("a.html", b"<script>draw()</script>", "save the page from a browser"),
        ("a.epub", b"PK", FIX),
    ],
)
def test_what_cannot_be_read_comes_with_what_to_do_about_it(folder: Path, name: str, content: bytes, fix: str) -> None:
    put(folder, name, content)
    _, (finding,) = read_folder(folder, folder.parent)
    assert fix in finding.fix


def test_what_a_file_holds_and_its_text_does_not_is_kept_with_it(folder: Path, tmp_path: Path) -> None:
    put(
        folder,
        "a.docx",
        word(p("Said", r("gone", "<w:strike/>")), comments=f'<w:comment w:id="1">{p("Really?")}</w:comment>' * 2),
    )
    put(folder, "b.md", PAGE)
    first, second = read(folder)
    assert (first.left_out, second.left_out) == ("2 comments, 1 deletion", "")
    assert 'left_out: "2 comments, 1 deletion"\n' in first.snapshot
    assert "left_out" not in second.snapshot
    (tmp_path / "S01.md").write_text(first.snapshot)
    assert read_snapshots(tmp_path)[0].left_out == first.left_out
    assert from_snapshot(tmp_path / "S01.md", first) == first


def test_a_page_is_snapshotted_with_all_that_is_known_of_it_and_read_back(tmp_path: Path) -> None:
    source = Source(
        id="S12",
        title="larch.example/a",
        where="https://larch.example/a?b=c#d",
        read="2026-11-22",
        publisher="Larch",
        published="2026-03-01",
    )
    page = SourceText(source=source, text="---\ntitle: not mine\n---\nThirty days.\n", hash="ab12", headline='Returns: "all" #1')
    (tmp_path / "S12.md").write_text(page.snapshot)
    (tmp_path / "S2.md").write_text("no front matter")
    assert read_snapshots(tmp_path) == [page]
    assert from_snapshot(tmp_path / "S12.md", page) == page
    assert known_ids(tmp_path) == {"https://larch.example/a?b=c#d": "S12"}
    assert next_id(known_ids(tmp_path)) == "S13"
