"""The picture door with hostile files: each kind has its outcome, limits hold, and nothing but a refusal escapes."""

from __future__ import annotations

import io
import multiprocessing
import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest
from django.conf import settings
from PIL import Image

from catalog.images import Limits, RejectedImage, decoder, normalise_upload
from catalog.images.errors import TEXTS
from tests.catalog import crafting
from tests.catalog.crafting import CANARY, encoded
from tests.catalog.hostile import ACCEPTED, HOSTILE, Hostile, table

pytestmark = pytest.mark.pure


def outcome_of(data: bytes, limits: Limits | None = None) -> str:
    """``accepted`` or the code of the refusal; a copy that carries anything, or is no plain picture, fails at once."""
    refused = None
    try:
        image = normalise_upload(data, limits=limits or Limits())
    except RejectedImage as refusal:
        refused = refusal
    if refused is not None:
        assert str(refused.message)
        assert str(refused.hint)
        return refused.code
    assert CANARY not in image.content
    with Image.open(io.BytesIO(image.content)) as opened:
        opened.load()
        assert (opened.format, opened.mode, opened.size) == ("JPEG", "RGB", (image.width, image.height))
        assert not opened.getexif()
        assert not {"icc_profile", "comment", "xmp", "photoshop", "exif"} & set(opened.info)
    return ACCEPTED


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.name)
def test_every_hostile_kind_has_its_outcome(case: Hostile):
    assert outcome_of(case.build()) == case.outcome


def test_the_kinds_are_many_and_each_is_another():
    assert len({case.name for case in HOSTILE}) == len(HOSTILE) >= 60
    assert {case.outcome for case in HOSTILE} - {ACCEPTED} <= set(TEXTS)


def test_the_documentation_shows_this_very_table():
    assert table() in (Path(settings.BASE_DIR) / "docs" / "uploads.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF"])
def test_damage_anywhere_is_accepted_or_refused_and_nothing_else(kind):
    chance = random.Random(kind)
    whole = encoded(kind, crafting.plain(40, 30), exif=crafting.with_gps()) if kind != "GIF" else encoded(kind)
    outcomes = set()
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 12)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.3:
            del data[chance.randrange(len(data)) :]
        outcomes.add(outcome_of(bytes(data)))
    assert outcomes <= set(TEXTS) | {ACCEPTED}
    assert not outcomes & {"picture-failed", "picture-busy"}
    assert len(outcomes) > 1


def heavy_jpeg() -> bytes:
    """Seconds of work: a large progressive picture of as many scans as are let through."""
    grain = Image.effect_noise((500, 500), 80).resize((4_000, 4_000))
    data = encoded("JPEG", grain.convert("RGB"), progressive=True, quality=40)
    last, end = data.rindex(b"\xff\xda"), data.rindex(b"\xff\xd9")
    return data[:end] + data[last:end] * (64 - data.count(b"\xff\xda")) + data[end:]


def test_time_is_bounded_by_the_clock_and_by_the_processor():
    data = heavy_jpeg()
    assert outcome_of(data, Limits(most_bytes=10**9, seconds=0.3)) == "picture-too-slow"
    assert outcome_of(data, Limits(most_bytes=10**9, seconds=60, cpu_seconds=1)) == "picture-too-slow"


def test_memory_is_bounded():
    data = next(case for case in HOSTILE if "6,324" in case.name).build()
    assert outcome_of(data, Limits(memory_bytes=150_000_000)) == "picture-too-heavy"
    assert outcome_of(encoded("PNG")) == ACCEPTED


def test_a_copy_that_would_be_too_large_is_refused():
    assert outcome_of(encoded("PNG"), Limits(most_output_bytes=500)) == "picture-too-heavy"


def children() -> list[psutil.Process]:
    """The decoding children of this process."""
    return [child for child in psutil.Process().children() if "sandbox.worker" in " ".join(child.cmdline())]


def test_a_lost_child_is_replaced_without_anybody_noticing():
    assert outcome_of(encoded("PNG")) == ACCEPTED
    lost = children()
    for child in lost:
        child.kill()
    psutil.wait_procs(lost, timeout=10)
    assert outcome_of(encoded("PNG")) == ACCEPTED


def test_the_child_knows_no_secret_and_no_site():
    assert outcome_of(encoded("PNG")) == ACCEPTED
    child = children()[0]
    assert child.environ() == {}
    assert child.cwd() == "/"
    libraries = {Path(mapped.path).parts[-2] for mapped in child.memory_maps() if ".so" in mapped.path}
    assert not libraries & {"torch", "numpy", "psycopg_binary"}


def test_a_child_that_cannot_start_is_a_refusal(monkeypatch):
    decoder.decoder.close()
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    assert outcome_of(encoded("PNG")) == "picture-failed"
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert outcome_of(encoded("PNG")) == "picture-failed"


def test_a_child_that_talks_nonsense_is_a_refusal(monkeypatch):
    nonsense = {"width": 10**9, "height": "x", "perceptual_hash": "zz", "had_alpha": 1, "notes": {}}
    monkeypatch.setattr(decoder.decoder, "decode", lambda *_args, **_named: (nonsense, b"<script>"))
    assert outcome_of(encoded("PNG")) == "picture-broken"


def test_too_many_at_once_are_sent_away(monkeypatch):
    monkeypatch.setattr(decoder, "_PATIENCE", 0.01)
    monkeypatch.setattr(decoder.decoder, "_places", threading.BoundedSemaphore(1))
    with decoder.decoder._places:
        assert outcome_of(encoded("PNG")) == "picture-busy"


def test_threads_share_the_children():
    outcomes: list[str] = []
    data = [encoded("PNG", crafting.plain(20 + n, 20)) for n in range(6)]
    threads = [threading.Thread(target=lambda: outcomes.extend(map(outcome_of, data))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [ACCEPTED] * 24
    assert len(children()) <= 2


def _report(answers) -> None:
    answers.put((outcome_of(encoded("PNG")), os.getpid()))


def test_a_forked_daemonic_worker_has_children_of_its_own():
    """Celery's prefork workers are daemonic forks of a process that may have decoded before."""
    assert outcome_of(encoded("PNG")) == ACCEPTED
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    worker = context.Process(target=_report, args=(answers,), daemon=True)
    worker.start()
    outcome, worker_id = answers.get()
    worker.join()
    assert (outcome, worker_id) == (ACCEPTED, worker.pid)
    assert outcome_of(encoded("PNG")) == ACCEPTED


def test_children_end_with_a_server_that_is_killed():
    program = (
        "from django.conf import settings; settings.configure(USE_I18N=False)\n"
        "import sys, psutil; from catalog.images import normalise_upload\n"
        "normalise_upload(sys.stdin.buffer.read())\n"
        "print(psutil.Process().children()[0].pid, flush=True)\n"
        "import time; time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=settings.BASE_DIR
    ) as server:
        server.stdin.write(encoded("PNG"))
        server.stdin.close()
        child = psutil.Process(int(server.stdout.readline()))
        server.kill()
        gone, _alive = psutil.wait_procs([child], timeout=10)
        assert gone
