"""The files a project starts with."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec

from finetune_prep.durable import write_atomically
from finetune_prep.errors import UsageError
from finetune_prep.project import config
from finetune_prep.project.beginning.skill import keep_up
from finetune_prep.project.layout import CONFIG, RECORDING, Layout

DEFAULT_MODEL = "batch/any-model"
IGNORED = """\
# what the program keeps for itself; the stamps say what each document was made from and belong to the project
.finetune-prep/*
!.finetune-prep/stamps/
batches/
# snapshots of sources may be under copyright; quotes and hashes stand in the documents
reference/sources/
"""


class Choice(msgspec.Struct, frozen=True):
    """The models a project begins with, as provider/model."""

    model: str
    """Of all roles but the judge's."""
    judge: str
    """May be the same."""


def refuse_used(folder: Path) -> None:
    """Raise UsageError if the folder holds anything already."""
    if folder.is_file():
        raise UsageError("this is a file", where=str(folder), next="name a new or empty folder")
    if Layout(folder).config.exists():
        raise UsageError("this folder is a project already", where=str(folder), next=f"cd {folder} && finetune-prep status")
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError("this folder is not empty", where=str(folder), next="name a new or empty folder")


def config_text(name: str, model: str, base_url: str, key_env: str, *, year: int, judge: str = "") -> str:
    """A finetune-prep.toml with comments. judge: the model that judges, "" = as all others.

    Raises ConfigError if model or provider cannot be used.
    """
    lines = [
        f"name = {json.dumps(name, ensure_ascii=False)}",
        "seed = 1            # root of all randomness",
        f"year = {year}         # the current year of searches, fixed for good",
        "# budget = 20.0     # US dollars that may be spent in all",
        "",
        "# A role is played by provider/model. “batch” writes questions to files and reads answers from files;",
        "# “recording” replays recording.jsonl; openai, anthropic, ollama and the like are known; any other name needs a table",
        "# [providers.NAME] with kind and base_url.",
        "# A judge of another family than the assistant is the better judge: models favour their own words.",
    ]
    for role in config.NEEDED_ROLES:
        played = judge if role == "judge" and judge else model
        lines += [f"[roles.{role}]", f"model = {json.dumps(played, ensure_ascii=False)}", ""]
    provider = model.partition("/")[0]
    if base_url:
        # a dot in a bare key would begin a table within a table
        table = provider if re.fullmatch(r"[A-Za-z0-9_-]+", provider) else json.dumps(provider, ensure_ascii=False)
        lines += [f"[providers.{table}]", 'kind = "openai-compatible"', f"base_url = {json.dumps(base_url)}"]
        lines += [f"key_env = {json.dumps(key_env)}", ""] if key_env else [""]
    lines += [
        "# Research reads your sources/, and searches the web if a provider is named here or its key is in the environment:",
        "# tavily, exa, brave (TAVILY_API_KEY, EXA_API_KEY, BRAVE_API_KEY), searxng (yours, by base_url), or none.",
        "# [search]",
        '# provider = "searxng"',
        '# base_url = "http://localhost:8888"',
        "",
    ]
    text = "\n".join(lines)
    config.parse(text)
    return text


def create(folder: Path, brief: str, config_toml: str) -> None:
    layout = Layout(folder.resolve())
    layout.sources.mkdir(parents=True, exist_ok=True)
    write_atomically(layout.document("brief"), brief if brief.endswith("\n") else f"{brief}\n")
    write_atomically(layout.folder / ".gitignore", IGNORED)
    write_atomically(layout.config, config_toml)
    keep_up(layout)


LABELLED = "runs/*/labels.jsonl"
INPUTS = (CONFIG, "brief.md", "decisions.jsonl", RECORDING, "sources", "phase-prompts")


def inputs(source: Path) -> list[str]:
    """Paths of what a project was given – brief, sources, configuration, decisions, recording, labels – from its folder.

    A link that points outside the project is left out: as a plain file, its copy would be read where the link is refused.
    """
    root = source.resolve()
    labels = (str(path.relative_to(source)) for path in sorted(source.glob(LABELLED)))
    found: list[Path] = []
    for name in (*INPUTS, *labels):
        origin = source / name
        found += [origin] if origin.is_file() else sorted(path for path in origin.rglob("*") if path.is_file())
    return [str(file.relative_to(source)) for file in found if file.resolve().is_relative_to(root)]


def copy_inputs(source: Path, target: Path) -> None:
    """Copy what a project was given (`inputs`) and nothing that was made.

    Files that are there already with the same content are left alone, so that doing it again changes nothing.
    """
    for name in inputs(source):
        file, copy = source / name, target / name
        if not copy.is_file() or copy.read_bytes() != file.read_bytes():
            write_atomically(copy, file.read_bytes())
