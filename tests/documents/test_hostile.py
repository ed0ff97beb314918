"""No text makes the reader raise, or think for long."""

import random
import time

import pytest

from finetune_prep import documents

SCRAPS = (
    "\n", "\n\n", "# ", "### ", "- ", "* ", "> ", "> **User:**", "```", "~~~", "<!--", "-->", "---\n", "|", "\\", "\t",
    "    ", "\r", "\0", "\ufeff",
    "CP1", "CP1. ", "T1.1. ", "(weight", "(gate)", "(weight 1e999)", "Source:", "→", '"', ":", "Terms", "## Examples\n",
    "\u2028", "é", "漢", "[", "]",
    "- Yes:", "- Measured: exchanges <= " + "9" * 400, "99999999999999999999", "-5", "inf", "nan",
)  # fmt: skip
LIMIT = 1.0  # second
READERS = [kind for kind in documents.KINDS if kind not in ("user-prompt", "system-prompt")]  # these two are read like a brief


def mutated(text: str, stream: random.Random) -> str:
    """Cut, repeat, move and overwrite pieces."""
    for _ in range(stream.randint(1, 12)):
        start = stream.randrange(len(text) + 1)
        end = min(len(text), start + stream.randrange(80))
        piece = stream.choice([*SCRAPS, "", text[start:end] * stream.randint(2, 5), text[end : end + 200]])
        text = text[:start] + piece + text[stream.choice([start, end]) :]
    return text


@pytest.mark.parametrize("kind", documents.KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_mutations_never_raise(kind: str, seed: int) -> None:
    stream = random.Random(f"{kind} {seed}")
    for _ in range(40):
        text = mutated(documents.template(kind), stream)
        document = documents.parse(kind, text, "x.md")
        total = document.text.count("\n") + 1
        assert all(0 <= finding.line <= total and finding.what and finding.mend for finding in document.findings)
        assert all(1 <= line <= total for line in document.lines.values())
        documents.body(text)
        documents.item_texts(document)
        if document.value is not None:
            again = documents.parse(kind, documents.render(kind, document.value), "x.md")
            assert documents.render(kind, again.value) == documents.render(kind, document.value)


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
    """Each reader, and each other function over whole texts, stays below a second."""
    text = HOSTILE[name]
    for kind in READERS:
        start = time.process_time()
        document = documents.parse(kind, text, "x.md")
        assert time.process_time() - start < LIMIT, kind
    assert document.value is not None, document.findings
    for function in (documents.body, lambda text: documents.item_texts(document), lambda text: documents.section(text, "Terms")):
        start = time.process_time()
        function(text)
        assert time.process_time() - start < LIMIT
