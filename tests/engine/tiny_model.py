"""A Llama model of random weights, small enough to be made in a second, for engines that want a real one.

Runs in the environment of an engine, not in ours: `python tiny_model.py gguf FILE TEXTS` or `… folder FOLDER TEXTS`, where TEXTS
is a folder with Markdown files from which the tokenizer learns.

What it writes is noise, but noise of the kind that a chat has: words, now and then an end. One dimension of the hidden state is
the same everywhere, so the output row of a token sets there how often it comes; answers end by themselves after some forty
tokens. Nothing in it knows what JSON is: an answer that follows a schema shows the work of the engine.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

SEED = 4711
VOCABULARY = 2_000
WIDTH, LAYERS, HEADS, INNER, CONTEXT = 64, 2, 2, 128, 32_768
START, END = "<|im_start|>", "<|im_end|>"
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
WORDS = 36  # with the two below fewer than the 40 among which engines choose by default
OFTEN, SELDOM, NEVER = 0.0, -3.0, -12.0  # logits
SPACE = "Ġ"  # how a byte-level tokenizer writes it


def tokenizer(texts: Path) -> dict[str, Any]:
    """A byte-level BPE tokenizer trained on the Markdown files below `texts`, in the form of the library `tokenizers`."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[AddedToken(word, special=True) for word in (START, END)],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator((path.read_text("utf-8") for path in sorted(texts.rglob("*.md"))), trainer)
    described: dict[str, Any] = json.loads(made.to_str())
    return described


def vocabulary(described: dict[str, Any]) -> list[str]:
    """Tokens by number."""
    numbers: dict[str, int] = described["model"]["vocab"]
    return sorted(numbers, key=lambda word: numbers[word])


def frequencies(words: list[str]) -> np.ndarray:
    """How often each token is to come, as a logit: a few words often, with the end and the mark that ends a text in JSON."""
    logits = np.array([SELDOM if word.isascii() and word.isalpha() else NEVER for word in words], dtype=np.float32)
    spoken = [number for number, word in enumerate(words) if word[0] == SPACE and word[1:].isascii() and word[1:].isalpha()]
    logits[[*spoken[:WORDS], words.index('"'), words.index(END)]] = OFTEN
    logits[words.index('"')] += 1.0  # answers with a hundred texts would be long otherwise
    return logits


def weights(words: list[str]) -> dict[str, np.ndarray]:
    """Tensors under the names that transformers gives them."""
    random = np.random.default_rng(SEED)

    def noise(*shape: int) -> np.ndarray:
        return (random.standard_normal(shape) * 0.05).astype(np.float32)

    embedding, output = noise(len(words), WIDTH), noise(len(words), WIDTH)
    embedding[:, 0] = 8.0  # outweighs all that the layers add, so that the norm before the output makes it √WIDTH
    output[:, 0] = frequencies(words) / np.sqrt(WIDTH)
    made = {"model.embed_tokens.weight": embedding, "lm_head.weight": output, "model.norm.weight": np.ones(WIDTH, np.float32)}
    for number in range(LAYERS):
        layer = f"model.layers.{number}."
        for name in ("q", "k", "v", "o"):
            made[f"{layer}self_attn.{name}_proj.weight"] = noise(WIDTH, WIDTH)
        made[f"{layer}mlp.gate_proj.weight"] = noise(INNER, WIDTH)
        made[f"{layer}mlp.up_proj.weight"] = noise(INNER, WIDTH)
        made[f"{layer}mlp.down_proj.weight"] = noise(WIDTH, INNER)
        for name in ("input_layernorm", "post_attention_layernorm"):
            made[f"{layer}{name}.weight"] = np.ones(WIDTH, np.float32)
    return made


def write_gguf(path: Path, texts: Path) -> None:
    """The model as llama.cpp reads it."""
    import gguf

    described = tokenizer(texts)
    words = vocabulary(described)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(words))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(words)
    writer.add_token_types([gguf.TokenType.CONTROL if word in (START, END) else gguf.TokenType.NORMAL for word in words])
    writer.add_token_merges([" ".join(pair) for pair in described["model"]["merges"]])
    writer.add_bos_token_id(words.index(START))
    writer.add_eos_token_id(words.index(END))
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, LAYERS)
    for name, tensor in weights(words).items():
        writer.add_tensor(f"{names.get_name(name.removesuffix('.weight'))}.weight", tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_folder(folder: Path, texts: Path) -> None:
    """The model as transformers and vLLM read it."""
    from safetensors.numpy import save_file

    described = tokenizer(texts)
    words = vocabulary(described)
    end = words.index(END)
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": len(words),
        "hidden_size": WIDTH,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": HEADS,
        "intermediate_size": INNER,
        "max_position_embeddings": CONTEXT,
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": False,
        "bos_token_id": words.index(START),
        "eos_token_id": end,
        "pad_token_id": end,
        "dtype": "float32",
    }
    drawing = {"do_sample": True, "eos_token_id": end, "pad_token_id": end, "top_k": 40, "max_new_tokens": CONTEXT // 2}
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": END, "pad_token": END, "chat_template": TEMPLATE}
    folder.mkdir(parents=True)
    save_file(weights(words), folder / "model.safetensors", metadata={"format": "pt"})
    parts = {"config": config, "generation_config": drawing, "tokenizer": described, "tokenizer_config": settings}
    for name, part in parts.items():
        (folder / f"{name}.json").write_text(json.dumps(part), "utf-8")


if __name__ == "__main__":
    {"gguf": write_gguf, "folder": write_folder}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
