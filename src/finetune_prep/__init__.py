"""finetune-prep: from one paragraph about a domain to a fine-tuning set you can trust.

    import finetune_prep as fp

    project = fp.open_project("my-domain")
    report = await fp.pilot(project, n=100, budget=5.0)

Everything else is behind these names. Importing the package imports nothing of it; a name is loaded when it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from finetune_prep.core.conversation import Conversation, Message
    from finetune_prep.core.rubric import Rubric, Score, score
    from finetune_prep.core.sample import Account, Sample
    from finetune_prep.core.scenarios.scenario import Scenario
    from finetune_prep.core.verdict import Verdict
    from finetune_prep.documents import Documents, parse, render
    from finetune_prep.errors import FinetunePrepError
    from finetune_prep.models.providers.scripted import Scripted
    from finetune_prep.phases.session import open_session
    from finetune_prep.project.project import Project, open_project
    from finetune_prep.workflow.auditing.audit import audit
    from finetune_prep.workflow.exporting import export
    from finetune_prep.workflow.programs import evaluate, pilot, prepare, retry, scale

_HOMES = {
    "Account": "core.sample",
    "Conversation": "core.conversation",
    "Documents": "documents",
    "FinetunePrepError": "errors",
    "Message": "core.conversation",
    "Project": "project.project",
    "Rubric": "core.rubric",
    "Sample": "core.sample",
    "Scenario": "core.scenarios.scenario",
    "Score": "core.rubric",
    "Scripted": "models.providers.scripted",
    "Verdict": "core.verdict",
    "audit": "workflow.auditing.audit",
    "evaluate": "workflow.programs",
    "export": "workflow.exporting",
    "open_project": "project.project",
    "open_session": "phases.session",
    "parse": "documents",
    "pilot": "workflow.programs",
    "prepare": "workflow.programs",
    "render": "documents",
    "retry": "workflow.programs",
    "scale": "workflow.programs",
    "score": "core.rubric",
}

__all__ = [
    "Account",
    "Conversation",
    "Documents",
    "FinetunePrepError",
    "Message",
    "Project",
    "Rubric",
    "Sample",
    "Scenario",
    "Score",
    "Scripted",
    "Verdict",
    "audit",
    "evaluate",
    "export",
    "open_project",
    "open_session",
    "parse",
    "pilot",
    "prepare",
    "render",
    "retry",
    "scale",
    "score",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"finetune_prep has no {name}")
    return getattr(importlib.import_module(f"finetune_prep.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """So that an editor or a notebook completes the names that are loaded on use."""
    return sorted(__all__)
