"""A job's life as server-sent events: what is sent, resuming, and that streams cannot use up the server."""

from __future__ import annotations

import json
import threading

import httpx
import pytest
import redis
from django.core.cache import cache
from django.db import connection, transaction
from rest_framework.test import APIClient

from jobs import lifecycle, server_sent_events
from jobs.models import Job, JobEvent
from jobs.server_sent_events import MOST_PER_TOKEN, resume_point
from stylerec_site.processes import free_port
from tests.api.clients import API, client_of, token_of
from tests.catalog.factories import MembershipFactory, MerchantFactory

LIVE = {"HTTP_ACCEPT": "text/event-stream"}


@pytest.fixture(autouse=True)
def _quick(monkeypatch, settings):
    cache.clear()
    monkeypatch.setattr(server_sent_events, "POLL_SECONDS", 0.02)


@pytest.fixture
def client(db) -> APIClient:
    return client_of()


def job_of(client: APIClient, *, status: str = "queued", lines: int = 2) -> Job:
    job = Job.objects.create(kind="tests.job", merchant_key=client.merchant.pk, status=status)
    for number in range(lines):
        JobEvent.objects.create(job=job, name="line", message=f"number {number}\nof “a few”")
    return job


def parsed(text: str) -> list[dict[str, str]]:
    """The frames as EventSource would see them: fields by name; comments as ``comment``."""
    return [
        dict(("comment", line) if line.startswith(":") else line.split(": ", 1) for line in frame.splitlines())
        for frame in text.split("\n\n")
        if frame
    ]


def read(answer) -> list[dict[str, str]]:
    assert answer["Content-Type"] == "text/event-stream"
    return parsed(b"".join(answer.streaming_content).decode())


def address(job: Job) -> str:
    return f"{API}/jobs/{job.pk}/events/"


def test_a_finished_job_is_told_whole_and_ends(client):
    job = job_of(client, status="succeeded")
    answer = client.get(address(job), **LIVE)
    assert answer["Cache-Control"] == "no-store"
    retry, first, second, progress, end = read(answer)
    assert retry == {"retry": "2000"}
    assert [frame["event"] for frame in (first, second, progress, end)] == ["log", "log", "progress", "end"]
    assert json.loads(first["data"])["message"] == "number 0\nof “a few”"
    assert "id" not in progress
    assert json.loads(end["data"])["status"] == "succeeded"
    assert (second["id"], end["id"]) == (str(JobEvent.objects.last().pk), f"{JobEvent.objects.last().pk}-end")


def test_who_comes_back_gets_what_is_new_and_after_the_end_nothing_more(client):
    job = job_of(client, status="failed", lines=3)
    last, end = [frame for frame in read(client.get(address(job), **LIVE)) if "id" in frame][1::2]
    resumed = read(client.get(address(job), **LIVE, HTTP_LAST_EVENT_ID=last["id"]))
    assert [frame.get("event") for frame in resumed] == [None, "log", "progress", "end"]
    assert client.get(address(job), **LIVE, HTTP_LAST_EVENT_ID=end["id"]).status_code == 204
    Job.objects.filter(pk=job.pk).update(status="succeeded")
    JobEvent.objects.create(job=job, name="retried")
    Job.objects.filter(pk=job.pk).update(status="queued")
    again = client.get(address(job), **LIVE, HTTP_LAST_EVENT_ID=end["id"])
    assert again.status_code == 200
    hang_up(again)


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("12", (12, False)),
        ("12-end", (12, True)),
        *((nonsense, (0, False)) for nonsense in ("", "x", "9" * 40, "-5", "１２", "12-end-end")),
    ],
)
def test_where_a_stream_resumes(text, point):
    assert resume_point(text) == point


@pytest.mark.django_db(transaction=True)
def test_progress_is_sent_as_it_happens(wait_until):
    client = client_of()
    job = job_of(client, lines=0)
    got: list[dict[str, str]] = []

    def listen() -> None:
        got.extend(read(client.get(address(job), **LIVE)))
        connection.close()

    listening = threading.Thread(target=listen)
    listening.start()
    fence = lifecycle.claim(job.pk, worker="w")
    lifecycle.succeed(job.pk, fence, {"made": 3})
    listening.join(timeout=20)
    assert got[-1]["event"] == "end"
    assert json.loads(got[-1]["data"])["result"] == {"made": 3}
    names = [json.loads(frame["data"])["name"] for frame in got if frame.get("event") == "log"]
    assert names == list(JobEvent.objects.filter(job=job).values_list("name", flat=True))


def test_a_quiet_job_is_kept_alive_and_the_stream_ends_in_time(client, monkeypatch):
    monkeypatch.setattr(server_sent_events, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(server_sent_events, "STREAM_SECONDS", 0.3)
    monkeypatch.setattr(server_sent_events, "_place_of", lambda owner: "")
    got = read(client.get(address(job_of(client, lines=0)), **LIVE))
    assert {"comment": ": still here"} in got
    assert [frame.get("event") for frame in got if "comment" not in frame] == [None, "progress"]


def test_a_deleted_job_ends_the_stream_in_time(client, monkeypatch):
    monkeypatch.setattr(server_sent_events, "STREAM_SECONDS", 0.1)
    monkeypatch.setattr(server_sent_events, "_place_of", lambda owner: "")
    job = job_of(client, lines=0)
    answer = client.get(address(job), **LIVE)
    Job.objects.filter(pk=job.pk).delete()
    assert [frame.get("event") for frame in read(answer)] == [None, "progress"]


def hang_up(answer) -> None:
    """As the server closes what it streams, without the signals that would close the test's own connection."""
    for close in answer._resource_closers:
        close()


def opened(client: APIClient, job: Job, count: int) -> list:
    return [client.get(address(job), **LIVE) for _ in range(count)]


def test_a_process_has_so_many_places_and_gets_them_back_unread(client, monkeypatch):
    monkeypatch.setattr(server_sent_events, "waiting", threading.BoundedSemaphore(2))
    job = job_of(client)
    streams = opened(client, job, 2)
    refused = client.get(address(job), **LIVE)
    assert (refused.status_code, refused["Retry-After"], refused["Content-Type"]) == (503, "5", "application/json")
    error = refused.json()["error"]
    assert error["code"] == "streams-busy"
    assert "?wait=20" in error["hint"]
    assert client.get(f"{API}/jobs/{job.pk}/?wait=20").status_code == 200  # at once, without waiting
    hang_up(streams.pop())
    (again,) = opened(client, job, 1)
    assert again.status_code == 200
    hang_up(again)
    hang_up(streams.pop())
    assert server_sent_events.waiting._value == 2


def test_a_token_has_so_many_streams_in_all_processes(client, monkeypatch):
    monkeypatch.setattr(server_sent_events, "waiting", threading.BoundedSemaphore(50))
    job = job_of(client)
    streams = opened(client, job, MOST_PER_TOKEN)
    refused = client.get(address(job), **LIVE)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too-many-streams")
    assert int(refused["Retry-After"]) > 0
    other = client_of(client.merchant).get(address(job), **LIVE)
    assert other.status_code == 200
    for stream in [*streams, other]:
        hang_up(stream)
    assert opened(client, job, 1)[0].status_code == 200


def test_without_a_counter_the_bound_of_the_process_holds(client, monkeypatch):
    def away(*_arguments):
        raise redis.ConnectionError("away")

    monkeypatch.setattr(server_sent_events.cache, "add", away)
    answer = client.get(address(job_of(client)), **LIVE)
    assert answer.status_code == 200
    hang_up(answer)


def test_others_find_nothing_and_the_log_is_json_for_whoever_does_not_stream(client):
    job = job_of(client)
    stranger = client_of(MembershipFactory().merchant).get(address(job), **LIVE)
    assert (stranger.status_code, stranger["Content-Type"]) == (404, "application/json")
    assert [row["name"] for row in client.get(address(job)).json()] == ["line", "line"]
    assert client.head(address(job), **LIVE).status_code == 200
    assert client.get(address(job), HTTP_ACCEPT="image/png").status_code == 406


@pytest.fixture
def site(processes) -> str:
    port = free_port(8700)
    processes.start_web(port=port, workers=1, threads=4)
    return f"http://127.0.0.1:{port}"


@pytest.mark.worker
def test_the_real_server_streams_refuses_beyond_its_places_and_stays_free_for_others(site, wait_until):
    merchant = MerchantFactory()
    headers = {"Authorization": f"Token {token_of(merchant)}"}
    live = {**headers, "Accept": "text/event-stream"}
    job = Job.objects.create(kind="tests.job", queue="nobodys", merchant_key=merchant.pk)
    with httpx.Client(base_url=site, timeout=20) as web, web.stream("GET", address(job), headers=live) as first:
        lines = first.iter_lines()
        assert next(lines) == "retry: 2000"
        with web.stream("GET", address(job), headers=live) as second:
            assert second.status_code == 200
            third = web.get(address(job), headers=live)
            assert (third.status_code, third.headers["Retry-After"]) == (503, "5")
            assert web.get(f"{API}/jobs/{job.pk}/", headers=headers).json()["status"] == "queued"

        def free_again() -> bool:
            """The server notices at its next frame that the second client has gone."""
            JobEvent.objects.create(job=job, name="news")
            with web.stream("GET", address(job), headers=live) as answer:
                return answer.status_code == 200

        wait_until(free_again, what="the place of the client that went away")
        Job.objects.filter(pk=job.pk).update(status="cancelled")
        assert "event: end" in list(lines)


@pytest.mark.django_db
def test_a_place_that_ran_out_is_not_taken_from_who_has_it_now():
    """A client that reads slowly outlasts its place; somebody else takes it; the slow one ends."""
    slow = server_sent_events._place_of("token:1")
    cache.delete(slow.key)
    quick = server_sent_events._place_of("token:1")
    assert quick.key == slow.key
    server_sent_events._give_back(slow)
    assert cache.get(quick.key) == quick.holder
    server_sent_events._give_back(quick)
    assert cache.get(quick.key) is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_of_two_writers_at_once_a_reader_misses_neither(wait_until):
    """The one whose line has the lower number commits last: a reader between the two must not have seen the higher one."""
    job = Job.objects.create(kind="tests.job")
    written, may_commit = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with transaction.atomic():
            lifecycle.log_event(job.pk, "slow")
            written.set()
            may_commit.wait(20)
        connection.close()

    def write() -> None:
        lifecycle.log_event(job.pk, "quick")
        connection.close()

    def waits() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)")
            return cursor.fetchone()[0]

    slow, quick = threading.Thread(target=write_slowly), threading.Thread(target=write)
    slow.start()
    assert written.wait(20)
    quick.start()
    wait_until(lambda: waits() or not quick.is_alive(), what="the quick one, or its waiting")
    seen = list(JobEvent.objects.filter(job=job).order_by("pk"))
    after = seen[-1].pk if seen else 0
    may_commit.set()
    for thread in (slow, quick):
        thread.join(20)
    seen += JobEvent.objects.filter(job=job, pk__gt=after).order_by("pk")
    assert [line.name for line in seen] == ["slow", "quick"]
