"""Jobs through real Celery workers and a real Valkey, with the workers really killed."""

from __future__ import annotations

import signal

import pytest

from jobs.models import Job, JobEvent, WorkerPresence
from jobs.services import enqueue
from stylerec_site.chaos.handlers import EFFECT, ENDLESS, FENCED, STEPS

pytestmark = pytest.mark.worker


def start_worker(processes, name: str = "worker") -> None:
    processes.start_worker(name, queues="default", include="stylerec_site.chaos.handlers")


def effects_of(job: Job) -> list[int]:
    return sorted(JobEvent.objects.filter(job=job, name=EFFECT).values_list("data__step", flat=True))


def status_of(job: Job) -> str:
    return Job.objects.values_list("status", flat=True).get(pk=job.pk)


def test_a_job_is_done_by_a_worker_that_says_it_is_there(processes, wait_until):
    start_worker(processes)
    job = enqueue(Job(kind=FENCED, queue="default"))
    wait_until(lambda: status_of(job) == "succeeded", what="the job")
    assert effects_of(job) == list(range(STEPS))
    assert WorkerPresence.objects.get().queues == ["default"]


def test_a_job_whose_worker_was_killed_is_finished_by_another_and_no_effect_doubles(processes, wait_until):
    start_worker(processes, "doomed")
    processes.start_sweeper()
    job = enqueue(Job(kind=FENCED, queue="default"))
    wait_until(lambda: effects_of(job), what="the first effect")
    processes.end("doomed", signal.SIGKILL)
    assert status_of(job) == "running"
    start_worker(processes, "heir")
    wait_until(lambda: status_of(job) == "succeeded", what="the job, with another worker")
    assert effects_of(job) == list(range(STEPS))
    assert Job.objects.get(pk=job.pk).attempt >= 2


def test_a_worker_that_is_asked_to_end_gives_its_job_back_at_once(processes, wait_until):
    start_worker(processes, "polite")
    job = enqueue(Job(kind=ENDLESS, queue="default"))
    wait_until(lambda: status_of(job) == "running", what="the claim")
    processes.kill("polite", signal.SIGTERM)
    wait_until(lambda: status_of(job) == "queued", what="the job's return")
    assert Job.objects.get(pk=job.pk).fruitless_attempts == 0
