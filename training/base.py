"""The packaged weights as a folder that can be trained: python base.py MODEL.gguf FOLDER

Beside weights and tokenizer the folder gets the model's chat template a second time, with the replies marked: TRL learns from
marked replies alone, and this model's own template has no marks.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM
from transformers.utils.logging import disable_progress_bar

MARKED = "training_template.jinja"
# a reply is marked with the end of its turn, or the model never learns to stop
MESSAGE = "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
REPLY = "{{'<|im_start|>assistant\n'}}{% generation %}{{message['content'] + '<|im_end|>'}}{% endgeneration %}{{'\n'}}"
EITHER = f"{{% if message['role'] == 'assistant' %}}{REPLY}{{% else %}}{MESSAGE}{{% endif %}}"


def unpacked(gguf: Path) -> LlamaForCausalLM:
    """The weights in single precision. What comes out of a GGUF is marked as quantised and can be neither trained nor saved."""
    read = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    config = read.config
    config.architectures = [LlamaForCausalLM.__name__]
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    model = LlamaForCausalLM(config)
    found = model.load_state_dict(read.state_dict(), strict=False)
    if found.unexpected_keys or {*found.missing_keys} - {"lm_head.weight"}:
        sys.exit(f"{gguf.name} holds other tensors than expected: {found}")
    model.tie_weights()  # the head is the table of embeddings
    return model


def marked(template: str) -> str:
    """The chat template with its replies marked; it writes the same text."""
    if template.count(MESSAGE) != 1:
        sys.exit("the model's chat template is another one than expected: mark its replies with {% generation %} by hand")
    return template.replace(MESSAGE, EITHER)


def main() -> None:
    disable_progress_bar()
    gguf, folder = map(Path, sys.argv[1:])
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    unpacked(gguf).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / MARKED).write_text(marked(tokenizer.chat_template), "utf-8")


if __name__ == "__main__":
    main()
