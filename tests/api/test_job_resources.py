"""Long work as a resource: accepted with an address, watched, waited for, cancelled."""

from __future__ import annotations

import threading

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from jobs import lifecycle
from jobs.api import _wait_for_news
from jobs.models import Job
from tests.api.clients import API, client_of
from tests.catalog.factories import MembershipFactory

TABLE = b"sku,name,price\nV-1,Vase,12.00\n"


def accepted(client):
    answer = client.post(f"{API}/imports/", {"file": SimpleUploadedFile("p.csv", TABLE)}, format="multipart")
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    return answer["Location"]


@pytest.mark.django_db
def test_an_import_is_accepted_with_the_address_of_its_job_and_cancelled_there():
    client = client_of()
    address = accepted(client)
    assert client.get(address).json()["fraction"] == 0
    assert client.post(f"{address}cancel/").json()["status"] == "cancelled"
    again = client.post(f"{address}cancel/")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "job-finished")
    assert [row["name"] for row in client.get(f"{address}events/").json()] == ["asked", "cancelled"]
    assert client.post(f"{address}retry/").json()["status"] == "queued"


@pytest.mark.django_db
def test_another_shops_job_does_not_exist():
    address = accepted(client_of())
    stranger = client_of(MembershipFactory().merchant)
    assert stranger.get(address).status_code == 404
    assert stranger.post(f"{address}cancel/").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_who_waits_is_answered_as_soon_as_the_job_moves(monkeypatch):
    monkeypatch.setattr("jobs.services.ring", lambda job_id, *, queue: True)
    client = client_of()
    address = accepted(client)
    job = Job.objects.get()
    answers, asked = [], threading.Event()
    monkeypatch.setattr("jobs.api._wait_for_news", lambda *what: (asked.set(), _wait_for_news(*what)))

    def wait():
        answers.append(client.get(f"{address}?wait=20"))
        connection.close()

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert asked.wait(timeout=10)
    fence = lifecycle.claim(job.pk, worker="w")
    waiting.join(timeout=15)
    assert [answer.json()["status"] for answer in answers] == ["running"]
    lifecycle.succeed(job.pk, fence, {"new": 1})
    ended = client.get(f"{address}?wait=20").json()
    assert (ended["status"], ended["fraction"], ended["result"]) == ("succeeded", 1.0, {"new": 1})


@pytest.mark.django_db
@pytest.mark.parametrize("wait", ["-1", "soon", "9" * 30, "1e3", ""])
def test_nonsense_waits_for_nothing(wait):
    client = client_of()
    assert client.get(f"{accepted(client)}?wait={wait}").status_code == 200
