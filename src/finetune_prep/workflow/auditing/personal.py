"""Personal data in the rows: what to look at, row by row; nothing is changed or left out by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from finetune_prep.conversations.personal.data import PersonalData
from finetune_prep.conversations.personal.libraries import INSTALL, libraries
from finetune_prep.core.conversation import Conversation
from finetune_prep.core.sample import Sample
from finetune_prep.documents.kinds import Documents
from finetune_prep.project.project import Project
from finetune_prep.workflow.auditing.flags import Flag, Personal, flag, listed, rows_that

CHECK = "personal-data"
NOT_LOOKED = f"whether there are contacts of people in it: nobody looked; to do so, {INSTALL}"
NAMES = "whether a name or a place in it is that of a real person: names are not looked for"
ADVICE = "If it is somebody's: finetune-prep drop ID --because “…”. If it is the project's own: add it to the facts."


class Contacts:
    """What of the rows is personal data; None if the extra is not installed."""

    def __init__(self, project: Project) -> None:
        found = libraries()
        brief, prompt = project.value(Documents.brief), project.document(Documents.system_prompt)
        own = (brief.text, *project.value(Documents.knowledge).stated, prompt.text if prompt else "")
        self._data = PersonalData(found, brief.language, own) if found else None
        self._found: list[Personal] = []

    @property
    def found(self) -> tuple[Personal, ...] | None:
        return tuple(self._found) if self._data else None

    @property
    def cannot_tell(self) -> tuple[str, ...]:
        return (NAMES,) if self._data else (NOT_LOOKED,)

    def take(self, sample: Sample, said: Conversation) -> None:
        if self._data is None:
            return
        for turn, message in enumerate(said.messages, start=1):
            for one in self._data.of(message.content):
                self._found.append(
                    Personal(row=sample.scenario.id, turn=turn, role=message.role, kind=one.kind, masked=one.masked)
                )

    def flags(self) -> Iterator[Flag]:
        if not self._found:
            return
        rows = [*dict.fromkeys(one.row for one in self._found)]
        counts = Counter(one.kind for one in self._found)
        kinds = ", ".join(f"{count:,} {_several(kind, count)}" for kind, count in counts.most_common())
        what = f"{rows_that(len(rows), 'hold')} what may be personal data ({kinds}): {listed(rows)}"
        yield flag(CHECK, "yellow", what, rows, [one.line for one in self._found], advice=ADVICE)


def _several(kind: str, count: int) -> str:
    return kind if count == 1 else f"{kind}es" if kind.endswith("s") else f"{kind}s"
