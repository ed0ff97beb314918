"""How a person may name a document on the command line: its kind, its path, or the phase that makes it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from finetune_prep.documents.kinds import KINDS
from finetune_prep.errors import UsageError
from finetune_prep.method.phases import PHASES


class DocumentName(click.ParamType[str]):
    """Turns what was typed into a kind. kinds: the ones that the command takes.

    "evaluation-rubric", "evaluation_rubric", "reference/evaluation-rubric.md" as `check` prints it, the path from where the
    person is, "rubric", the phase, and "binary-rubric", its title, all name the same document.
    """

    name = "document"

    def __init__(self, kinds: Iterable[str] = KINDS) -> None:
        self.kinds = (*kinds,)
        self.names = _names(self.kinds)
        self.others = {kind: _others(self.names, kind) for kind in self.kinds}  # names for it that are no paths

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        kind = self.names.get(value.replace("_", "-").lower()) or self._at(value, ctx)
        if kind is not None:
            return kind
        near = difflib.get_close_matches(Path(value).stem.replace("_", "-").lower(), self.names, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(f"there is no document “{value}”{hint}", next=f"name one of: {self._listed()}; or its path")

    def _listed(self) -> str:
        """All kinds, and what else each may be called."""
        return ", ".join(f"{kind} ({', '.join(self.others[kind])})" if self.others[kind] else kind for kind in self.kinds)

    def _at(self, value: str, ctx: click.Context | None) -> str | None:
        """The kind of the document that stands at this path: in the project, or from the present folder."""
        folder = Path(ctx.obj if ctx and isinstance(ctx.obj, str) else ".").resolve()
        for kind in self.kinds:
            place = folder / KINDS[kind].path
            if place in (folder / value, Path(value).resolve()):
                return kind
        return None

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "DOCUMENT"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        fitting = [kind for kind in self.kinds if kind.startswith(incomplete)]
        names = fitting or [name for names in self.others.values() for name in names if name.startswith(incomplete)]
        return [CompletionItem(name, help=KINDS[self.names[name]].path) for name in names]


def _names(kinds: Sequence[str]) -> dict[str, str]:
    """Name → kind: a phase stands for the document that it writes first; where both have a name, it is the document's."""
    made = {
        name: kind
        for phase in PHASES
        for kind in reversed(phase.outputs)
        if kind in kinds
        for name in (phase.name, phase.title.lower().replace(" ", "-"))
    }
    paths = {KINDS[kind].path.lower(): kind for kind in kinds}
    files = {Path(path).name: kind for path, kind in paths.items()}
    return {**made, **files, **paths, **{kind: kind for kind in kinds}}


def _others(names: dict[str, str], kind: str) -> list[str]:
    return [name for name, named in names.items() if named == kind and name not in (kind, KINDS[kind].path) and "." not in name]
