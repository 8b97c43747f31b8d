"""A database that goes away while a job works is no fault of the job; one that refuses a statement may be."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection
from django.test import RequestFactory

from jobs import lifecycle, outages, services
from jobs.models import Job
from jobs.registry import _handlers
from jobs.tasks import work
from stylerec_site.errors import SECONDS_UNTIL_BACK, server_error

pytestmark = pytest.mark.django_db


def attempt(job: Job) -> Job:
    """One attempt by one worker."""
    Job.objects.filter(pk=job.pk).update(not_before=None)
    fence = lifecycle.claim(job.pk, worker="w")
    assert fence is not None
    work(job.pk, fence)
    job.refresh_from_db()
    return job


@pytest.fixture
def job(monkeypatch) -> Job:
    """A job whose every attempt meets a database that does not answer."""

    def handler(context):
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setitem(_handlers, "test", handler)
    return services.enqueue(Job(kind="test"))


@pytest.fixture
def _gone(monkeypatch) -> None:
    """The connection is found dead, and the database back at the next look."""
    monkeypatch.setattr(connection, "is_usable", lambda: False)
    monkeypatch.setattr(outages, "_is_over", lambda: True)


@pytest.mark.usefixtures("_gone")
def test_an_outage_is_not_held_against_the_job(job, settings):
    for _ in range(settings.JOBS_MAX_FRUITLESS_ATTEMPTS + 1):
        attempt(job)
        assert (job.status, job.fruitless_attempts) == (Job.Status.QUEUED, 0)


@pytest.mark.usefixtures("_gone")
def test_a_job_that_always_takes_the_database_with_it_ends_all_the_same(job, settings):
    for _ in range(outages.MOST_FORGIVEN + settings.JOBS_MAX_FRUITLESS_ATTEMPTS):
        attempt(job)
    assert job.status == Job.Status.DEAD


def outages_at(monkeypatch, job, places) -> list[tuple[str, int]]:
    """Attempts that each get as far as ``places`` says before the database goes away; what became of the job each time."""
    outcomes = []
    for done in places:

        def handler(context, done=done):
            context.report(done=done, total=done)
            raise OperationalError("server closed the connection unexpectedly")

        monkeypatch.setitem(_handlers, "test", handler)
        attempt(job)
        outcomes.append((job.status, job.fruitless_attempts))
        if job.status == Job.Status.DEAD:
            break
    return outcomes


@pytest.mark.usefixtures("_gone")
def test_a_long_job_that_gets_on_between_outages_gets_over_any_number_of_them(monkeypatch, job, settings):
    outcomes = outages_at(monkeypatch, job, range(1, 3 * outages.MOST_FORGIVEN))
    assert set(outcomes) == {(Job.Status.QUEUED, 0)}
    stuck = job.progress_done
    endless = outages_at(monkeypatch, job, [stuck] * 100)
    # The first outage at this place was the last of those with progress.
    assert len(endless) == outages.MOST_FORGIVEN - 1 + settings.JOBS_MAX_FRUITLESS_ATTEMPTS
    assert job.status == Job.Status.DEAD


@pytest.mark.usefixtures("_gone")
def test_a_job_that_dies_now_sooner_now_later_gets_nowhere(monkeypatch, job, settings):
    places = [4, 4, 3, 3, 2, 2, 1, 1] * 20
    outages_at(monkeypatch, job, places)
    assert job.status == Job.Status.DEAD
    assert job.attempt <= outages.MOST_FORGIVEN + 4 * settings.JOBS_MAX_FRUITLESS_ATTEMPTS


@pytest.mark.usefixtures("_gone")
def test_a_retry_forgives_what_was_before(monkeypatch, job, settings):
    outages_at(monkeypatch, job, [0] * 100)
    assert job.status == Job.Status.DEAD
    services.retry(job=job)
    again = outages_at(monkeypatch, job, [0] * 100)
    assert len(again) == outages.MOST_FORGIVEN + settings.JOBS_MAX_FRUITLESS_ATTEMPTS


def test_a_statement_that_the_database_refuses_is_the_jobs_own_fault(job, caplog):
    assert attempt(job).fruitless_attempts == 1
    assert "server closed" in job.error_message


@pytest.mark.usefixtures("_gone")
def test_a_job_that_somebody_else_has_taken_in_the_meantime_is_left_to_them(monkeypatch):
    def handler(context):
        Job.objects.filter(pk=context.job_id).update(fence=context.fence + 1, worker="heir")
        raise OperationalError("gone")

    monkeypatch.setitem(_handlers, "test", handler)
    job = attempt(services.enqueue(Job(kind="test")))
    assert (job.status, job.worker) == (Job.Status.RUNNING, "heir")


@pytest.mark.parametrize(("error", "status"), [(OperationalError("away"), 503), (ValueError("ours"), 500)])
def test_a_request_that_finds_no_database_is_told_to_come_back(error, status):
    request = RequestFactory().get("/api/v1/products/")
    request.request_id = "id-00000001"
    try:
        raise error
    except type(error):
        response = server_error(request)
    assert response.status_code == status
    assert response.headers.get("Retry-After") == (str(SECONDS_UNTIL_BACK) if status == 503 else None)
    assert b"id-00000001" in response.content
