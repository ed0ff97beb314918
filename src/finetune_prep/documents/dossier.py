"""All documents of a project at one moment: what the gates look at."""

from __future__ import annotations

import msgspec

from finetune_prep.core.knowledge import Knowledge
from finetune_prep.core.prompts import Brief, EvaluationPrompt, GenerationPrompt, PlainPrompt
from finetune_prep.core.rubric import Rubric
from finetune_prep.core.scenario import ScenarioSpace
from finetune_prep.documents.document import Document


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """None = the document does not exist yet. snapshots: text of each cited source by id ("S01")."""

    brief: Document[Brief] | None = None
    knowledge: Document[Knowledge] | None = None
    space: Document[ScenarioSpace] | None = None
    rubric: Document[Rubric] | None = None
    evaluation_prompt: Document[EvaluationPrompt] | None = None
    generation_prompt: Document[GenerationPrompt] | None = None
    user_prompt: Document[PlainPrompt] | None = None
    system_prompt: Document[PlainPrompt] | None = None
    snapshots: dict[str, str] = {}
