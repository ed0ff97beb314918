"""What has changed since, in words: which part of a document, which run, and because of which item of which input."""

from __future__ import annotations

import msgspec

from finetune_prep.documents.kinds import KINDS
from finetune_prep.project.stamps import Items, Stamp


class Change(msgspec.Struct, frozen=True):
    """Items of one document that are not what they were."""

    document: str
    """Its kind."""
    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __str__(self) -> str:
        words = [
            f"{listed(items)} {verb}"
            for items, verb in ((self.changed, "changed"), (self.added, "added"), (self.removed, "removed"))
            if items
        ]
        return f"{', '.join(words)} in {KINDS[self.document].path}"


class Stale(msgspec.Struct, frozen=True):
    """A part (of a document or a run) that its inputs have left behind."""

    name: str
    part: str
    compiled: bool
    """Code can fix it without a model."""
    changes: tuple[Change, ...]

    def __str__(self) -> str:
        reasons = "; ".join(map(str, self.changes))
        subject = f"{self.name} · {self.part}" if self.part else self.name
        return f"{subject}: {reasons} since"


def compare(document: str, before: Items, now: Items) -> Change | None:
    """Which items differ; None if none do."""
    change = Change(
        document,
        changed=tuple(item for item in now if item in before and before[item] != now[item]),
        added=tuple(item for item in now if item not in before),
        removed=tuple(item for item in before if item not in now),
    )
    return change if change.changed or change.added or change.removed else None


def stale_parts(stamp: Stamp, current: dict[str, Items]) -> tuple[Stale, ...]:
    """Parts of a document whose inputs changed. current: document kind → items as they are now."""
    found = []
    for name, part in stamp.parts.items():
        changes = tuple(
            change
            for document, items in part.made_from.items()
            if document in current and (change := compare(document, items, _same_scope(items, current[document])))
        )
        if changes:
            found.append(Stale(stamp.document, name, part.compiled, changes))
    return tuple(found)


def _same_scope(before: Items, now: Items) -> Items:
    """Current items that a part made from `before` depends on: the same ids, and new ones of the same kinds.

    A rubric's new question CP5 concerns whatever was made from CP1; a new failure mode does not concern what used only anchors.
    """
    prefixes = {_prefix(item) for item in before}
    return {item: text for item, text in now.items() if item in before or _prefix(item) in prefixes}


def _prefix(item: str) -> str:
    return item.rstrip("0123456789.")


def listed(items: tuple[str, ...], limit: int = 6) -> str:
    """The first items, and how many more there are."""
    shown = ", ".join(items[:limit])
    return f"{shown} and {len(items) - limit} more" if len(items) > limit else shown
