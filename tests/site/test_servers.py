"""The suite really runs on the servers it says it runs on."""

from __future__ import annotations

import os

import pytest
import redis
from django.conf import settings
from django.db import connection


def test_the_cache_is_the_valkey_of_this_run(valkey_url):
    assert valkey_url == settings.REDIS_URL
    assert redis.Redis.from_url(valkey_url).info("server")["server_name"] == "valkey"


@pytest.mark.django_db
def test_the_database_is_the_one_that_was_asked_for():
    wanted = "postgresql" if os.environ.get("STYLEREC_TEST_DATABASE") == "postgres" else "sqlite"
    assert connection.vendor == wanted
