"""What every answer carries: policy, caching, cookies, ids; and what the operator sees."""

from __future__ import annotations

import json
import logging

import pytest
import structlog
from django.conf import settings as site
from django.core.management import CommandError, call_command
from django.http import HttpResponse

from catalog import audit
from catalog.models import AuditEntry
from jobs.models import Job
from stylerec_site.middleware import RequestIdMiddleware
from tests.catalog.factories import MerchantFactory, ProductFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    shop = MerchantFactory()
    ProductFactory(merchant=shop)
    return shop


def directives(response) -> dict[str, list[str]]:
    parts = [part.split() for part in response["Content-Security-Policy"].split(";") if part.strip()]
    return {part[0]: part[1:] for part in parts}


def test_the_storefront_allows_no_script_of_others_and_none_inline(client, shop):
    for path in ("/", f"/s/{shop.slug}/", f"/s/{shop.slug}/bag/", f"/s/{shop.slug}/your-data/", "/s/nowhere/"):
        policy = directives(client.get(path))
        for name in ("default-src", "script-src", "style-src"):
            assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "https:", "data:"} & set(policy[name]), (path, name)
        assert policy["object-src"] == ["'none'"]
        assert policy["frame-ancestors"] == ["'none'"]
        assert policy["base-uri"] == ["'self'"]


def test_pages_of_a_visitor_are_nobody_elses_to_keep(client, shop):
    for path in ("", "bag/", "your-data/", "search/?q=vase"):
        response = client.get(f"/s/{shop.slug}/{path}")
        assert {"private", "no-store"} <= set(response["Cache-Control"].replace(",", " ").split()), path
        assert "Cookie" in response["Vary"], path


def test_admin_pages_are_not_kept(ours, session):
    for path in ("/admin/", "/admin/catalog/product/", "/admin/styling/review/"):
        response = session.get(path)
        assert {"private", "no-store"} & set(response["Cache-Control"].replace(",", " ").split()), path
        assert "Cookie" in response["Vary"], path


def test_every_answer_has_its_guards(client, shop):
    response = client.get(f"/s/{shop.slug}/")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("offered", ["", "short", "x" * 65, "line\nbreak-0000", "ünïcode-0000", "<script>1</script>"])
def test_only_a_well_formed_request_id_is_taken_over(rf, offered):
    request = rf.get("/")
    request.META["HTTP_X_REQUEST_ID"] = offered
    answer = RequestIdMiddleware(lambda _request: HttpResponse())(request)
    assert len(answer["X-Request-ID"]) == 32
    assert answer["X-Request-ID"] != offered


def test_logs_are_json_lines_with_the_request_and_the_job():
    """The production formatter over a plain library's record, inside a request and a job."""
    production = {**site.LOGGING["formatters"]["structured"]}
    factory = production.pop("()")
    chain = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer()]
    formatter = factory(processors=chain, foreign_pre_chain=production["foreign_pre_chain"])
    with structlog.contextvars.bound_contextvars(request_id="id-00000001", job_id="j-1"):
        line = formatter.format(logging.LogRecord("a.library", logging.WARNING, "f", 1, "said %s", ("x",), None))
    entry = json.loads(line)
    assert entry["event"] == "said x"
    assert (entry["request_id"], entry["job_id"], entry["level"]) == ("id-00000001", "j-1", "warning")
    assert "timestamp" in entry


def test_metrics_say_how_long_jobs_wait_and_how_fast_they_go(client, shop, django_assert_max_num_queries):
    Job.objects.create(kind="waiting", queue="gpu")
    running = Job.objects.create(kind="styling.train", queue="gpu", status=Job.Status.RUNNING, progress_done=500)
    Job.objects.filter(pk=running.pk).update(started_at=running.created_at)
    client.get(f"/s/{shop.slug}/")
    with django_assert_max_num_queries(6):
        text = client.get("/metrics").content.decode()
    assert 'stylerec_queue_age_seconds{queue="gpu"}' in text
    assert 'stylerec_job_steps_per_second{job="' in text
    assert 'stylerec_jobs{kind="waiting",status="queued"} 1.0' in text
    assert 'stylerec_requests_total{method="GET",status="200",view="storefront:home"}' in text


def test_metrics_are_nobodys_without_the_token(client, settings):
    settings.METRICS_TOKEN = "a-long-token"
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"authorization": "Bearer wrong"}).status_code == 404
    assert client.get("/metrics", headers={"authorization": "Bearer a-long-token"}).status_code == 200
    settings.METRICS_TOKEN = ""
    settings.PRODUCTION = True
    assert client.get("/metrics").status_code == 404


def test_a_changed_audit_entry_is_found(shop, capsys):
    for number in range(3):
        audit.record(merchant=shop, actor="mei", action="changed", target=shop, after={"n": number})
    call_command("verify_audit")
    assert f"{shop.slug}: whole" in capsys.readouterr().out
    AuditEntry.objects.filter(merchant=shop, after__n=1).update(actor="somebody else")
    with pytest.raises(CommandError, match=shop.slug):
        call_command("verify_audit")


def test_nobody_edits_the_audit_trail_in_the_admin(ours, session):
    entry = ours.of("catalog.AuditEntry")
    for verb in ("change", "delete"):
        response = session.post(f"/admin/catalog/auditentry/{entry.pk}/{verb}/", {"actor": "me", "post": "yes"})
        assert response.status_code == 403
    assert AuditEntry.objects.filter(pk=entry.pk, actor=entry.actor).exists()
