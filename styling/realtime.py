"""One picture, rendered while its sender waits: the web hands it to a worker whose model is warm, and waits for seconds.

Nothing is recorded and no job is made: the picture goes through Valkey, is forgotten within a minute, and a worker that
comes too late does not begin. A worker that listens to the queue ``realtime`` is preferred; without one, a training
worker does it between its jobs.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass
from typing import Any

import redis
import structlog
from celery import current_app
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from catalog.access import require_role
from catalog.images import normalise_upload
from catalog.models import Membership
from jobs.errors import UserError
from jobs.presence import workers_seen
from styling.models import Style, StyleModel
from styling.services.stylising import QUEUE, StyliseOptions, deployed_model

log = structlog.get_logger(__name__)

TASK = "styling.render_now"
#: Queue of workers that do nothing else.
OWN_QUEUE = "realtime"
#: Seconds that a sender waits at most; and requests that may wait at once, since each holds a web thread.
PATIENCE = 20
MOST_WAITING = 3
_KEPT_SECONDS = 60
_WAITING = "styling:render:waiting"


class RendererBusy(UserError):
    """No worker answered in time; the same request may succeed in a moment."""

    status_code = 503


@dataclass(frozen=True, slots=True)
class Rendered:
    """A rendering with what it did to the product; ``breaches`` are the shop's limits that it breaks."""

    content: bytes
    width: int
    height: int
    truth: dict[str, Any]
    breaches: list[dict[str, Any]]


def render_now(
    *, style: Style, by: Any, file: Any, options: StyliseOptions | None = None, patience: float = PATIENCE
) -> Rendered:
    """Render an uploaded picture with the style's model in use. Needs an editor.

    Raises ``RejectedImage`` for what is no usable picture, ``Conflict`` without a model in use, ``RendererBusy``, and
    what ``styling.problems`` says of a model that cannot be used.
    """
    require_role(by, style.merchant, Membership.Role.EDITOR)
    model = deployed_model(style=style)
    queue = next((name for name in (OWN_QUEUE, QUEUE) if workers_seen(name)), None)
    if queue is None:
        raise RendererBusy("no-worker", _("No worker is running."), _("Start a worker, then try again."))
    valkey = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=patience + 5, socket_connect_timeout=2)
    with valkey:
        try:
            if valkey.incr(_WAITING) > MOST_WAITING:
                raise _busy()
            picture = normalise_upload(file)
            return _asked(valkey, picture.content, model=model, options=options, queue=queue, patience=patience)
        except redis.RedisError as error:
            log.warning("render.no_broker", error=str(error))
            raise _busy() from error
        finally:
            _leave(valkey)


def _asked(
    valkey: redis.Redis,
    content: bytes,
    *,
    model: StyleModel,
    options: StyliseOptions | None,
    queue: str,
    patience: float,
) -> Rendered:
    request = uuid.uuid4().hex
    valkey.set(_picture_key(request), content, ex=_KEPT_SECONDS)
    try:
        current_app.send_task(
            TASK,
            args=[request, model.pk, (options or StyliseOptions()).to_dict()],
            queue=queue,
            expires=patience,
            retry=False,
        )
        answered: Any = valkey.blpop([_answer_key(request)], timeout=patience)
    finally:
        valkey.delete(_picture_key(request), _answer_key(request))
    if answered is None:
        log.info("render.late", queue=queue)
        raise _busy()
    head, _newline, body = answered[1].partition(b"\n")
    facts = json.loads(head)
    if "code" in facts:
        raise UserError(facts["code"], facts["message"], facts["hint"])
    return Rendered(content=body, **facts)


def take(request: str) -> bytes | None:
    """In the worker: the picture of a request; ``None`` where its sender has gone."""
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5) as valkey:
        content: bytes | None = valkey.getdel(_picture_key(request))
        return content


def answer(request: str, outcome: Rendered | UserError) -> None:
    """In the worker: hand a request's rendering, or what is wrong, to its sender."""
    if isinstance(outcome, UserError):
        facts: dict[str, Any] = {"code": outcome.code, "message": str(outcome.message), "hint": str(outcome.hint)}
        body = b""
    else:
        facts = asdict(outcome)
        body = facts.pop("content")
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5) as valkey, valkey.pipeline() as together:
        together.rpush(_answer_key(request), json.dumps(facts).encode() + b"\n" + body)
        together.expire(_answer_key(request), _KEPT_SECONDS)
        together.execute()


def failed() -> UserError:
    """What a sender is told where the worker met something that nobody foresaw."""
    return UserError(
        "render-failed", _("The picture could not be rendered."), _("Stylise it in the background instead.")
    )


def _busy() -> RendererBusy:
    return RendererBusy(
        "renderer-busy",
        _("Nobody was free to render this picture in time."),
        _("Try again in a moment, or stylise it in the background."),
        details={"retry_after": PATIENCE},
    )


def _leave(valkey: redis.Redis) -> None:
    """One waits less. The counter ends by itself, should a process die before it comes here."""
    try:
        with valkey.pipeline() as together:
            together.decr(_WAITING)
            together.expire(_WAITING, _KEPT_SECONDS)
            together.execute()
    except redis.RedisError as error:
        log.warning("render.not_counted", error=str(error))


def _picture_key(request: str) -> str:
    return f"styling:render:{request}:picture"


def _answer_key(request: str) -> str:
    return f"styling:render:{request}:answer"
