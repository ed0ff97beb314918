"""Where the part of a request ends with which others begin, too, and from which length on a provider's cache keeps it.

Pure. Every prompt puts what stays the same into its system message (see `prompt_files`), so that is where a mark belongs. Nothing
here is part of a request or its key: marks are set on the wire only.

Source: the pages on prompt caching of platform.claude.com and of Bedrock's user guide. A mark on less than the least is ignored
there without a word; up to four may be set, and one is.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import takewhile

from finetune_prep.core.request import Request
from finetune_prep.project.config import ProviderKind

MARKED: Collection[ProviderKind] = ("anthropic", "bedrock")  # kinds that answer at once; a batch has no first request
BYTES = 3  # of UTF-8 for one token at the fewest, in texts as prompts are
LEAST = 1024  # tokens that a cache keeps, with most models; OpenAI's too
# with some more, with a few less
LEAST_OF = (
    (re.compile(r"haiku-4-5|opus-4-[567]\b"), 4096),
    (re.compile(r"haiku-3|3-(?:5-)?haiku|sonnet-4-6\b"), 2048),
    (re.compile(r"(?:opus|fable|mythos)-5\b"), 512),
)


def prefix(request: Request) -> str:
    """The text with which requests of the same kind begin: the system messages before all others, "" if there are none."""
    system = takewhile(lambda message: message.role == "system", request.messages)
    return "\n\n".join(message.content for message in system)


def is_kept(request: Request) -> bool:
    """Whether the prefix may be long enough for the cache of its model. Where that is not sure it is: a mark too many is free."""
    return len(prefix(request).encode()) >= BYTES * least(request.model)


def least(model: str) -> int:
    """Tokens that a prefix must have for this model's cache."""
    name = model.casefold().replace(".", "-")
    return next((tokens for pattern, tokens in LEAST_OF if pattern.search(name)), LEAST)
