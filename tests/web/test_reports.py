"""Reports, audits and evaluations are reached from the pages, say nothing before the label, and may run nothing."""

from __future__ import annotations

import html

import pytest
from starlette.testclient import TestClient

from finetune_prep.project.project import Project, open_project
from finetune_prep.project.runs import Run
from finetune_prep.web.app import application
from finetune_prep.web.desk import Desk
from finetune_prep.workflow.auditing.audit import audit
from finetune_prep.workflow.report import write_report
from tests.cli.evaluated import evaluated
from tests.cli.terminal import Terminal
from tests.web.conftest import OWN, PORT
from tests.web.test_reviewing_what_is_due import label_all
from tests.workflow.auditing.sets import scaled
from tests.workflow.reviewing.pilots import ADA

OVERVIEW, RUNS = "/", "/runs"


def entered(project: Project) -> TestClient:
    guard = application(Desk(project, ADA), PORT)
    browser = TestClient(guard, base_url=OWN)
    browser.get(guard.link)
    return browser


@pytest.mark.parametrize("path", [OVERVIEW, RUNS])
def test_a_run_leads_to_its_report_and_its_audit(shop: Project, run: Run, path: str) -> None:
    scaled(shop, 20)
    audit(shop, run="scale-001")
    write_report(shop, run)
    text = entered(shop).get(path).text
    assert '<a href="/runs/pilot-001/report.html">report</a>' in text
    assert '<a href="/runs/scale-001/audit.html">audit</a>' in text
    assert "/runs/pilot-001/audit.html" not in text


def test_a_report_says_nothing_to_whoever_still_labels_blind(shop: Project, run: Run) -> None:
    write_report(shop, run)
    client = entered(shop)
    refused = client.get("/runs/pilot-001/report.html")
    assert refused.status_code == 409
    assert "You have 10 conversations of pilot-001 to label first" in refused.text
    assert "finetune-prep review --run pilot-001" in refused.text
    label_all(client)
    shown = client.get("/runs/pilot-001/report.html")
    assert shown.content == (run.folder / "report.html").read_bytes()
    policy = shown.headers.get_list("content-security-policy")
    assert len(policy) == 1
    assert "script-src" not in policy[0]
    assert policy[0].startswith("default-src 'none'")


@pytest.mark.parametrize("path", ["/runs/pilot-001/report.html", "/runs/pilot-001/audit.html", "/runs/pilot-009/report.html"])
def test_a_page_that_is_not_there_is_none(shop: Project, run: Run, path: str) -> None:
    assert entered(shop).get(path).status_code == 404


@pytest.mark.parametrize("path", [OVERVIEW, RUNS])
def test_an_evaluation_stands_with_the_runs(shop: Project, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    with evaluated(shop):
        models = ("--base", "before/shop-base", "--tuned", "after/shop-tuned")
        assert Terminal(capsys, shop)("evaluate", *models, "-n", "6", "--single", "--yes").code == 0
        client = entered(open_project(shop.folder))
        text = html.unescape(client.get(path).text)
        assert "evaluation-001" in text
        assert "base and tuned, " in text
        assert '<a href="/runs/evaluation-001/report.html">report</a>' in text
        assert client.get("/runs/evaluation-001/report.html").status_code == 200
