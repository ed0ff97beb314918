"""What holds for every test: no network but loopback, a home folder of its own, no provider's key, examples that are fixed."""

from __future__ import annotations

import ipaddress
import itertools
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from finetune_prep.http import transfer
from finetune_prep.project import keys
from tests.soak import SOAK, examples

KEY_ENDINGS = ("_API_KEY", "_API_TOKEN", "_ACCESS_KEY", "_SECRET_KEY", "_TOKEN")
WHOLE = Path(__file__).parent / "whole"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")

HOMES = itertools.count()  # counted here: pytest would look through all of them for each new one

# The same examples in every run, on every machine: what one run finds, the next one shows again; `make soak` looks for new ones.
# No limit in milliseconds: a busy machine would break it.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=examples(40))
settings.register_profile("suite", UNHURRIED, derandomize=not SOAK, database=None)
settings.load_profile("suite")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow ones first, whole ways before all: what is left for the end is quick, so that no worker waits for another."""
    items.sort(key=lambda item: (item.get_closest_marker("slow") is None, item.path.parent != WHOLE))


@pytest.fixture(autouse=True)
def sealed(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Seal the test off from the network, the home folder and the keys of whoever runs it."""
    home = tmp_path_factory.mktemp(f"home-{next(HOMES)}", numbered=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr(Path, "home", lambda: home)
    for name in list(os.environ):
        if name.upper().endswith(KEY_ENDINGS) or name.upper() in PROXIES or name.upper().startswith("XDG_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv(keys.ALLOWED, "*@127.0.0.1")  # tests send keys to servers of their own; those of the question take it back
    for method in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, method, _only_loopback(getattr(socket.socket, method)))
    monkeypatch.setattr(socket, "getaddrinfo", _only_known_names(socket.getaddrinfo))
    monkeypatch.setattr(transfer, "open_socket", _only_loopback_sockets(transfer.open_socket))


def _only_loopback(connect: Any) -> Any:
    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family != socket.AF_UNIX and not _is_loopback(address[0]):
            raise AssertionError(f"a test tried to reach {address}; tests may use loopback only")
        return connect(self, address)

    return guarded


def _only_loopback_sockets(make: Any) -> Any:
    """libcurl resolves names and connects by itself; its sockets are ours."""

    def guarded(family: int, kind: int, protocol: int, address: Any) -> int:
        if not _is_loopback(address[0]):
            raise AssertionError(f"a test tried to reach {address}; tests may use loopback only")
        return int(make(family, kind, protocol, address))

    return guarded


def _only_known_names(resolve: Any) -> Any:
    def guarded(host: Any, *arguments: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name and name != "localhost" and not _is_address(name):
            raise socket.gaierror(socket.EAI_NONAME, f"a test tried to resolve {name}; tests may use loopback only")
        return resolve(host, *arguments, **options)

    return guarded


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host.partition("%")[0]).is_loopback)
