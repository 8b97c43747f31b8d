"""Log lines without visitors in them: an address of the API may carry a shop's own id of a person."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from typing import Any

_SHOPPER = re.compile(r"(/shoppers/|[?&]shopper=|[?&]key=)[^/\s?&\"']+")


def mask_shoppers(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace visitor ids in the text of an event (a structlog processor)."""
    for name in ("event", "path", "url"):
        value = event.get(name)
        if isinstance(value, str):
            event[name] = _SHOPPER.sub(r"\1…", value)
    return event
