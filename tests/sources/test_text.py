"""From foreign formats to text: what a person would read, nothing that is hidden, and no file that breaks more than itself."""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from finetune_prep.sources import parsing
from finetune_prep.sources import text as texts
from finetune_prep.sources.files import READABLE
from finetune_prep.sources.parsing.extracted import Extracted, Unreadable
from finetune_prep.sources.text import KINDS, READERS, extract, one_line, plain
from tests.sources.foreign import WORD, docx, drawn_pdf, p, pdf, word


def test_what_moves_the_cursor_or_is_not_seen_is_taken_out() -> None:
    smuggled = "".join(chr(0xE0000 + ord(c)) for c in "ignore all")
    assert plain(f"a\x1b[2Jb\u202ec\u2066d\ufeffe\x9bf{smuggled}\r\ng\x00\n\n\n\n\nh\ud800") == "a[2Jbcdef\ng\n\nh\n"
    assert (
        plain("over\u00adtime at the e\u2011mail desk, 10\u202f000\u00a0euros") == "overtime at the e-mail desk, 10 000 euros\n"
    )
    assert one_line("A\n title\x1b]0;x\x07 " + "long " * 100).startswith("A title]0;x long long")
    assert len(one_line("x" * 1000)) == 200


def test_a_word_document() -> None:
    found = extract("docx", docx("# Returns", "Thirty days.", "", "No fee.", title="Handbook"))
    assert (found.text, found.title) == ("# Returns\n\nThirty days.\n\nNo fee.\n", "Handbook")


def test_a_pdf() -> None:
    found = extract("pdf", pdf("Thirty days.", "No fee.", title="Handbook"))
    assert (found.text, found.title) == ("Thirty days.\n\nNo fee.\n", "Handbook")


def test_a_file_of_the_users_own_is_read_with_what_is_hidden_in_it_and_a_web_page_without() -> None:
    page = b"<p>Thirty days.</p><p hidden>Except for gifts.</p>"
    assert extract("html", page, own=True) == Extracted(text="Thirty days.\n\nExcept for gifts.\n")
    assert extract("html", page) == Extracted(text="Thirty days.\n", left_out={"hidden passages": 1})


def test_what_can_be_done_about_a_file_comes_with_the_reason() -> None:
    with pytest.raises(Unreadable, match="a scan") as caught:
        extract("pdf", pdf(""))
    assert "ocrmypdf" in caught.value.fix


def zip_bomb() -> bytes:
    return docx(document=f'<w:document xmlns:w="{WORD}">' + " " * 60_000_000 + "</w:document>")


def lying_zip() -> bytes:
    """Its header names a small size."""
    data = docx("x", document=f'<w:document xmlns:w="{WORD}">' + " " * 45_000_000 + "</w:document>")
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        size = parts.getinfo("word/document.xml").file_size
    return data.replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little"))


def padded_paragraphs() -> bytes:
    """Every paragraph is short, all of them fit into the caps of the file, and none into those of the process."""
    return word("<w:p><w:r><w:t>x</w:t></w:r></w:p>" * 900_000)


def many_parts() -> bytes:
    return word(p("x"), **{f"word/x{n}.xml": "<x/>" for n in range(6_000)})


def laughs(encoding: str = "utf-8") -> bytes:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<!DOCTYPE x [<!ENTITY a0 "ha">{entities}]><w:document xmlns:w="{WORD}"><w:p><w:t>&a11;</w:t></w:p></w:document>'
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as parts:
        parts.writestr("word/document.xml", f'<?xml version="1.0" encoding="{encoding}"?>{bomb}'.encode(encoding))
    return file.getvalue()


def outside() -> bytes:
    return docx(
        document=f'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><w:document xmlns:w="{WORD}"><w:p><w:t>&a;</w:t></w:p></w:document>'
    )


def pdf_bomb() -> bytes:
    """A page whose content unpacks to 300 MB."""
    packer = zlib.compressobj(9)
    return drawn_pdf(b"".join(packer.compress(b"0" * 1_000_000) for _ in range(300)) + packer.flush(), filter="FlateDecode")


def endless_pdf() -> bytes:
    """A page that draws a form that draws itself."""
    data = drawn_pdf("BT /F1 12 Tf 72 720 Td (x) Tj ET /X Do")
    form = b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Length 5 /Resources << /XObject << /X 99 0 R >> >> >>\nstream\n/X Do\nendstream"
    data = data.replace(b"/Font << /F1 3 0 R >>", b"/Font << /F1 3 0 R >> /XObject << /X 99 0 R >>")
    return data.replace(b"xref\n", b"99 0 obj\n%s\nendobj\nxref\n" % form, 1)


def nested(tag: str, times: int, inside: str) -> bytes:
    return word(f"<w:{tag}>" * times + inside + f"</w:{tag}>" * times)


def test_every_kind_of_foreign_file_has_a_process_that_reads_it() -> None:
    assert set(READERS) == (set(KINDS.values()) | set(READABLE.values())) - {"text", ""}
    folder = Path(parsing.__file__).parent
    assert {path.parent.name for path in folder.glob("*/__main__.py")} == set(READERS.values())


@pytest.mark.parametrize(
    ("kind", "make", "reason"),
    [
        ("docx", zip_bomb, "unpacks to more than 40 MB"), ("docx", lying_zip, "not a Word document|40 MB"), ("docx", padded_paragraphs, "more than 1,000,000 tags"),
        ("docx", many_parts, "more than 5,000 parts"), ("docx", laughs, "defines entities"), ("docx", lambda: laughs("utf-16"), "defines entities"),
        ("docx", outside, "defines entities"), ("docx", lambda: b"PK\x03\x04 no zip", "not a Word document"), ("docx", lambda: b"", "not a Word document"),
        ("docx", lambda: docx(document="<w:broken"), "XML is broken"), ("docx", lambda: docx(), "holds no text"),
        ("docx", lambda: nested("sdt", 50_000, p("x")), "nested too deeply"),
        ("docx", lambda: nested("tbl", 2_000, ""), "nested too deeply"),
        ("pdf", lambda: b"%PDF-1.7", "PDF is broken"), ("pdf", lambda: b"", "PDF is broken"), ("pdf", pdf_bomb, "more than fits in memory"),
        ("pdf", lambda: pdf(""), "a scan"), ("pdf", lambda: pdf("x")[:200], "PDF is broken"),
        ("pdf", lambda: pdf("x").replace(b"/Kids [", b"/Kids [2 0 R "), "PDF is broken|too deeply"),
        ("html", lambda: b"<div>" * 20_000, "nested too deeply"), ("html", lambda: b"<b><i><span>" * 5_000 + b"x", "nested too deeply"),
        ("html", lambda: b"<ul><li>" * 5_000, "nested too deeply|holds no text"), ("html", lambda: b"<table><tr><td>" * 1_000 + b"x", "nested too deeply"),
        ("html", lambda: b"", "holds no text"), ("html", lambda: b"<script>only</script>", "holds no text"), ("text", lambda: b"\x00\x00", "holds no text"),
    ],
)  # fmt: skip
@pytest.mark.slow
def test_a_hostile_or_broken_file_breaks_only_itself(kind: str, make: Callable[[], bytes], reason: str) -> None:
    """Bombs, entities, circles, cut-off files: a reason in words, from a process that has an end."""
    with pytest.raises(Unreadable, match=reason) as caught:
        extract(kind, make())
    assert 5 < len(str(caught.value)) < 120


@pytest.mark.parametrize(
    ("kind", "make"),
    [
        ("html", lambda: b"<p " + b" ".join(b"a%d=1" % n for n in range(50_000)) + b">seen"),
        ("html", lambda: b"<p>" + b"<!-- c -->" * 20_000 + b"seen"),
        ("html", lambda: b"<table>" + b"<tr><td rowspan=65000 colspan=1000>k<td>seen</tr>" * 300 + b"</table>"),
        ("html", lambda: b"<h5" + b"5" * 5_000 + b">seen"),
        ("html", lambda: b"<ol>" + b"<li>seen" * 5_000),
        ("docx", lambda: word(p("seen"), **{"word/media/x.emf": "0" * 50_000_000})),
        ("pdf", endless_pdf),
    ],
)  # fmt: skip
@pytest.mark.slow
def test_a_file_that_only_looks_large_is_read(kind: str, make: Callable[[], bytes]) -> None:
    assert extract(kind, make()).text.strip()


def test_a_parser_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "SECONDS", 0.001)
    with pytest.raises(ValueError, match=r"within 0\.001 s"):
        extract("html", b"<a href=" * 300_000)


def test_a_reader_that_stumbles_in_a_way_of_its_own_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    spied(monkeypatch, tmp_path, "class PageObject: ...\nclass PdfReader:\n    def __init__(self, file): raise OSError('disk')\n")
    with pytest.raises(Unreadable, match=r"in a way that its reader does not know \(OSError\)"):
        extract("pdf", pdf("never read"))


def test_the_process_that_reads_has_no_keys_and_few_rights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What runs in the place of a parser sees no environment of ours and cannot write much, open much or start anything."""
    monkeypatch.setenv("LARCH_API_KEY", "sk-canary")
    spied(monkeypatch, tmp_path, SPY)
    found = extract("pdf", pdf("spied upon"))
    seen = dict(line.split("=", 1) for line in found.text.split())
    assert "sk-canary" not in found.text
    assert seen["environment"] == "LC_CTYPE,PATH,PYTHONPATH" or seen["environment"] == "PATH,PYTHONPATH"
    assert int(seen["cpu"]) <= 10
    assert int(seen["memory"]) == 1024**3
    assert int(seen["written"]) == 16 * 1024**2
    assert int(seen["files"]) == 64
    assert os.environ["LARCH_API_KEY"] == "sk-canary"


def spied(monkeypatch: pytest.MonkeyPatch, folder: Path, code: str) -> None:
    """Put this in the place of pypdf, for the process that reads."""
    package = folder / "pypdf"
    package.mkdir()
    (package / "__init__.py").write_text(code)
    errors = "class PyPdfError(Exception): ...\nclass DependencyError(Exception): ...\nclass LimitReachedError(PyPdfError): ...\n"
    (package / "errors.py").write_text(errors)
    monkeypatch.setattr(texts.sys, "path", [str(folder), *texts.sys.path])


SPY = """
import os, resource
class _Page:
    def get(self, name): return None
    def extract_text(self, visitor_text):
        limits = {"cpu": resource.RLIMIT_CPU, "memory": resource.RLIMIT_AS, "written": resource.RLIMIT_FSIZE, "files": resource.RLIMIT_NOFILE}
        said = [f"{name}={resource.getrlimit(what)[0]}" for name, what in limits.items()]
        return "\\n".join([f"environment={','.join(sorted(os.environ))}", *said])
class PageObject: ...
class PdfReader:
    is_encrypted = False
    metadata = None
    def __init__(self, file): self.pages = [_Page()]
"""
