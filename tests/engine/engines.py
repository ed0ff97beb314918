"""Real inference engines from the package index, each in an environment of its own below .venv-engine; see decision 11.

`make test-engine` installs them. Nothing is downloaded at run time: the model is made on the spot.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from finetune_prep.models.setup import detect

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parents[1] / ".venv-engine"
TEXTS = HERE.parents[1] / "examples"
START_SECONDS = 600.0  # vLLM takes half a minute on an idle machine, two on a busy one
CONTEXT = 32_768


@dataclass(frozen=True)
class Engine:
    """One engine. form: in which the tiny model is made for it. named: whether its model can be given a name of its own.

    schema: what it does with a JSON Schema. stranger: what it does with the name of a model that it does not serve. long:
    what it does with a prompt beyond its context. serve: its command, from Python, model, port and the model's name.
    """

    name: str
    form: Literal["gguf", "folder"]
    schema: Literal["enforced", "ignored", "refused"]
    stranger: Literal["answers", "rejects", "pauses"]
    long: Literal["answers", "rejects"]
    serve: Callable[[Path, Path, int, str], list[str]]
    named: bool = True

    @property
    def python(self) -> Path:
        return ENVIRONMENTS / self.name / "bin" / "python"


@dataclass(frozen=True)
class Served:
    """An engine that answers. model: the name under which it is asked for."""

    engine: Engine
    base_url: str
    model: str


def _llamacpp(python: Path, model: Path, port: int, name: str) -> list[str]:
    return [str(python), str(HERE / "serve_llamacpp.py"), str(model), str(port), str(CONTEXT), name]


def _llama_cpp_python(python: Path, model: Path, port: int, name: str) -> list[str]:
    serve = [str(python), "-m", "llama_cpp.server", "--host", "127.0.0.1", "--port", str(port)]
    return [*serve, "--model", str(model), "--model_alias", name, "--n_ctx", str(CONTEXT)]


def _transformers(python: Path, model: Path, port: int, name: str) -> list[str]:
    serve = [str(python.with_name("transformers")), "serve", str(model)]
    return [*serve, "--device", "cpu", "--host", "127.0.0.1", "--port", str(port)]


def _vllm(python: Path, model: Path, port: int, name: str) -> list[str]:
    # the command `vllm` looks for a package of that name, and the build for CPUs has another
    serve = [str(python), "-m", "vllm.entrypoints.openai.api_server", "--host", "127.0.0.1", "--port", str(port)]
    model_options = ["--model", str(model), "--served-model-name", name, "--dtype", "float32", "--max-model-len", str(CONTEXT)]
    return [*serve, *model_options, "--enforce-eager"]


ENGINES = {
    engine.name: engine
    for engine in (
        Engine("llamacpp", "gguf", schema="enforced", stranger="answers", long="rejects", serve=_llamacpp),
        Engine("llama-cpp-python", "gguf", schema="refused", stranger="answers", long="rejects", serve=_llama_cpp_python),
        Engine("transformers", "folder", schema="ignored", stranger="rejects", long="answers", serve=_transformers, named=False),
        Engine("vllm", "folder", schema="enforced", stranger="pauses", long="rejects", serve=_vllm),
    )
}


def make_model(engine: Engine, folder: Path) -> Path:
    """The tiny model in the engine's form."""
    path = folder / ("tiny.gguf" if engine.form == "gguf" else "tiny")
    subprocess.run([engine.python, HERE / "tiny_model.py", engine.form, path, TEXTS], check=True, timeout=START_SECONDS)
    return path


@contextmanager
def serving(engine: Engine, folder: Path, name: str = "tiny") -> Iterator[Served]:
    """Start an engine on loopback with the tiny model, under a name if it takes one; it ends with the context.

    Raises AssertionError with what it said.
    """
    model = make_model(engine, folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "server.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, HERE / "guarded.py", *engine.serve(engine.python, model, port, name)],
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=subprocess.STDOUT,
            env=environment(folder),
            start_new_session=True,  # the keyboard's Ctrl-C is for the tests; the guard hears of it when they end
        )
    served = Served(engine, f"http://127.0.0.1:{port}/v1", name if engine.named else str(model))
    try:
        _wait(served, process, log)
        yield served
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(30)


def _wait(served: Served, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until it lists its models."""
    deadline = time.monotonic() + START_SECONDS
    while asyncio.run(detect.look_at("engine", served.base_url, seconds=2.0)).status != 200:
        gone = process.poll() is not None
        assert not gone and time.monotonic() < deadline, f"{served.engine.name} did not start:\n{log.read_text('utf-8')[-3000:]}"
        time.sleep(0.5)


def environment(folder: Path) -> dict[str, str]:
    """No hub, no home folder, no usage statistics, one thread: the machine may be busy."""
    home = folder / "home"
    (home / "hub").mkdir(parents=True, exist_ok=True)  # transformers lists its models from there, and fails where there is none
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(home), "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    quiet = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "VLLM_HOST_IP": "127.0.0.1"}
    small = {"VLLM_CPU_KVCACHE_SPACE": "1", "OMP_NUM_THREADS": "1"}
    return {"PATH": os.environ["PATH"], **offline, **quiet, **small}
