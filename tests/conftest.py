"""What the whole suite shares: private folders for each test, and no suite skipped where CI needs it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit, urlunsplit

import pytest
import redis
from celery import current_app
from django.db import connection

from stylerec_site.processes import Processes

pytest_plugins = ["tests.browsers"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The pure rooms know no database: mark their tests so that PostgreSQL need not run them again.

    What is about the other database is left out, not skipped: it runs in the other half of the suite.
    """
    other = "sqlite" if os.environ.get("STYLEREC_TEST_DATABASE") == "postgres" else "postgres"
    elsewhere = [item for item in items if other in item.keywords]
    config.hook.pytest_deselected(items=elsewhere)
    items[:] = [item for item in items if item not in elsewhere]
    for item in items:
        if any(room in str(item.path) for room in ("styling/cyclegan", "recommend/engine")):
            item.add_marker("pure")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Where CI asks for all suites, a skip is a failure: a suite that did not run has shown nothing."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.skipped and os.environ.get("STYLEREC_REQUIRE_ALL_SUITES") and "optional" not in item.keywords:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped where every suite must run: {report.longrepr}"


@pytest.fixture(scope="session", autouse=True)
def _job_handlers():
    """Register every app's job handlers, as a worker does when it starts."""
    current_app.loader.import_default_modules()


@pytest.fixture(autouse=True)
def _own_media(settings, tmp_path):
    """Each test has its own media and artifact folders."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.DATA_ROOT = tmp_path / "var"
    settings.ARTIFACTS_ROOT = tmp_path / "var" / "artifacts"


@pytest.fixture(autouse=True)
def _quick_passwords(settings) -> None:
    """Nobody attacks these accounts: hashing their passwords well would cost more than the tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _wide_limits(settings) -> None:
    """All tests come from one address; those of the limits set their own (``tests/security/test_brakes.py``)."""
    settings.LIMITS_BY_ADDRESS = dict.fromkeys(settings.LIMITS_BY_ADDRESS, (1_000_000, 60))


@pytest.fixture
def valkey_url() -> str:
    """The address of the run's real Valkey."""
    return os.environ["REDIS_URL"]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium that Playwright can drive."""
    path = os.environ.get("STYLEREC_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        pytest.skip("no Chromium: install it or set STYLEREC_CHROMIUM")
    return path


@pytest.fixture
def processes(transactional_db, settings) -> Iterator[Processes]:
    """Real processes (workers, web, sweeper) on this test's database, media and Valkey; they end with the test."""
    url = os.environ.get("DATABASE_URL", "")
    name = str(connection.settings_dict["NAME"])
    environment = {
        "DATABASE_URL": f"sqlite:///{name}" if connection.vendor == "sqlite" else _with_database(url, name),
        "STYLEREC_DATA": str(settings.DATA_ROOT),
        "STYLEREC_MEDIA": str(settings.MEDIA_ROOT),
        "STYLEREC_JOB_LEASE": "4",
        "STYLEREC_JOB_HEARTBEAT": "1",
        "STYLEREC_JOB_SWEEP": "1",
        "STYLEREC_LOG_LEVEL": "INFO",
    }
    redis.Redis.from_url(settings.REDIS_URL).flushdb()
    with Processes(log_directory=settings.DATA_ROOT / "logs", environment=environment) as started:
        yield started


def _with_database(url: str, name: str) -> str:
    """The same server's address with another database."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{name}"))


@pytest.fixture
def wait_until() -> Callable[..., None]:
    """Wait for a condition with a deadline, so that no test sleeps a guessed time."""

    def wait(condition: Callable[[], object], *, seconds: float = 30, what: str = "the condition") -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"{what} did not come true within {seconds:g} s"
            time.sleep(0.05)

    return wait
