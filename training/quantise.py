"""A folder of weights as a GGUF of eight bits for llama.cpp: python quantise.py PACKAGED.gguf FOLDER OUT.gguf

All but the tensors (sizes, tokenizer, chat template, licence) is taken over from the packaged file, so that base and tuned model
written with this differ in nothing but their weights.
"""

from __future__ import annotations

import sys
from pathlib import Path

import gguf
import numpy as np
from safetensors.numpy import load_file

EIGHT_BITS = gguf.GGMLQuantizationType.Q8_0
WRITTEN_ANEW = {"GGUF.version", "GGUF.tensor_count", "GGUF.kv_count", "general.architecture", "general.file_type"}


def interleaved(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows of queries or keys in the order of llama.cpp, where the two halves of a rotation are neighbours."""
    rows, columns = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def copy_fields(read: gguf.GGUFReader, writer: gguf.GGUFWriter) -> None:
    for name, field in read.fields.items():
        if name not in WRITTEN_ANEW:
            of_items = field.types[-1] if len(field.types) > 1 else None
            writer.add_key_value(name, field.contents(), field.types[0], of_items)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)


def add_tensors(read: gguf.GGUFReader, writer: gguf.GGUFWriter, weights: dict[str, np.ndarray]) -> None:
    def number(name: str) -> int:
        return int(read.fields[f"llama.{name}"].contents())

    heads = {"q_proj": number("attention.head_count"), "k_proj": number("attention.head_count_kv")}
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, number("block_count"))
    for name, weight in weights.items():
        tensor = weight.astype(np.float32)
        for part, count in heads.items():
            tensor = interleaved(tensor, count) if part in name else tensor
        called = f"{names.get_name(name.removesuffix('.weight'))}.weight"
        if tensor.ndim == 1:
            writer.add_tensor(called, tensor)
        else:
            writer.add_tensor(called, gguf.quants.quantize(tensor, EIGHT_BITS), raw_dtype=EIGHT_BITS)
    there, wanted = {name for part in writer.tensors for name in part}, {tensor.name for tensor in read.tensors}
    if there != wanted:
        sys.exit(f"these tensors are in one file alone: {', '.join(sorted(there ^ wanted))}")


def main() -> None:
    packaged, folder, out = map(Path, sys.argv[1:])
    read, writer = gguf.GGUFReader(packaged), gguf.GGUFWriter(out, "llama")
    copy_fields(read, writer)
    add_tensors(read, writer, load_file(folder / "model.safetensors"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
