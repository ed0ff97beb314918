"""The folder of pairs: a file for each shape, a line of origin for each pair, a manifest, a registry and a card of its own.

They stand apart from the rows: a hub loads one form of rows from a folder.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from finetune_prep.durable import Together
from finetune_prep.errors import FinetunePrepError
from finetune_prep.exports.dataset import encoded
from finetune_prep.exports.manifest import MANIFEST, Written, sha256_of
from finetune_prep.exports.manifest import encoded as pretty
from finetune_prep.exports.pairs.pairing import Pair, Paired
from finetune_prep.exports.pairs.shapes import SHAPES, Shape, check_row, dataset_info
from finetune_prep.exports.trainers import DATASET_INFO, slug, tokens

ORIGINS = "train.meta.jsonl"
CARD = "README.md"
EVEN = (0.8, 1.25)  # ratio of words within which nobody learns length from them; convention, untested


class PairsManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the pairs were made from. There is no clock in it."""

    evaluation: str
    preview: bool
    rubric: str
    """The rubric's version."""
    models: Mapping[str, str]
    """Arm or role → model."""
    pairs: int
    left_out: dict[str, int]
    ratio: float
    """Words of chosen replies for each of the rejected ones', geometric mean."""
    scenarios: tuple[str, ...]
    """Hashes of what was drawn for the scenarios of the pairs: they are trained on now, and no longer held out."""
    files: tuple[Written, ...]


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What the card says beside the counts."""

    domain: str
    language: str
    evaluation: str
    rubric: str
    models: Mapping[str, str]
    preview: bool
    unmet: tuple[str, ...]
    scenarios: tuple[str, ...]


def write(together: Together, paired: Paired, about: About) -> PairsManifest:
    """Write everything into `together`, which the caller commits.

    Raises FinetunePrepError if what was written cannot be read as every trainer reads it.
    """
    written = [_shape(together, shape, paired) for shape in SHAPES]
    origins = together.begin(ORIGINS)
    for number, pair in enumerate(paired.pairs, start=1):
        origins.write(msgspec.json.encode(_origin(number, pair)) + b"\n")
    path = together.finish(ORIGINS)
    beside = Written(
        file=ORIGINS, form="", rows=len(paired.pairs), bytes=path.stat().st_size, sha256=sha256_of(path), left_out={}
    )
    manifest = PairsManifest(
        evaluation=about.evaluation,
        preview=about.preview,
        rubric=about.rubric,
        models=about.models,
        pairs=len(paired.pairs),
        left_out=paired.left_out,
        ratio=round(paired.ratio, 4),
        scenarios=about.scenarios,
        files=(*written, beside),
    )
    together.put(MANIFEST, pretty(manifest))
    together.put(DATASET_INFO, dataset_info(about.domain))
    together.put(CARD, card(paired, about).encode())
    return manifest


def _shape(together: Together, shape: Shape, paired: Paired) -> Written:
    data = together.begin(shape.file)
    for pair in paired.pairs:
        data.write(encoded(shape.row(pair)) + b"\n")
    path = together.finish(shape.file)
    with path.open("rb") as file:
        number = 0
        for number, line in enumerate(file, start=1):
            try:
                check_row(line, shape)
            except ValueError as error:
                raise FinetunePrepError(
                    f"what was written as {shape.file} is not sound: row {number}: {error}",
                    next="nothing was replaced; please report this",
                ) from error
    if number != len(paired.pairs):
        raise FinetunePrepError(f"{len(paired.pairs)} pairs were written to {shape.file}, and {number} read back")
    return Written(
        file=shape.file, form=shape.name, rows=number, bytes=path.stat().st_size, sha256=sha256_of(path), left_out=paired.left_out
    )


def _origin(number: int, pair: Pair) -> dict[str, Any]:
    said = "\n".join((pair.prompt[-1].content, pair.chosen.content, pair.rejected.content))
    return {
        "row": number,
        "sha256": hashlib.sha256(said.encode()).hexdigest(),
        "scenario": pair.scenario,
        "chosen": pair.by[0],
        "rejected": pair.by[1],
        "failed": ", ".join(pair.failed),
        "ratio": round(pair.ratio, 4),
    }


def in_words(pairs: int, ratio: float, left_out: Mapping[str, int]) -> str:
    """How many pairs, how long their halves are, and what is in none."""
    left = "".join(f"; {count} conversations left out: {why}" for why, count in left_out.items())
    uneven = "" if EVEN[0] <= ratio <= EVEN[1] else ", and a model may learn that instead of what is better"
    return f"{pairs} pairs; a chosen reply has {ratio:.2f} times the words of the rejected one{uneven}{left}."


def card(paired: Paired, about: About) -> str:
    """The card: what a pair is, who wrote which half, how to train on them."""
    longest = max((_bytes(pair) for pair in paired.pairs), default=0)
    slots = {"name": slug(about.domain), "tokens": str(tokens(longest))}
    models = "\n".join(f"| {role} | {_line(model)} |" for role, model in about.models.items())
    parts = [
        "---\n# license: choose one, and write it here; whoever publishes the rows decides, finetune-prep cannot\n"
        f'language:\n- "{about.language}"\ntask_categories:\n- "text-generation"\n'
        'tags:\n- "synthetic"\n- "dpo"\n- "finetune-prep"\n'
        'configs:\n- config_name: "dpo"\n  default: true\n  data_files:\n  - split: "train"\n    path: "train.jsonl"\n---',
        f"# {_line(about.domain)}: preference pairs{' (preview)' if about.preview else ''}",
    ]
    if about.preview and about.unmet:
        unmet = "\n".join(f"- {criterion}" for criterion in about.unmet)
        parts.append(f"**This is a preview, not a training set.** What is still missing:\n\n{unmet}")
    parts += [
        f"Two replies to the same words, given in `{about.evaluation}`: one passed the rubric (version `{about.rubric[:12]}`), "
        f"the other failed it, according to the judge. {in_words(len(paired.pairs), paired.ratio, paired.left_out)}",
        "The scenarios of these pairs are trained on now: a later evaluation holds out others.",
        f"| model | |\n| --- | --- |\n{models}",
        "Before you publish these rows, or a model trained on them, read the terms of the models above: some forbid training "
        "others on what they write, or ask to be named.",
        "## Training on them\n\nTune on the rows of `train.jsonl` in the folder above first: preferences improve a model that "
        "can already do the task.",
    ]
    for shape in SHAPES:
        filled = {**slots, "file": shape.file}
        parts.append(f"**{shape.name}** (`{shape.file}`): {shape.readers}")
        if shape.settings:
            parts.append(f"```{shape.language}\n{_filled(shape.settings, filled)}\n```")
        parts.append(_filled(shape.beware, filled))
    return "\n\n".join(parts) + "\n"


def _bytes(pair: Pair) -> int:
    """Of the longer side with its prompt, and 64 for the markup of each message."""
    side = max(len(pair.chosen.content.encode()), len(pair.rejected.content.encode()))
    return sum(len(message.content.encode()) + 64 for message in pair.prompt) + side + 64


def _filled(text: str, slots: Mapping[str, str]) -> str:
    return re.sub("«([a-z]+)»", lambda slot: slots[slot[1]], text)


def _line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
