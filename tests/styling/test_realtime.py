"""One picture rendered while its sender waits: through a real Valkey, with the worker's side in a thread of the test."""

from __future__ import annotations

import io
import json
import threading

import pytest
import redis
import torch
from celery import current_app
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image
from rest_framework.test import APIClient

from catalog.models import Membership
from jobs.models import WorkerPresence
from styling import realtime, tasks
from styling.cyclegan import artifact
from styling.cyclegan.networks import build_generator
from styling.cyclegan.presets import preset
from styling.models import StyleModel
from tests.catalog.factories import MerchantFactory
from tests.styling.factories import StyleFactory, StyleModelFactory, noise_picture, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def model():
    style = StyleFactory(merchant=MerchantFactory())
    return StyleModelFactory(style=style, merchant=style.merchant, status=StyleModel.Status.DEPLOYED, directory="m")


@pytest.fixture(autouse=True)
def alone():
    """No requests of another test are counted."""
    with redis.Redis.from_url(settings.REDIS_URL) as valkey:
        valkey.delete(realtime._WAITING)


@pytest.fixture
def trained(model):
    torch.manual_seed(7)
    chosen = preset("draft")
    artifact.write(
        settings.ARTIFACTS_ROOT / model.directory,
        settings=chosen,
        weights=build_generator(artifact.generator_config(chosen)).state_dict(),
        metrics={},
        losses=[],
        samples=b"not looked at",
    )


def worker(queue="gpu"):
    return WorkerPresence.objects.create(name=queue, queues=[queue], seen_at=timezone.now())


@pytest.fixture
def asked(monkeypatch):
    """What was sent to the broker; the task runs here, at once, as a worker would run it."""
    sent = []

    def send_task(name, *, args, queue, **_options):
        sent.append((name, queue))
        tasks.render_now(*args)

    monkeypatch.setattr(current_app, "send_task", send_task)
    return sent


def post(model, role=Membership.Role.EDITOR, *, file=None, merchant=None, **fields):
    client = APIClient()
    client.force_authenticate(person(merchant or model.merchant, role))
    file = file or SimpleUploadedFile("a.png", noise_picture(1, size=70))
    return client.post(f"/api/v1/styles/{model.style_id}/render/", {"file": file, **fields}, format="multipart")


def test_a_picture_comes_back_rendered_with_its_report(model, trained, asked):
    worker()
    answer = post(model, strength=0.5)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert picture.size == (70, 70)
    assert "edges_kept" in json.loads(answer["StyleRec-Truth"])
    assert answer["StyleRec-Flagged"] in {"true", "false"}
    assert asked == [(realtime.TASK, "gpu")]


def test_a_worker_of_the_own_queue_is_preferred(model, trained, asked):
    worker()
    worker("realtime")
    assert post(model).status_code == 200
    assert asked == [(realtime.TASK, "realtime")]


def test_without_a_worker_nobody_waits(model):
    answer = post(model)
    assert (answer.status_code, answer.data["error"]["code"]) == (503, "no-worker")


def test_waiting_ends_and_leaves_nothing_behind(model, monkeypatch):
    worker()
    taken = []
    monkeypatch.setattr(current_app, "send_task", lambda _name, *, args, **_options: taken.extend(args))
    with pytest.raises(realtime.RendererBusy) as refusal:
        realtime.render_now(
            style=model.style,
            by=person(model.merchant, Membership.Role.EDITOR),
            file=noise_picture(1, size=70),
            patience=0.05,
        )
    assert refusal.value.status_code == 503
    assert realtime.take(taken[0]) is None  # a worker that comes too late finds no picture


def test_more_than_a_few_are_not_let_in(model, asked):
    worker()
    with redis.Redis.from_url(settings.REDIS_URL) as valkey:
        valkey.set(realtime._WAITING, realtime.MOST_WAITING, ex=20)
        assert post(model).data["error"]["code"] == "renderer-busy"
        assert int(valkey.get(realtime._WAITING)) == realtime.MOST_WAITING
    assert asked == []


def test_a_model_that_cannot_be_used_says_why(model, asked):
    worker()
    assert post(model).data["error"]["code"] == "artifact-missing"


def test_a_fault_of_the_worker_is_told_at_once_and_raised_there(model, monkeypatch):
    worker()
    monkeypatch.setattr("styling.stylisation_job.render_one", lambda **_arguments: 1 // 0)

    def send_task(_name, *, args, **_options):
        with pytest.raises(ZeroDivisionError):
            tasks.render_now(*args)

    monkeypatch.setattr(current_app, "send_task", send_task)
    assert post(model).data["error"]["code"] == "render-failed"


def test_what_is_no_picture_is_refused_before_any_worker_sees_it(model, asked):
    worker()
    answer = post(model, file=SimpleUploadedFile("a.png", b"<svg onload=alert(1)>"))
    assert (answer.status_code, asked) == (400, [])
    assert answer.data["error"]["code"].startswith("picture-")


def test_strangers_find_nothing_and_viewers_may_not(model):
    worker()
    assert post(model, merchant=MerchantFactory()).status_code == 404
    assert post(model, Membership.Role.VIEWER).status_code == 403


def test_an_answer_wakes_its_sender(model, monkeypatch):
    worker()
    made = realtime.Rendered(content=b"jpeg\nwith lines", width=1, height=1, truth={"edges_kept": 1.0}, breaches=[])
    monkeypatch.setattr(
        current_app,
        "send_task",
        lambda _name, *, args, **_options: threading.Timer(0.1, realtime.answer, (args[0], made)).start(),
    )
    answer = realtime.render_now(
        style=model.style, by=person(model.merchant, Membership.Role.EDITOR), file=noise_picture(1, size=70)
    )
    assert answer == made


@pytest.mark.worker
@pytest.mark.django_db(transaction=True)
def test_a_real_worker_renders_what_a_real_request_hands_it(processes, model, trained, wait_until):
    processes.start_worker("renderer", queues=realtime.OWN_QUEUE)
    wait_until(lambda: WorkerPresence.objects.exists(), what="the worker")
    made = realtime.render_now(
        style=model.style,
        by=person(model.merchant, Membership.Role.EDITOR),
        file=noise_picture(1, size=70),
        patience=60,
    )
    assert (made.width, made.height, made.content[:2]) == (70, 70, b"\xff\xd8")
