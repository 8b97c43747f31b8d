"""Which function does the work of which kind of job. Each app's ``tasks.py`` registers its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from jobs.errors import Text

if TYPE_CHECKING:
    from jobs.context import JobContext

Handler = Callable[["JobContext"], dict[str, Any] | None]

_handlers: dict[str, Handler] = {}
_names: dict[str, Text] = {}


def name_kinds(names: Mapping[str, Text]) -> None:
    """Say what kinds of jobs are called where people see them."""
    _names.update(names)


def kind_name(kind: str) -> Text:
    """A kind in words; the kind itself where nobody has named it."""
    return _names.get(kind, kind)


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
