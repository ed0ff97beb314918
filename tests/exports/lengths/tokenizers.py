"""Tiny tokenizers on disk: bytes as tokens, with a chat template that marks replies, one that does not, one that refuses a system."""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers

TURN = "{{ '<|im_start|>' + message['role'] + '\\n' }}"
MARKED = (
    "{% for message in messages %}" + TURN + "{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] }}"
    "<|im_end|>{% endgeneration %}{% else %}{{ message['content'] }}<|im_end|>{% endif %}{{ '\\n' }}{% endfor %}"
)
STOCK = "{% for message in messages %}" + TURN + "{{ message['content'] }}<|im_end|>{{ '\\n' }}{% endfor %}"
NO_SYSTEM = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}" + MARKED


def tokenizer(folder: Path, template: str = MARKED) -> Path:
    """A folder with a tokenizer whose tokens are bytes, and two for the ends of turns."""
    folder.mkdir(parents=True, exist_ok=True)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    found = Tokenizer(models.BPE(vocab={sign: n for n, sign in enumerate(alphabet)}, merges=[]))
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    found.decoder = decoders.ByteLevel()
    found.add_special_tokens(["<|im_start|>", "<|im_end|>"])
    found.save(str(folder / "tokenizer.json"))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|im_end|>"}
    config |= {"chat_template": template} if template else {}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")
    return folder
