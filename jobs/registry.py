"""Which function does the work of which kind of job. Each app's ``tasks.py`` registers its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from jobs.errors import Text

if TYPE_CHECKING:
    from jobs.context import JobContext
    from jobs.models import Job

Handler = Callable[["JobContext"], dict[str, Any] | None]

_handlers: dict[str, Handler] = {}
_names: dict[str, Text] = {}
_pages: dict[str, str] = {}


def name_kinds(names: Mapping[str, Text]) -> None:
    """Say what kinds of jobs are called where people see them."""
    _names.update(names)


def kind_name(kind: str) -> Text:
    """A kind in words; the kind itself where nobody has named it."""
    return _names.get(kind, kind)


def lead_kinds(pages: Mapping[str, str]) -> None:
    """Say which page shows a job of a kind: the name of a route that takes the job's id."""
    _pages.update(pages)


def page_of(job: Job) -> str:
    """The address of the page that shows this job better than its row does; empty where there is none."""
    route = _pages.get(job.kind)
    return reverse(route, args=[job.pk]) if route else ""


def job_handler(kind: str) -> Callable[[Handler], Handler]:
    """Register the decorated function as the worker of jobs of this ``kind``."""

    def register(handler: Handler) -> Handler:
        if _handlers.setdefault(kind, handler) is not handler:
            raise ValueError(f"Two handlers for jobs of kind {kind!r}.")
        return handler

    return register


def handler_of(kind: str) -> Handler:
    """The handler of a kind. KeyError says that this worker runs older code than whoever asked."""
    return _handlers[kind]
