"""Base and tuned model, each at a server of its own on this machine: python serve.py BASE.gguf TUNED.gguf [-- COMMAND …]

Until the command has ended, whose exit code is passed on, or until Ctrl-C where there is none. One engine, one quantisation, the
addresses of models.toml; what the servers say goes to servers.log. A model is served under the name of its file and the hash of
its weights, so that replies of other weights are never taken for its own; in the command, {base} and {tuned} stand for these.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import xllamacpp

PORT = 18131  # and the next one
SLOTS, CONTEXT = 4, 4096


def name_of(file: Path) -> str:
    with file.open("rb") as weights:
        return f"{file.stem}-{hashlib.file_digest(weights, 'sha256').hexdigest()[:8]}"


def serve(name: str, file: Path, port: int) -> xllamacpp.Server:
    params = xllamacpp.CommonParams()
    params.model.path = str(file)
    params.model_alias = {name}
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_ctx = SLOTS * CONTEXT
    params.n_parallel = SLOTS
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 2
    params.warmup = False
    return xllamacpp.Server(params)


def main() -> int:
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    files, command = [Path(word) for word in sys.argv[1:split]], sys.argv[split + 1 :]
    names = [name_of(file) for file in files]
    if len({name.rpartition("-")[2] for name in names}) < len(names):
        sys.exit("both files hold the same weights: the tuning changed nothing, or its adapter was not merged")
    terminal = os.dup(2)
    with Path(sys.argv[1]).with_name("servers.log").open("wb") as log:
        os.dup2(log.fileno(), 2)  # the servers' own account of every token
    servers = [serve(name, file, PORT + place) for place, (name, file) in enumerate(zip(names, files, strict=True))]
    for name, server in zip(names, servers, strict=True):
        print(f"{name} at {server.listening_address}/v1", flush=True)
    if command:
        base, tuned = names
        return subprocess.run([word.format(base=base, tuned=tuned) for word in command], check=False, stderr=terminal).returncode
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main())
