"""What a web process keeps in memory is forgotten between tests, and the event stream is empty."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from recommend import serving
from recommend.services import cards, catalogue, event_stream, history


@pytest.fixture(autouse=True)
def _nothing_kept():
    # What was reckoned for another test's shop is kept for minutes under its number, which may be this test's shop's.
    cache.clear()
    serving.forget()
    catalogue.forget()
    cards.forget()
    history.forget()


@pytest.fixture
def stream():
    """The run's real Valkey with no event in it."""
    valkey = event_stream.connection()
    valkey.delete(event_stream.STREAM, event_stream.UNSTORABLE)
    return valkey
