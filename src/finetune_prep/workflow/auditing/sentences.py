"""What is said of an audit beside its flags, the same on the terminal and in the page."""

from __future__ import annotations

import re
import textwrap

from finetune_prep.exports.auditing.page import FlagLine, View, render
from finetune_prep.project.project import Project
from finetune_prep.workflow.auditing.standing import Audited
from finetune_prep.workflow.reading.items import names_of
from finetune_prep.workflow.texts.first_brief import title_of

PAGE = "audit.html"
LONGEST = 70  # characters of a name beside its id


def replies_in_words(found: Audited) -> str:
    """ "" where there are no replies."""
    if found.length is None or found.on_a_question is None:
        return ""
    arc = "" if found.arc is None else f"; the last replies have {found.arc:.1f} times the words of the first"
    return (
        f"{found.replies:,} replies, {found.length:.1f} times the user's words on average, "
        f"{found.on_a_question:.0%} end on a question{arc}"
    )


def against_in_words(found: Audited) -> str:
    """ "" where they were held against no file."""
    if not found.against:
        return ""
    texts = f"{found.compared:,} text{'' if found.compared == 1 else 's'}"
    return f"held against {texts} of {', '.join(found.against)}"


def in_order(id: str) -> list[tuple[int, str]]:
    """Sorts TP2 before TP10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]+)", id)]


def shortened(name: str) -> str:
    """As many of a name's words as fit beside a figure."""
    return textwrap.shorten(name, LONGEST, placeholder=" …")


def page_of(project: Project, found: Audited) -> str:
    """The HTML of what an audit found."""
    flags = [FlagLine(one.check, one.level == "red", one.what, one.details, one.advice) for one in found.flags]
    return render(
        View(
            domain=title_of(project),
            run=found.run,
            rows=found.rows,
            flags=[*flags, *(FlagLine("files", False, str(finding), (), "") for finding in found.findings)],
            figures=replies_in_words(found),
            against=against_in_words(found),
            coverage={name: {id: counts[id] for id in sorted(counts, key=in_order)} for name, counts in found.coverage.items()},
            names={id: shortened(name) for id, name in names_of(project).items()},
            cannot_tell=found.cannot_tell,
        )
    )
