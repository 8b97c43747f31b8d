"""A job is lost by nobody and done by one: claims, fences, leases, retries, cancels."""

from __future__ import annotations

from datetime import timedelta

import pytest
from celery import current_app
from django.utils import timezone

from jobs import lifecycle, services
from jobs.context import JobCancelled, JobContext
from jobs.errors import Conflict, UserError
from jobs.lifecycle import LostLease
from jobs.models import Job
from jobs.registry import _handlers
from jobs.sweeping import sweep
from jobs.tasks import run, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def handler(monkeypatch):
    """Registers the function that the test gives as the worker of jobs of kind ``test``."""

    def register(function):
        monkeypatch.setitem(_handlers, "test", function)
        return function

    return register


@pytest.fixture
def rings(monkeypatch):
    """What would have been sent to the broker, in which no message of another test waits."""
    with current_app.connection_for_write() as broker:
        broker.default_channel.client.delete("default")
    sent: list[tuple[str, str]] = []
    monkeypatch.setattr(run, "apply_async", lambda args, queue, retry: sent.append((args[0], queue)))
    return sent


def a_job(**fields) -> Job:
    return Job.objects.create(kind="test", **fields)


def expire(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))


def fresh(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def test_asking_rings_only_after_the_commit(rings, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        job = services.enqueue(Job(kind="test", queue="gpu"))
        assert rings == []
    assert rings == [(str(job.pk), "gpu")]


def test_asking_twice_with_one_key_is_asking_once(rings):
    first = services.enqueue(Job(kind="test", idempotency_key="same"))
    assert services.enqueue(Job(kind="test", idempotency_key="same")) == first
    assert Job.objects.count() == 1


def test_only_one_of_two_workers_gets_the_job():
    job = a_job()
    assert lifecycle.claim(job.pk, worker="a") == 1
    assert lifecycle.claim(job.pk, worker="b") is None


def test_an_expired_lease_passes_the_job_on_and_fences_the_first_worker_out():
    job = a_job()
    first = lifecycle.claim(job.pk, worker="a")
    expire(job)
    second = lifecycle.claim(job.pk, worker="b")
    assert second == first + 1
    with pytest.raises(LostLease):
        lifecycle.succeed(job.pk, first, {"by": "a"})
    lifecycle.succeed(job.pk, second, {"by": "b"})
    assert fresh(job).result == {"by": "b"}


def test_effects_of_a_fenced_out_worker_are_rolled_back():
    job = a_job()
    context = JobContext(job=job, fence=lifecycle.claim(job.pk, worker="a"))
    expire(job)
    lifecycle.claim(job.pk, worker="b")
    with pytest.raises(LostLease), context.fenced():
        a_job(idempotency_key="an effect")
    assert not Job.objects.filter(idempotency_key="an effect").exists()


def test_a_handler_that_returns_has_succeeded(handler):
    handler(lambda context: {"answer": 42})
    job = a_job()
    run(str(job.pk))
    assert (fresh(job).status, fresh(job).result) == ("succeeded", {"answer": 42})


def test_a_second_message_about_a_finished_job_changes_nothing(handler):
    calls = []
    handler(lambda context: calls.append(1))
    job = a_job()
    run(str(job.pk))
    run(str(job.pk))
    assert calls == [1]


def test_a_user_error_fails_at_once_with_its_text(handler):
    @handler
    def refuse(context):
        raise UserError("too-few", "Too few pictures.", "Add five.")

    job = a_job()
    run(str(job.pk))
    job = fresh(job)
    assert (job.status, job.error_code, job.error_message, job.error_hint) == (
        "failed",
        "too-few",
        "Too few pictures.",
        "Add five.",
    )


def test_a_crash_is_tried_again_and_given_up_after_three_attempts_without_progress(handler, caplog):
    @handler
    def crash(context):
        raise RuntimeError("the disk is full")

    job = a_job()
    for expected in ("queued", "queued", "dead"):
        Job.objects.filter(pk=job.pk).update(not_before=None)
        run(str(job.pk))
        assert fresh(job).status == expected
    assert "the disk is full" in fresh(job).error_message


def test_progress_forgives_earlier_crashes(handler, caplog):
    @handler
    def a_little_further(context):
        done = context.job.progress_done + 1
        context.report(done=done, total=done)
        raise RuntimeError("again")

    job = a_job()
    for _ in range(6):
        Job.objects.filter(pk=job.pk).update(not_before=None)
        run(str(job.pk))
    assert fresh(job).status == "queued"
    assert fresh(job).progress_done == 6


def test_a_worker_killed_three_times_without_progress_ends_the_job(handler):
    job = a_job()
    for _ in range(3):
        assert lifecycle.claim(job.pk, worker="doomed") is not None
        expire(job)
    assert lifecycle.claim(job.pk, worker="next") is None
    assert fresh(job).status == "dead"


def test_a_waiting_job_is_cancelled_at_once():
    job = a_job()
    services.request_cancel(job=job)
    assert job.status == "cancelled"
    assert lifecycle.claim(job.pk, worker="late") is None


def test_a_running_job_stops_at_its_next_look(handler):
    steps = []

    @handler
    def long_work(context):
        for step in range(100):
            steps.append(step)
            if step == 3:
                services.request_cancel(job=Job.objects.get(pk=context.job_id))
                context.look()
            if context.should_stop():
                context.raise_if_stopped()

    job = a_job()
    run(str(job.pk))
    assert fresh(job).status == "cancelled"
    assert steps == [0, 1, 2, 3]


def test_raise_if_stopped_names_the_reason():
    job = a_job()
    context = JobContext(job=job, fence=lifecycle.claim(job.pk, worker="a"))
    services.request_cancel(job=job)
    context.look()
    with pytest.raises(JobCancelled):
        context.raise_if_stopped()


def test_a_finished_job_cannot_be_cancelled(handler):
    handler(lambda context: None)
    job = a_job()
    run(str(job.pk))
    with pytest.raises(Conflict):
        services.request_cancel(job=fresh(job))


def test_retry_revives_what_ended_badly_and_nothing_else(rings, django_capture_on_commit_callbacks):
    dead, running = a_job(status="dead", fruitless_attempts=3), a_job()
    lifecycle.claim(running.pk, worker="a")
    with django_capture_on_commit_callbacks(execute=True):
        services.retry(job=dead)
    assert (dead.status, dead.fruitless_attempts) == ("queued", 0)
    assert rings == [(str(dead.pk), "default")]
    with pytest.raises(Conflict):
        services.retry(job=fresh(running))


def test_the_sweeper_rings_for_lost_messages_and_dead_leases_only(rings):
    never_rung, abandoned, alive, done = a_job(), a_job(), a_job(), a_job(status="succeeded")
    lifecycle.claim(abandoned.pk, worker="killed")
    expire(abandoned)
    lifecycle.claim(alive.pk, worker="busy")
    assert sweep() == 2
    assert {job_id for job_id, _ in rings} == {str(never_rung.pk), str(abandoned.pk)}
    assert str(done.pk) not in dict(rings)


def test_the_sweeper_does_not_pile_up_messages(rings):
    a_job()
    assert sweep() == 1
    assert sweep() == 0


def test_a_broker_that_is_away_does_not_fail_the_request(monkeypatch):
    def refuse(*args, **kwargs):
        raise ConnectionError("no broker")

    monkeypatch.setattr(run, "apply_async", refuse)
    job = a_job()
    assert services.ring(job.pk, queue="default") is False
    assert fresh(job).rung_at is None


def test_work_of_a_taken_over_job_writes_nothing(handler):
    @handler
    def slow(context):
        expire(context.job)
        lifecycle.claim(context.job_id, worker="other")
        return {"by": "slow"}

    job = a_job()
    work(job.pk, lifecycle.claim(job.pk, worker="slow"))
    assert (fresh(job).status, fresh(job).result, fresh(job).worker) == ("running", {}, "other")


def test_a_job_that_begins_anew_and_fails_now_sooner_now_later_ends(handler, settings):
    """Each attempt may get further than the last one, and still get nowhere."""
    places = iter([5, 3, 4, 2, 5, 3, 5, 1, 5])

    @handler
    def fail_somewhere(context):
        place = next(places)
        context.report(done=place, total=place)
        raise RuntimeError(f"at {place}")

    job = a_job()
    while (fence := claim_now(job)) is not None:
        work(job.pk, fence)
    assert fresh(job).status == Job.Status.DEAD
    # The first one was further than ever, and costs nothing.
    assert fresh(job).attempt == settings.JOBS_MAX_FRUITLESS_ATTEMPTS + 1


def test_a_job_that_gets_further_each_time_goes_on(handler):
    places = iter(range(1, 12))

    @handler
    def fail_later(context):
        place = next(places)
        context.report(done=place, total=place)
        if place < 11:
            raise RuntimeError(f"at {place}")
        return {}

    job = a_job()
    while (fence := claim_now(job)) is not None:
        work(job.pk, fence)
    assert (fresh(job).status, fresh(job).attempt) == (Job.Status.SUCCEEDED, 11)


def claim_now(job: Job) -> int | None:
    """Claim the job without the pause after a failure."""
    Job.objects.filter(pk=job.pk).update(not_before=None)
    return lifecycle.claim(job.pk, worker="w")
