"""llama.cpp's own HTTP server over a GGUF file: `python serve_llamacpp.py FILE PORT CONTEXT NAME`; until its standard input ends."""

from __future__ import annotations

import sys

import xllamacpp

SLOTS = 4

params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.hostnames = ["127.0.0.1"]
params.port = int(sys.argv[2])
params.n_ctx = SLOTS * int(sys.argv[3])
params.n_parallel = SLOTS
params.cpuparams.n_threads = 1
params.warmup = False
params.model_alias = {sys.argv[4]}
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
