"""An edit put into a document: the words of one clause, or one more item; every other byte stays as it was."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from finetune_prep import documents
from finetune_prep.conversations.near import words_of
from finetune_prep.core.improving.diagnosis import Clause
from finetune_prep.documents.kinds import KINDS
from finetune_prep.documents.readings.items import other_text
from finetune_prep.markdown.inline import prefix
from finetune_prep.markdown.page import bullets, id_list, tail
from finetune_prep.words import UNSPACED, count_words

MOST_WORDS = 80  # of one edit: a clause, and not a chapter
RUN = 8  # words in a row that stand in a talk: then the edit copies it
SIGNS = 2  # for each word, in a script that is counted by the sign
GUARD = "GD"
_LABEL = re.compile(rf"\A[-*\s]*(?:{GUARD}\d*[.:]\s*)?")
_COUNTERS = re.compile(r"\s*[-*]?\s*Counters:.*\Z", re.IGNORECASE)


def clause_text(text: str, clause: Clause) -> str:
    """The clause as it stands in a document, "" if nothing says it yet. Raises KeyError if it is gone."""
    if clause.missing:
        return ""
    return documents.item(text, clause.item) if clause.item else documents.section(text, clause.section)


def spliced(text: str, clause: Clause, old: str, new: str) -> str:
    """The document with the edit in it. Raises ValueError, with a sentence that its writer can act on, for one that cannot stand.

    old: words of the clause that go; "" where something is only added.
    """
    new = " ".join(new.split())
    if not new and not old.split():
        raise ValueError("The edit changes nothing.")
    if (count := count_words(new)) > (most := MOST_WORDS * _signs(new)):
        raise ValueError(f"The edit has {count} words; a clause has {most} at most.")
    try:
        after = _added(text, clause, new) if clause.missing else _replaced(text, clause, old, new)
    except KeyError as error:
        raise ValueError(f"{clause.place} does not stand in the document any more.") from error
    _check(text, after, clause)
    return after


def _added(text: str, clause: Clause, new: str) -> str:
    before = documents.parse(clause.document, text, KINDS[clause.document].path)
    numbers = [int(id.removeprefix(GUARD)) for id in before.lines if prefix(id) == GUARD]
    bare = _COUNTERS.sub("", _LABEL.sub("", new))  # models repeat what the items above look like
    said = f"{GUARD}{max(numbers, default=0) + 1}: {bare}"
    guard = "".join(bullets([tail(said, "Counters", id_list(clause.counters)) if clause.counters else said]))
    if not documents.section(text, clause.section):
        return documents.replace_section(text, clause.section, f"## {clause.section}\n\n{guard}", before="Few-shot examples")
    return documents.add_item(text, clause.section, guard)


def _replaced(text: str, clause: Clause, old: str, new: str) -> str:
    clause_now = clause_text(text, clause)
    if not clause_now:
        raise KeyError(clause.place)
    if not old.split():
        raise ValueError("Say in `old` which words of the clause the new ones stand for, word for word.")
    wanted = re.compile(r"\s+".join(map(re.escape, old.split())))
    places = [*wanted.finditer(clause_now)]
    if len(places) != 1:
        where = "several times" if places else "nowhere"
        raise ValueError(f"The words of `old` stand {where} in the clause; give a passage of it that stands there once.")
    changed = clause_now[: places[0].start()] + new + clause_now[places[0].end() :]
    if clause.item:
        return documents.replace_item(text, clause.item, changed)
    return documents.replace_section(text, clause.section, changed)


def _check(before: str, after: str, clause: Clause) -> None:
    """Raise ValueError if the document does not read as it did, but for the clause."""
    kind, path = clause.document, KINDS[clause.document].path
    was, now = documents.parse(kind, before, path), documents.parse(kind, after, path)
    if now.value is None or len(now.findings) > len(was.findings):
        found = next((finding for finding in now.findings if finding not in was.findings), None)
        raise ValueError(f"With the edit the document cannot be read: {found.what if found else 'nothing is left of it'}.")
    texts = documents.item_texts(was), documents.item_texts(now)
    changed = {id for id in {*texts[0], *texts[1]} if texts[0].get(id) != texts[1].get(id)}
    if beyond := sorted(id for id in changed if not _may_change(id, clause, new=id not in texts[0])):
        raise ValueError(f"The edit also changes {', '.join(beyond)}; it may change {clause.place} alone.")
    if clause.missing and len(changed) != 1:
        raise ValueError(f"The edit has to be one item of “{clause.section}”.")
    if (clause.item or clause.missing) and other_text(was) != other_text(now):
        raise ValueError(f"The edit changes text outside of {clause.place}.")


def _may_change(id: str, clause: Clause, *, new: bool) -> bool:
    """Whether an item belongs to the clause: TP3.1 to TP3, and a missing one is new."""
    return new if clause.missing else bool(clause.item) and (id == clause.item or id.startswith(f"{clause.item}."))


def copied(new: str, before: str, texts: Iterable[str]) -> str:
    """The first run of eight words of an edit that stands in one of these texts, "" for none.

    before: the document without it, whose own words may stand in talks.
    """
    own = {*_runs(before)}
    runs = {run for run in _runs(new) if run not in own}
    if not runs:
        return ""
    return next((run for text in texts for run in _runs(text) if run in runs), "")


def _runs(text: str) -> Iterator[str]:
    words, size = words_of(text), RUN * _signs(text)
    return (" ".join(words[start : start + size]) for start in range(len(words) - size + 1))


def _signs(text: str) -> int:
    return SIGNS if UNSPACED.search(text) else 1
