"""The review as one page that needs no server: what a person would read, as blind as the live page, and the command to it."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

from finetune_prep.labels.label import Labeller
from finetune_prep.project.project import Project
from finetune_prep.web.rendering import HERE, language, rendered
from finetune_prep.workflow.reviewing.sitting import open_sitting


def still(project: Project, command: str) -> bytes:
    """HTML with its style inside, no script and no link. command: what opens the live page.

    No verdict is in it: whoever looks at it may still be the one who labels. Raises ActNeeded if there is nothing to review.
    """
    sitting = open_sitting(project, Labeller("reader", "person"))
    style = (HERE / "static" / "style.css").read_text("utf-8")
    return rendered(
        "still.html",
        project=project.config.name,
        language=language(project),
        run=sitting.run.name,
        drawn=[one for one in sitting.drawn if not one.repeat],
        again=sum(one.repeat for one in sitting.drawn),
        command=command,
        style=style,
        hash=b64encode(sha256(style.encode()).digest()).decode(),
    )
