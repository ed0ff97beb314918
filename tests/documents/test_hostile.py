"""No text makes the reader raise, or think for long."""

import random
import re

import pytest

from finetune_prep import documents
from finetune_prep.documents.kinds import LONGEST_LINE, MOST_BYTES, MOST_LINES
from finetune_prep.markdown import inline
from tests.documents.handwritten import any_style, scribbled, shortened
from tests.effort import in_proportion
from tests.soak import SOAK

SCRAPS = (
    "\n", "\n\n", "# ", "### ", "- ", "* ", "> ", "> **User:**", "```", "~~~", "<!--", "-->", "---\n", "|", "\\", "\t",
    "    ", "\r", "\0", "\ufeff",
    "CP1", "CP1. ", "T1.1. ", "(weight", "(gate)", "(weight 1e999)", "Source:", "→", '"', ":", "Terms", "## Examples\n",
    "\u2028", "é", "漢", "[", "]",
    "- Yes:", "- Measured: exchanges <= " + "9" * 400, "99999999999999999999", "-5", "inf", "nan",
)  # fmt: skip
pytestmark = pytest.mark.slow
MUTATIONS = 5000 if SOAK else 1000  # over all kinds
READERS = [kind for kind in documents.KINDS if kind not in ("user-prompt", "system-prompt")]  # these two are read like a brief


def mutated(text: str, stream: random.Random) -> bytes:
    """Pieces cut, swapped, repeated, moved and overwritten; one in ten with binary noise, one in ten with a very long line."""
    for _ in range(stream.randint(1, 12)):
        start = stream.randrange(len(text) + 1)
        end = min(len(text), start + stream.randrange(80))
        later = stream.randrange(end, len(text) + 1)
        piece = stream.choice([*SCRAPS, "", text[start:end] * stream.randint(2, 5), text[end : end + 200]])
        text = stream.choice(
            [
                text[:start] + piece + text[stream.choice([start, end]) :],
                text[:start] + text[end:later] + text[start:end] + text[later:],
            ]
        )
    if stream.random() < 0.1:
        start = stream.randrange(len(text) + 1)
        unit = stream.choice([*SCRAPS, text[start : start + 30], "a"]).replace("\n", " ").replace("\r", " ") or "a"
        text = text[:start] + unit * (stream.choice([LONGEST_LINE - 100, 2 * LONGEST_LINE]) // len(unit)) + text[start:]
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    if data and stream.random() < 0.1:
        start = stream.randrange(len(data))
        data[start : start + stream.randrange(20)] = stream.randbytes(stream.randrange(1, 40))
    return bytes(data)


def sound_text(kind: str, stream: random.Random) -> str:
    """A specimen, whole or cut down and full of notes."""
    if stream.random() < 0.2:
        return documents.template(kind)
    return any_style(stream).text(scribbled(shortened(kind, stream), kind, stream))


def assert_refused_clearly(document: documents.Document) -> None:
    """A text without a value has one finding, which says why."""
    (refusal,) = document.findings
    longest = max(map(len, document.text.split("\n")))
    if "characters" in refusal.what and "NUL" not in refusal.what:
        assert longest > LONGEST_LINE
        assert (refusal.what, refusal.fix) == (
            f"this line has {len(document.text.split(chr(10))[refusal.line - 1])} characters", f"break it; at most {LONGEST_LINE}"
        )  # fmt: skip
    else:
        assert "NUL" in refusal.what or "KB" in refusal.what or "lines" in refusal.what or not document.text.strip()


def assert_read_well(kind: str, data: bytes) -> None:
    """Findings and lines point into the text; what was read is written in a form that reads the same; nothing takes long."""
    with in_proportion():
        text, unreadable = documents.read_bytes(data, "x.md")
        document = documents.parse(kind, text, "x.md")
    total = document.text.count("\n") + 1
    assert all(0 <= finding.line <= total and finding.what and finding.fix for finding in (*unreadable, *document.findings))
    assert all(1 <= line <= total for line in document.lines.values())
    if document.value is None:
        assert_refused_clearly(document)
        return
    assert max(map(len, document.text.split("\n"))) <= LONGEST_LINE


def assert_worked_well(kind: str, data: bytes, stream: random.Random) -> None:
    """What else is done with a text: sent, stamped, written anew, edited."""
    text, _ = documents.read_bytes(data, "x.md")
    document = documents.parse(kind, text, "x.md")
    documents.body(text)
    documents.item_texts(document)
    for line in stream.choices(text.split("\n"), k=2):
        documents.replace_section(text, line.lstrip("# "), "## x\n\ny")
    if document.value is None:
        return
    ids = sorted(id for id in document.lines if re.fullmatch(inline.ID, id))
    for id in stream.sample(ids, k=min(1, len(ids))):
        documents.remove_item(text, id)
    again = documents.parse(kind, documents.render(kind, document.value), "x.md")
    if again.value is None:  # a paragraph of too many characters, which many short lines held before
        assert_refused_clearly(again)
    else:
        assert documents.render(kind, again.value) == documents.render(kind, document.value)


@pytest.mark.parametrize("kind", documents.KINDS)
def test_mutations_never_raise(kind: str) -> None:
    """They are read; every eighth goes through everything else as well (all of them with `make soak`)."""
    for number in range(MUTATIONS // len(documents.KINDS)):
        stream = random.Random(f"{kind} {number}")
        data = mutated(sound_text(kind, stream), stream)
        try:
            assert_read_well(kind, data)
            if SOAK or number % 8 == 0:
                with in_proportion():
                    assert_worked_well(kind, data, stream)
        except Exception as error:
            error.add_note(f"{kind} {number}")
            raise


def test_what_is_too_large_is_refused_at_once() -> None:
    """Above 512 KB, whatever it is made of."""
    for kind in documents.KINDS:
        text = documents.template(kind)
        large = text * (MOST_BYTES // len(text.encode()) + 1)
        with in_proportion():
            document = documents.parse(kind, large, "x.md")
        assert document.value is None
        (refusal,) = document.findings
        assert re.fullmatch(r"the document has \d+ (KB|lines)", refusal.what)
        assert refusal.fix in (f"keep it below {MOST_BYTES // 1024} KB", f"keep it below {MOST_LINES}")


def filled(unit: str, most_bytes: int = 510_000, most_lines: int = 19_000) -> str:
    count = min(most_bytes // max(len(unit.encode()), 1), most_lines // max(unit.count("\n"), 1))
    return "# t\n" + unit * count


LONG = 19_000
HOSTILE = {
    "items": "".join(f"- DO{number}: a From: x\n" for number in range(1, 9999)),
    "one id again and again": filled("- DO1: a\n"),
    "near misses": "# t\n" + "".join(f"## Role and contex{number}\n- Ye{number}: a\n" for number in range(9000)),
    "guarded near misses": "# t\n## Role and context\n" + "".join(f"## \\Role and contex{number}\n" for number in range(18000)),
    "backslashes": filled("- P1: " + "\\" * LONG + "\n"),
    "backslashes in headings": filled("### F1. " + "\\" * LONG + "\n"),
    "wide white space": filled("### ST1. a (words" + "\u00a0" * 6000 + ")\n- Measured: " + "\u00a0" * 6000 + "\n"),
    "letters": filled("### ST1. a (" + "a" * LONG + ")\n"),
    "parentheses": filled("## " + "(weight " * 2000 + "\n"),
    "quotations": "# t\n" + "".join(f"- P{number}: a Source: S01 " + '"; S02 ' * 2000 + "\n" for number in range(1, 30)),
    "repeated fields": "# t\n## F1. a\n### T1.1. b\n" + "- Source: S1\n" * 9000 + "- Does: a\n" * 9000,
    "deep lists": "# t\n" + "".join("  " * depth + f"- F{depth}: x\n" for depth in range(1, 700)),
    "deep quotes": filled("> " * 9000 + "\n"),
    "turns": "# t\n## Few-shot examples\n### X1. a\n" + "> **User:** a\n" * 18000,
    "torn turns": "# t\n## F1. a\n### T1.1. b\n" + "> **Assistant:** b\n> **User:** x\n\n" * 6000,
    "categories": filled("## a (weight 1)\n### C1. x\n"),
    "front matter": "---\n" + "a: [[[[\n" * 9000 + "---\n# t\n",
    "terms": "# t\n## Terms\n" + "- a: b\n" * 18000,
    "colons": "# t\n## Terms\n" + ("- " + "a:" * 9000 + "\n") * 25,
    "open comments": filled("<!--" * 4500 + "\n"),
    "comments": filled("<!-- a -->" * 1800 + "\n"),
    "backticks": filled("`<!-- -->" * 2000 + "\n"),
    "arrows": "# t\n## Failure mode guards\n" + "".join(f"- GD{number}: " + "\\->" * 6000 + "\n" for number in range(1, 26)),
    "answers": "# t\n## Examples\n### E1. Strong: a\n" + "- CP1: yes. a\n" * 18000,
    "stars": filled("- " + "*" * LONG + "\n"),
    "fences": filled("```\n"),
    "ids": "# t\n- DO1: a. From: " + "a," * 9000 + "\n",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_takes_long(name: str) -> None:
    """Each reader, and each other function over whole texts, is far from a hang. Two readers in turn; with `make soak` each one."""
    text = HOSTILE[name]
    turn = list(HOSTILE).index(name)
    for kind in READERS if SOAK else (READERS[turn % len(READERS)], READERS[(turn + 1) % len(READERS)]):
        with in_proportion():
            document = documents.parse(kind, text, "x.md")
    assert document.value is not None, document.findings
    for function in (
        documents.body,
        lambda text: documents.item_texts(document),
        lambda text: documents.section(text, "Terms"),
        lambda text: "- DO1: " not in text or documents.remove_item(text, "DO1"),
    ):
        with in_proportion():
            function(text)
