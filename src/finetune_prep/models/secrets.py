"""API keys, as everything below `models` and beside it knows them: see `project.secrets`."""

from __future__ import annotations

from finetune_prep.project.secrets import Secret, read_secret

__all__ = ["Secret", "read_secret"]
