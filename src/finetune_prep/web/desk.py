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
from finetune_prep.project.evaluating.runs import EvaluationRun, evaluation_runs
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run, VerdictRow, runs
from finetune_prep.workflow.reviewing.counting import Due, rubric_version
from finetune_prep.workflow.reviewing.due import due
from finetune_prep.workflow.reviewing.sitting import Sitting, open_sitting

FILES = {"report": "report.html", "audit": "audit.html"}
"""Pages that lie with a run and need nothing else, by what they are called."""
Seen = tuple[tuple[int, int], ...]


class Desk:
    """One labeller's page over one project. Nothing here takes the project's lock: a run may be under way.

    run: the one that is reviewed, "" = whichever is due. n: how many of its conversations, None = as many as are asked for.
    """

    def __init__(self, project: Project, labeller: Labeller, *, run: str = "", n: int | None = None) -> None:
        self.project = project
        self.labeller = labeller
        self.saving = Lock()
        self._run, self._n = run, n
        self._open = run
        """The run that is being reviewed; it stays the same until it is read, though another may be due by then."""
        self._sitting: tuple[tuple[str, str, Seen], Sitting] | None = None
        self._samples: dict[Path, tuple[Seen, list[Sample]]] = {}
        self._verdicts: dict[Path, tuple[Seen, dict[str, VerdictRow]]] = {}
        self._shown: dict[int, float] = {}

    def sitting(self) -> Sitting:
        """The present sitting; a new one once run or rubric have changed. Raises ActNeeded if there is nothing to review."""
        found = self._reviewed()
        seen = _stat(found.samples_path, found.verdicts_path) if found else ()
        rubric = rubric_version(self.project)
        if self._sitting is None or self._sitting[0] != (self._open, rubric, seen):
            sitting = open_sitting(self.project, self.labeller, run=self._open, n=self._n)
            self._sitting = ((self._open, rubric, seen), sitting)
            self._shown.clear()
        return self._sitting[1]

    def turn_to(self, run: str) -> None:
        """Review another run from now on, unless the page was opened for one. run: its name; others are ignored."""
        if not self._run and any(found.name == run for found in runs(self.project.layout)):
            self._open = run

    def turn_to_what_is(self, found: Due | None) -> None:
        """Review what is due from now on; whoever has begun another run goes on with that until it is read."""
        if found is not None and not (self._begun() and self.hidden()):
            self.turn_to(found.run)

    def hidden(self) -> dict[str, int]:
        """Conversations whose verdict this labeller may not see yet, with their place in the draw, from 0."""
        try:
            sitting = self.sitting()
        except ActNeeded:
            return {}
        return {sitting.drawn[place].conversation_id: place for place in sitting.waiting() if not sitting.drawn[place].repeat}

    def anything_waits(self) -> bool:
        """Whether this labeller has something to read: for somebody without a label nothing has to be drawn to say so."""
        found = self._reviewed()
        if self._sitting is None and found and (account := found.account()) is not None:
            judged = any(account.states[state] for state in (*PASSED, *FAILED) if state in account.states)
            if judged and not self._begun():
                return True
        return bool(self.hidden())

    def _reviewed(self) -> Run | None:
        """The run that is being reviewed: the one that is due, if none is yet, or if a later one of its kind has come."""
        known = runs(self.project.layout)
        found = next((run for run in known if run.name == self._open), None)
        later = found and [run for run in known if run.plan.kind == found.plan.kind][-1] != found
        if not self._run and (found is None or later):
            next_one = due(self.project)
            self._open = next_one.run if next_one else ""
            found = next((run for run in known if run.name == self._open), None)
        return found

    def _begun(self) -> bool:
        """Whether this labeller has said anything of the run."""
        found = self._reviewed()
        return found is not None and any(label.labeller == self.labeller for label in read_labels(found.labels_path).labels)

    def every_run(self) -> list[Run | EvaluationRun]:
        """Those that make rows, then evaluations, oldest first."""
        return [*runs(self.project.layout), *evaluation_runs(self.project.layout)]

    def files(self) -> dict[str, dict[str, str]]:
        """Addresses of the pages that lie with each run: by its name, and by what they are called."""
        return {
            run.name: {called: f"/runs/{run.name}/{name}" for called, name in FILES.items() if (run.folder / name).is_file()}
            for run in self.every_run()
        }

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
