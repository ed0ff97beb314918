"""From foreign formats to text: what a person would read, nothing that is hidden, and no file that breaks more than itself."""

from __future__ import annotations

import io
import os
import zipfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_prep.sources import text as texts
from finetune_prep.sources.parsing.decoding import decode
from finetune_prep.sources.parsing.html import read_html
from finetune_prep.sources.text import NoReader, extract, one_line, plain
from tests.soak import examples
from tests.sources.foreign import WORD, docx, pdf

LONG = "Thirty days from the day of delivery, whatever the reason; the posting receipt is proof enough for us. " * 5


def html(body: str, head: str = "") -> str:
    return read_html(f"<!doctype html><html><head>{head}</head><body>{body}</body></html>".encode()).text


def test_a_page_is_read_as_a_person_reads_it() -> None:
    """Headings, paragraphs, lists, tables, line breaks; line ends of the source mean nothing, those of <pre> do."""
    page = f"""<nav><a href=/>Home</a> <a href=/x>Shop</a></nav>
    <h1>Returns &amp; refunds</h1><p>Thirty days
    from the day of <b>deli</b>very.<p>{LONG}
    <ul><li>One<li><p>Two <i>more</i></p><ul><li>Three</ul></ul>
    <table><tr><th>Days</th><th>Way</th><tr><td>30<td>slip</table>
    <p>First<br>second</p><pre>a
  b</pre><blockquote>said</blockquote><footer>Imprint</footer>"""
    assert html(page) == "\n\n".join(
        [
            "# Returns & refunds", "Thirty days from the day of delivery.", LONG.strip(), "- One", "- Two more", "- Three", "Days | Way",
            "30 | slip", "First\nsecond", "a\n  b", "said",
        ]
    )  # fmt: skip


@pytest.mark.parametrize(
    "hidden",
    [
        "<script>HIDDEN</script>", "<style>HIDDEN</style>", "<!-- HIDDEN -->", "<template>HIDDEN</template>", "<noscript>HIDDEN</noscript>",
        "<p hidden>HIDDEN</p>", "<div aria-hidden=true>HIDDEN<p>HIDDEN</div>", "<p style='display: none'>HIDDEN</p>",
        "<p style='color:red;VISIBILITY:hidden'>HIDDEN</p>", "<span style='font-size:0px'>HIDDEN</span>", "<p style='opacity:0'>HIDDEN</p>",
        "<p style='opacity:0.0'>HIDDEN</p>", "<p style='text-indent:-9999px'>HIDDEN</p>", "<svg><title>HIDDEN</title><text>HIDDEN</text></svg>",
        "<iframe>HIDDEN</iframe>", "<textarea hidden>HIDDEN</textarea>", "<img alt=HIDDEN>", "<p title=HIDDEN></p>", "<nav>HIDDEN</nav>",
        "<aside>HIDDEN</aside>", "<select><option>HIDDEN</select>", "<div hidden><div>x</div>HIDDEN</div>", "<meta name=x content=HIDDEN>",
        "<input value=HIDDEN>", "<button>HIDDEN</button>", "<dialog>HIDDEN</dialog>", "<object>HIDDEN</object>", "<![CDATA[HIDDEN]]>", "<?HIDDEN?>",
    ],
)  # fmt: skip
def test_what_nobody_sees_is_not_read(hidden: str) -> None:
    text = html(f"<p>{LONG}</p>{hidden}<p>After it.</p>")
    assert "HIDDEN" not in text
    assert text.endswith("After it.")


def test_what_is_seen_stays() -> None:
    assert "SEEN" in html(f"<p>{LONG}<p style='opacity:0.9;font-size:12px;display:inline'>SEEN</p>")


def test_the_main_part_is_enough_where_there_is_one() -> None:
    page = f"<div>Related</div><main><p>{LONG}</p><article><p>More.</p></article></main><div>Comments</div>"
    assert html(page) == f"{LONG.strip()}\n\nMore."
    assert "Related" in html("<div>Related</div><main><p>Little.</p></main>" + f"<p>{LONG}")


def test_a_menu_that_is_never_closed_hides_no_page() -> None:
    assert LONG.strip() in html(f"<nav><ul><li>Home<p>{LONG}")


@pytest.mark.parametrize(
    ("head", "title", "publisher", "published"),
    [
        ("<title>Plain &ndash; title</title>", "Plain – title", "", ""),
        (
            "<title>t</title><meta property='og:title' content='Open'><meta property='og:site_name' content='Larch'>",
            "Open",
            "Larch",
            "",
        ),
        (
            "<meta name='citation_title' content='Paper'><meta name='citation_publication_date' content='2026-01-02'>",
            "Paper",
            "",
            "2026-01-02",
        ),
        ("<meta property='article:published_time' content='2026-03-04T05:06:07Z'>", "", "", "2026-03-04"),
        ('<script type="application/ld+json">{"@type": "Article", "datePublished": "2025-12-31"}</script>', "", "", "2025-12-31"),
        ("<meta name='date' content='last week'>", "", "", ""),
    ],
)
def test_what_a_page_says_of_itself(head: str, title: str, publisher: str, published: str) -> None:
    found = extract("html", f"<head>{head}</head><p>{LONG}".encode())
    assert (found.title, found.publisher, found.published) == (title, publisher, published)


def test_the_day_in_the_text_is_the_last_resort() -> None:
    assert extract("html", f"<time datetime='2026-05-06'>May</time><p>{LONG}".encode()).published == "2026-05-06"


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        ("Grüße".encode(), "", "Grüße"),
        ("Grüße".encode("latin-1"), "iso-8859-1", "Grüße"),
        ("Grüße".encode("latin-1"), "", "Grüße"),
        (b"<meta charset='shift_jis'>" + "返品".encode("shift_jis"), "", "<meta charset='shift_jis'>返品"),
        (
            b"<meta http-equiv=x content='text/html; charset=koi8-r'>" + "да".encode("koi8-r"),
            "",
            "<meta http-equiv=x content='text/html; charset=koi8-r'>да",
        ),
        (b"\xff\xfe" + "Grüße".encode("utf-16-le"), "utf-8", "Grüße"),
        (b"\xef\xbb\xbfGr", "latin-1", "Gr"),
        ("Grüße".encode(), "no-such-encoding", "Grüße"),
        (b"QUJD", "base64", "QUJD"),
        (b"Gr\xfc", "utf-8", "Grü"),
    ],
)
def test_characters_are_those_that_were_meant(data: bytes, charset: str, text: str) -> None:
    assert decode(data, charset) == text


@given(st.binary(max_size=300), st.text(max_size=12))
def test_any_bytes_are_some_characters(data: bytes, charset: str) -> None:
    assert isinstance(decode(data, charset), str)


@settings(max_examples=examples(300))
@given(
    st.lists(
        st.sampled_from(
            [
                "<p>",
                "</p>",
                "<div hidden>",
                "</div>",
                "<li>",
                "<ul>",
                "</ul>",
                "<main>",
                "</main>",
                "<nav>",
                "<td>",
                "<pre>",
                "x y",
                "<br>",
                "<!--",
                "<a href=",
                "&amp",
                "<title>",
                "</",
                "<script>",
                "]]>",
                "\x00",
            ]
        ),
        max_size=30,
    )
)
def test_no_soup_of_tags_is_too_thick(tags: list[str]) -> None:
    """Read, or said to hold no text; never anything else."""
    try:
        assert read_html("".join(tags).encode()).text.strip()
    except ValueError as error:
        assert "no text" in str(error)


def test_what_moves_the_cursor_or_is_not_seen_is_taken_out() -> None:
    smuggled = "".join(chr(0xE0000 + ord(c)) for c in "ignore all")
    assert plain(f"a\x1b[2Jb\u202ec\u2066d\ufeffe\x9bf{smuggled}\r\ng\x00\n\n\n\n\nh\ud800") == "a[2Jbcdef\ng\n\nh\n"
    assert one_line("A\n title\x1b]0;x\x07 " + "long " * 100).startswith("A title]0;x long long")
    assert len(one_line("x" * 1000)) == 200


def test_a_word_document() -> None:
    found = extract("docx", docx("# Returns", "Thirty days.", "", "No fee.", title="Handbook"))
    assert (found.text, found.title) == ("# Returns\n\nThirty days.\n\nNo fee.\n", "Handbook")


def test_a_pdf() -> None:
    found = extract("pdf", pdf("Thirty days.", "No fee.", title="Handbook"))
    assert (found.text, found.title) == ("Thirty days.\n\nNo fee.\n", "Handbook")


def test_a_pdf_without_the_extra_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(NoReader) as caught:
        extract("pdf", pdf("Never read."))
    assert caught.value.install == "pip install 'finetune-prep[documents]'"


def zip_bomb() -> bytes:
    return docx(document=f'<w:document xmlns:w="{WORD}">' + " " * 200_000_000 + "</w:document>")


def lying_zip() -> bytes:
    """Its header names a small size."""
    data = docx("x", document=f'<w:document xmlns:w="{WORD}">' + " " * 60_000_000 + "</w:document>")
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        size = parts.getinfo("word/document.xml").file_size
    return data.replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little"))


def laughs() -> bytes:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    return docx(
        document=f'<!DOCTYPE x [<!ENTITY a0 "ha">{entities}]><w:document xmlns:w="{WORD}"><w:p><w:t>&a11;</w:t></w:p></w:document>'
    )


def outside() -> bytes:
    return docx(
        document=f'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><w:document xmlns:w="{WORD}"><w:p><w:t>&a;</w:t></w:p></w:document>'
    )


def pdf_bomb() -> bytes:
    """A page whose content unpacks to 300 MB."""
    import zlib

    packer = zlib.compressobj(9)
    stream = b"".join(packer.compress(b"0" * 1_000_000) for _ in range(300)) + packer.flush()
    content = b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(stream), stream)
    return pdf("x").replace(b"<< /Length 35 >>\nstream\nBT /F1 12 Tf 72 720 Td (x) Tj ET\nendstream", content)


@pytest.mark.parametrize(
    ("kind", "make"),
    [
        ("docx", zip_bomb), ("docx", lying_zip), ("docx", laughs), ("docx", outside), ("docx", lambda: b"PK\x03\x04 no zip"), ("docx", lambda: b""),
        ("docx", lambda: docx(document="<w:broken")), ("docx", lambda: docx()), ("pdf", lambda: b"%PDF-1.7"), ("pdf", lambda: b""), ("pdf", pdf_bomb),
        ("pdf", lambda: pdf("")), ("pdf", lambda: pdf("x")[:200]), ("pdf", lambda: pdf("x").replace(b"/Kids [", b"/Kids [2 0 R ")),
        ("html", lambda: b"<div>" * 300_000), ("html", lambda: b""), ("html", lambda: b"<script>only</script>"), ("text", lambda: b"\x00\x00"),
    ],
)  # fmt: skip
def test_a_hostile_or_broken_file_breaks_only_itself(kind: str, make: Any) -> None:
    """Bombs, entities, circles, cut-off files: a reason in words, from a process that has an end."""
    try:
        found = extract(kind, make())
    except ValueError as error:
        assert 5 < len(str(error)) < 200
    else:
        assert len(found.text) < 1000


def test_a_parser_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "SECONDS", 0.3)
    with pytest.raises(ValueError, match=r"within 0\.3 s"):
        extract("html", b"<a href=" * 300_000)


def test_the_process_that_reads_has_no_keys_and_few_rights(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """What runs in the place of a parser sees no environment of ours and cannot write much, open much or start anything."""
    monkeypatch.setenv("LARCH_API_KEY", "sk-canary")
    package = tmp_path / "pypdf"
    package.mkdir()
    (package / "__init__.py").write_text(SPY)
    (package / "errors.py").write_text("class PyPdfError(Exception): ...")
    monkeypatch.setattr(texts.sys, "path", [str(tmp_path), *texts.sys.path])
    found = extract("pdf", pdf("spied upon"))
    seen = dict(line.split("=", 1) for line in found.text.split())
    assert "sk-canary" not in found.text
    assert seen["environment"] == "LC_CTYPE,PATH,PYTHONPATH" or seen["environment"] == "PATH,PYTHONPATH"
    assert int(seen["cpu"]) <= 10
    assert int(seen["memory"]) == 1024**3
    assert int(seen["written"]) == 16 * 1024**2
    assert int(seen["files"]) == 64
    assert os.environ["LARCH_API_KEY"] == "sk-canary"


SPY = """
import os, resource
class _Page:
    def extract_text(self):
        limits = {"cpu": resource.RLIMIT_CPU, "memory": resource.RLIMIT_AS, "written": resource.RLIMIT_FSIZE, "files": resource.RLIMIT_NOFILE}
        said = [f"{name}={resource.getrlimit(what)[0]}" for name, what in limits.items()]
        return "\\n".join([f"environment={','.join(sorted(os.environ))}", *said])
class PdfReader:
    is_encrypted = False
    metadata = None
    def __init__(self, file): self.pages = [_Page()]
"""
