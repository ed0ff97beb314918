"""One page for each thing that a phase makes: what still fails, what critics said, what rests on a model's word alone.

Written with the document it speaks of, from the ledger; what people change later is for `check` to follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec

from finetune_prep.documents.kinds import Documents
from finetune_prep.documents.knowledge.anchors import SECTION as ANCHORS
from finetune_prep.durable import write_atomically
from finetune_prep.method.phases import PHASES
from finetune_prep.phases.drafting.revising import Answered, Drafted, Point
from finetune_prep.project.project import Project

MOST = 8  # lines of a section: it is to be read


class Part(msgspec.Struct, frozen=True):
    """A section of the page."""

    heading: str
    lines: tuple[str, ...]
    more: str = ""
    """Where the lines are that have no room."""


def points(heading: str, found: Iterable[Point], more: str = "") -> Part:
    """What has to hold stands before advice."""
    return Part(heading, tuple(map(_line, sorted(found, key=lambda point: not point.must))), more)


def objections(result: Drafted[Any]) -> Part:
    """What readers held against a first draft, and what its writer said to each; what was set aside stands first."""
    answers = {answered.objection: answered for answered in result.answered}
    by_reader: dict[str, list[Point]] = {}
    for point in sorted(result.objections, key=lambda point: point in answers and answers[point].taken_up):
        by_reader.setdefault(point.by, []).append(point)
    # each reader's gravest first: a page that shows some of them shows all readers
    in_turn = [point for row in zip_longest(*by_reader.values()) for point in row if point is not None]
    in_turn.sort(key=lambda point: point in answers and answers[point].taken_up)
    if not answers:
        return Part("Said by readers of the first draft; its writer was not asked about it", tuple(map(_line, in_turn)))
    taken = sum(answered.taken_up for answered in result.answered)
    rest = {0: "", 1: ", the other one set aside"}.get(len(answers) - taken, ", the others set aside")
    heading = f"Said by readers of the first draft; {taken} of {len(answers)} taken up{rest}"
    return Part(heading, tuple(_answered(answers[point]) for point in in_turn))


def write(project: Project, phase: str, subject: str, path: str, parts: Sequence[Part]) -> None:
    """Write the page about what a phase made. subject: what it is, as a file name says it. Parts without lines are left out.

    To be called before the document is written: a document that exists is not made again, and its page would be missing.
    """
    name = subject.replace("-", " ")
    blocks = [f"# What deserves a look: {name}", f"Written with {path}. `finetune-prep check` says what holds by now."]
    filled = [part for part in parts if part.lines]
    for part in filled:
        blocks += [f"## {part.heading}", "\n".join(_shown(part))]
    if not filled:
        blocks.append("No gate and no reader found anything. Read it all the same: they see only what they look for.")
    write_atomically(project.layout.digest(_number(phase), subject), "\n\n".join(blocks) + "\n")


def pages(project: Project, kind: str) -> list[Path]:
    """The pages about a document, in the order in which its parts were made.

    A page speaks of what a phase has written: beside a text that was imported, or anchors, it would speak of the former ones.
    """
    stamp = project.stamp(kind)
    subjects = [kind] if stamp is None or set(stamp.parts) - {ANCHORS} else []
    if kind == Documents.knowledge.name and (stamp is None or ANCHORS in stamp.parts):
        subjects.append("behavioral-anchors")
    return sorted(path for subject in subjects for path in project.layout.digests.glob(f"*-{subject}.md"))


def _number(phase: str) -> int:
    return next(number for number, row in enumerate(PHASES, start=1) if row.name == phase)


def _shown(part: Part) -> list[str]:
    lines = [f"- {line}" for line in part.lines[:MOST]]
    if len(part.lines) > MOST:
        where = f": {part.more}" if part.more else ""
        lines.append(f"- … and {len(part.lines) - MOST} more{where}")
    return lines


def _answered(answered: Answered) -> str:
    said = "taken up" if answered.taken_up else "set aside"
    return f"{_line(answered.objection)} – {said}: {' '.join(answered.because.split())}"


def _line(point: Point) -> str:
    place = f"{point.item}: " if point.item and not point.what.startswith(point.item) else ""
    what, fix = " ".join(point.what.split()).rstrip("."), " ".join(point.fix.split())
    return f"{place}{what}. → {fix} ({point.by})"
