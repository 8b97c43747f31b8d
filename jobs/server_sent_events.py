"""A job's life as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).

``log``: a line of the job's log, the only event with a number to resume from. ``progress``: the job as the API shows it,
first at once and then whenever it changes. ``end``: the same, once, when the job is over; who comes back after it is told
to stay away (204).

A stream holds a thread of the web server, so streams are few, short and given back: so many per process (together with
requests that wait, ``JOBS_WAITING_REQUESTS``), so many per token, a minute each. A client's reconnecting is part of the
protocol, so nothing is missed. Who finds no room is told to poll with ``?wait=`` instead.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import structlog
from django.conf import settings
from django.core.cache import cache
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.translation import gettext_lazy as _
from redis.exceptions import RedisError
from rest_framework.renderers import BaseRenderer, JSONRenderer

from jobs.errors import UserError
from jobs.models import Job, JobEvent

log = structlog.get_logger(__name__)

MEDIA_TYPE = "text/event-stream"
STREAM_SECONDS = 60
HEARTBEAT_SECONDS = 15
POLL_SECONDS = 0.5
RECONNECT_MS = 2000
LINES_AT_ONCE = 500
MOST_PER_TOKEN = 4
_END = "-end"
#: Requests that may wait at once in this process, streams among them: each holds a thread, and others want one too.
waiting = threading.BoundedSemaphore(settings.JOBS_WAITING_REQUESTS)


class StreamsBusy(UserError):
    """No thread of this process is free for another stream."""

    status_code = 503
    retry_after = 5


class TooManyStreams(UserError):
    """The token, or the user, has its streams open already."""

    status_code = 429
    retry_after = STREAM_SECONDS


class EventStreamRenderer(BaseRenderer):
    """Lets a request accept the media type; streams are no data to render, and what is refused is told as JSON."""

    media_type = MEDIA_TYPE
    format = "sse"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return JSONRenderer().render(data)


class JobStream:
    """The frames of one stream; gives its place back when it is closed, even if nobody ever read from it."""

    def __init__(self, frames: Iterator[str], release: Callable[[], None]) -> None:
        self._frames = frames
        self._release = release
        self._closed = False

    def __iter__(self) -> Iterator[str]:
        return self._frames

    def close(self) -> None:
        """Called by the server when the client has gone, or the frames have ended."""
        if not self._closed:
            self._closed = True
            self._release()


def open_stream(job: Job, *, owner: str, after: int, describe: Callable[[Job], dict[str, Any]]) -> JobStream:
    """Take a place and begin. ``after``: the last line of the log that the client has; ``describe`` makes the API's job.

    Raises ``StreamsBusy`` and ``TooManyStreams``.
    """
    place = _place_of(owner)
    if not waiting.acquire(blocking=False):
        _give_back(place)
        raise StreamsBusy(
            "streams-busy",
            _("Too many requests wait for news here at the moment."),
            _("Try again in a few seconds, or ask for the job itself with ?wait=20."),
        )

    def release() -> None:
        waiting.release()
        _give_back(place)

    return JobStream(frames(job, after=after, describe=describe), release)


def resume_point(last_event_id: str) -> tuple[int, bool]:
    """The log line that a ``Last-Event-ID`` names, and whether the end was seen; nonsense means from the beginning."""
    number = last_event_id.removesuffix(_END)
    if not (number.isascii() and number.isdecimal() and len(number) <= 18):
        return 0, False
    return int(number), last_event_id.endswith(_END)


def frames(job: Job, *, after: int, describe: Callable[[Job], dict[str, Any]]) -> Iterator[str]:
    """What is sent, until the job is over or the stream's time is up."""
    yield f"retry: {RECONNECT_MS}\n\n"
    deadline = time.monotonic() + STREAM_SECONDS
    spoke, shown = time.monotonic(), None
    while True:
        with contextlib.suppress(Job.DoesNotExist):  # deleted with its shop: what is known of it is the last word
            job.refresh_from_db()
        lines = list(JobEvent.objects.filter(job=job, pk__gt=after).order_by("pk")[:LINES_AT_ONCE])
        for line in lines:
            after = line.pk
            yield _frame("log", {"at": line.at, "name": line.name, "message": line.message}, number=str(after))
        state = describe(job)
        if state != shown:
            yield _frame("progress", state)
        if lines or state != shown:
            spoke, shown = time.monotonic(), state
        if len(lines) == LINES_AT_ONCE:
            continue
        if job.is_finished:
            yield _frame("end", state, number=f"{after}{_END}")
            return
        if time.monotonic() >= deadline:
            return
        if time.monotonic() - spoke >= HEARTBEAT_SECONDS:
            spoke = time.monotonic()
            yield ": still here\n\n"
        time.sleep(POLL_SECONDS)


def _frame(event: str, data: dict[str, Any], *, number: str = "") -> str:
    content = json.dumps(data, cls=DjangoJSONEncoder, ensure_ascii=False)  # one line: JSON escapes line breaks
    return (f"id: {number}\n" if number else "") + f"event: {event}\ndata: {content}\n\n"


class _Place(NamedTuple):
    """One of an owner's places, and who holds it."""

    key: str
    holder: str


def _place_of(owner: str) -> _Place | None:
    """One of the owner's places, in whichever process; it comes free by itself where a process is killed."""
    try:
        for number in range(MOST_PER_TOKEN):
            place = _Place(f"job-stream:{owner}:{number}", uuid.uuid4().hex)
            if cache.add(place.key, place.holder, STREAM_SECONDS + HEARTBEAT_SECONDS):
                return place
    except RedisError as error:
        log.warning("job_stream.uncounted", error=str(error))  # the process's own bound still holds
        return None
    raise TooManyStreams(
        "too-many-streams",
        _("%(most)d streams of this token are open already.") % {"most": MOST_PER_TOKEN},
        _("Close one, or ask for the job itself with ?wait=20."),
    )


def _give_back(place: _Place | None) -> None:
    """Free the place, unless it has run out under a client that read slowly, and is somebody else's by now."""
    if place is not None:
        with contextlib.suppress(RedisError):
            if cache.get(place.key) == place.holder:
                cache.delete(place.key)
