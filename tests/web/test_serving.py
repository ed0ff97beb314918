"""The server as a process: where it listens, how it ends, and what survives its death."""

from __future__ import annotations

import re
import signal
import socket
import sys
from contextlib import closing

import httpx2 as httpx
import pytest

from finetune_prep.labels.file import read_labels
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run
from tests.soak import SOAK
from tests.waiting import HUNG
from tests.web.serving import Served, served

pytestmark = pytest.mark.slow


def enter(page: Served) -> httpx.Client:
    client = httpx.Client(base_url=page.own, follow_redirects=True, timeout=HUNG, trust_env=False)
    assert client.get(page.link).status_code == 200
    return client


def test_it_listens_to_this_machine_alone_on_a_port_of_its_own(shop: Project, run: Run) -> None:
    with served(shop) as one, served(shop) as other:
        assert one.own != other.own
        assert re.fullmatch(r"http://127\.0\.0\.1:\d{4,5}/enter\?token=[\w-]{40,}", one.link)
        port = int(one.own.rpartition(":")[2])
        if sys.platform == "linux":
            with socket.socket() as elsewhere:
                assert elsewhere.connect_ex(("127.0.0.2", port)) != 0
        assert httpx.get(one.own, trust_env=False).status_code == 403


def test_ctrl_c_ends_it_with_a_sentence(shop: Project, run: Run) -> None:
    with served(shop, "review", "--by", "Ada Larch") as page:
        with closing(enter(page)) as client:
            assert client.get("/").status_code == 200
        page.process.send_signal(signal.SIGINT)
        assert page.process.wait(HUNG) == 0
        assert page.process.stderr is not None
        said = page.process.stderr.read()
    assert "Every label shown as saved is on disk." in said
    assert "Traceback" not in said


@pytest.mark.parametrize("killed_after", [1, 2, 3, 4, 6] if not SOAK else [*range(1, 11)] * 20)
def test_no_label_that_was_shown_as_saved_is_lost_when_the_server_is_killed(shop: Project, run: Run, killed_after: int) -> None:
    shown = []
    with served(shop) as page, closing(enter(page)) as client:
        for place in range(1, killed_after + 1):
            of = re.findall(r'name="of" value="([^"]+)"', client.get(f"/review/{place}").text)[0]
            answer = client.post(
                f"/review/{place}/label",
                data={"label": "pass", "seen": "0", "of": of, "note": f"number {place}"},
                headers={"origin": page.own},
            )
            if "Saved." in answer.text:
                shown.append(f"number {place}")
        page.process.kill()
    assert len(shown) == killed_after
    assert [label.note for label in read_labels(run.labels_path).labels] == shown
