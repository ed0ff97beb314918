"""The documents of a project: where each stands and which phase writes it."""

from __future__ import annotations

from typing import NamedTuple


class DocumentKind(NamedTuple):
    """path: relative to the project. made_by: the phase that writes it, "" = the user. published: accepted copies are kept."""

    name: str
    path: str
    made_by: str
    published: bool = False


DOCUMENTS: dict[str, DocumentKind] = {
    kind.name: kind
    for kind in (
        DocumentKind("brief", "brief.md", ""),
        DocumentKind("domain-frameworks", "reference/domain-frameworks.md", "research", published=True),
        DocumentKind("scenario-space", "reference/scenario-space.md", "research"),
        DocumentKind("evaluation-rubric", "reference/evaluation-rubric.md", "rubric", published=True),
        DocumentKind("evaluation-prompt", "prompts/evaluation-prompt.md", "evaluation-prompt"),
        DocumentKind("generation-prompt", "prompts/generation-prompt.md", "generation-prompt"),
        DocumentKind("user-prompt", "prompts/user-prompt.md", "generation-prompt"),
        DocumentKind("system-prompt", "prompts/system-prompt.md", "generation-prompt"),
    )
}
