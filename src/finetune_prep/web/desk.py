"""What the pages look at: the project as it is on disk now, and the sitting of whoever opened the page."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Lock

from finetune_prep.core.sample import PASSED, Sample
from finetune_prep.errors import ActNeeded
from finetune_prep.labels.drawing import FAILED
from finetune_prep.labels.file import read_labels
from finetune_prep.labels.label import Labeller
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run, VerdictRow, runs
from finetune_prep.workflow.reviewing.counting import rubric_version
from finetune_prep.workflow.reviewing.sitting import Sitting, open_sitting

Seen = tuple[tuple[int, int], ...]


class Desk:
    """One labeller's page over one project. Nothing here takes the project's lock: a run may be under way."""

    def __init__(self, project: Project, labeller: Labeller, *, run: str = "", n: int) -> None:
        self.project = project
        self.labeller = labeller
        self.saving = Lock()
        self._run, self._n = run, n
        self._sitting: tuple[Seen, str, Sitting] | None = None
        self._samples: dict[Path, tuple[Seen, list[Sample]]] = {}
        self._verdicts: dict[Path, tuple[Seen, dict[str, VerdictRow]]] = {}
        self._shown: dict[int, float] = {}

    def sitting(self) -> Sitting:
        """The present sitting; a new one once run or rubric have changed. Raises ActNeeded if there is nothing to review."""
        known = self._reviewable()
        seen = _stat(*(path for found in known[-1:] for path in (found.samples_path, found.verdicts_path)))
        rubric = rubric_version(self.project)
        if self._sitting is None or self._sitting[:2] != (seen, rubric):
            sitting = open_sitting(self.project, self.labeller, run=self._run, n=self._n)
            self._sitting = (seen, rubric, sitting)
            self._shown.clear()
        return self._sitting[2]

    def hidden(self) -> dict[str, int]:
        """Conversations whose verdict this labeller may not see yet, with their place in the draw, from 0."""
        try:
            sitting = self.sitting()
        except ActNeeded:
            return {}
        return {sitting.drawn[place].conversation_id: place for place in sitting.waiting() if not sitting.drawn[place].repeat}

    def anything_waits(self) -> bool:
        """Whether this labeller has something to read: for somebody without a label nothing has to be drawn to say so."""
        known = self._reviewable()
        if self._sitting is None and known and (account := known[-1].account()) is not None:
            judged = any(account.states[state] for state in (*PASSED, *FAILED) if state in account.states)
            mine = any(label.labeller == self.labeller for label in read_labels(known[-1].labels_path).labels)
            if judged and not mine:
                return True
        return bool(self.hidden())

    def _reviewable(self) -> list[Run]:
        return [found for found in runs(self.project.layout, "pilot") if self._run in ("", found.name)]

    def samples(self, run: Run) -> list[Sample]:
        """Samples of a run, read again when the file has changed."""
        seen = _stat(run.samples_path)
        kept = self._samples.get(run.folder)
        if kept is None or kept[0] != seen:
            kept = self._samples[run.folder] = (seen, run.samples())
        return kept[1]

    def verdicts(self, run: Run) -> dict[str, VerdictRow]:
        """Verdicts of a run by scenario, read again when the file has changed."""
        seen = _stat(run.verdicts_path)
        kept = self._verdicts.get(run.folder)
        if kept is None or kept[0] != seen:
            kept = self._verdicts[run.folder] = (seen, {row.scenario: row for row in run.verdicts()})
        return kept[1]

    def shown(self, place: int) -> None:
        """Remember when a conversation was shown first."""
        self._shown.setdefault(place, time.monotonic())

    def seconds(self, place: int) -> float | None:
        """Since it was shown; forgotten then."""
        began = self._shown.pop(place, None)
        return None if began is None else time.monotonic() - began


def _stat(*paths: Path) -> Seen:
    found = [path.stat() for path in paths if path.exists()]
    return tuple((status.st_mtime_ns, status.st_size) for status in found)
