"""Run as a program: moves every number of the method by 100, shares by a hundredth, and prints all that is made from them.

Gates, tables, prompts, drafts and help read the numbers as they are loaded, so all of it stands in functions.
"""

from __future__ import annotations

from collections.abc import Iterator
from inspect import getdoc
from typing import Any

import msgspec

from finetune_prep.core.scenarios.space import Reactions
from finetune_prep.method import limits

STAYING = {"WORDS", "SEATS", "SITTINGS", "REVISIONS"}  # words, and what Python code has to follow


def move() -> None:
    for name, value in list(vars(limits).items()):
        if name.isupper() and not name.startswith("_") and name not in STAYING:
            setattr(limits, name, _moved(value))


def _moved(value: Any) -> Any:
    if isinstance(value, limits.Count | limits.Range):
        return type(value)(*map(_moved, value))
    if isinstance(value, Reactions):
        return Reactions(**{name: _moved(share) for name, share in msgspec.structs.asdict(value).items()})
    return value + 100 if isinstance(value, int) else round(value + 0.01, 2)


def everything() -> Iterator[str]:
    yield from _tables()
    yield from _prompts()
    yield from _drafts()
    yield from _help()


def _tables() -> Iterator[str]:
    from finetune_prep.gates.run import function_of
    from finetune_prep.method.gates import GATES
    from finetune_prep.method.phases import PHASES
    from finetune_prep.method.rules import RULES

    for gate in GATES:
        yield gate.sentence
        if gate.kind == "computed":
            yield getdoc(function_of(gate)) or ""
    yield from (rule.sentence for rule in RULES)
    yield from (phase.does for phase in PHASES)


def _prompts() -> Iterator[str]:
    from pathlib import Path

    from finetune_prep.phases.drafting import prompt_files

    for name in prompt_files.BUILT_IN:
        text = prompt_files.source(name, Path("nowhere"))
        slots: dict[str, Any] = {name: [] for name in prompt_files.slots_of(text)}
        fill = prompt_files.messages if prompt_files.DIVIDER in text else prompt_files.message
        yield f"{name}: {fill(name, Path('nowhere'), **slots)}"


def _drafts() -> Iterator[str]:
    from finetune_prep.phases.drafting import examples_draft, schemas
    from finetune_prep.phases.drafting.draft import Strict
    from finetune_prep.phases.prompts import guidance_draft
    from finetune_prep.phases.research import knowledge_draft, panel_draft, scenario_space_draft
    from finetune_prep.phases.rubric import anchors_draft, rubric_draft

    rooms = (examples_draft, guidance_draft, knowledge_draft, panel_draft, scenario_space_draft, anchors_draft, rubric_draft)
    kinds = {kind for room in rooms for kind in vars(room).values() if isinstance(kind, type) and issubclass(kind, Strict)}
    for kind in sorted(kinds - {Strict}, key=lambda kind: kind.__name__):
        yield f"{kind.__name__}: {schemas.schema_of(kind, '').schema}"


def _help() -> Iterator[str]:
    from click import Context

    from finetune_prep.cli.app import COMMANDS, app

    for name in COMMANDS:
        command = app.get_command(Context(app), name)
        if command is not None:
            yield command.get_help(Context(command, info_name=name))


if __name__ == "__main__":
    move()
    print(*everything(), sep="\n\n")
