"""``python -m stylerec_site.demo``: what ``make demo``, ``make demo-check`` and ``make site`` run.

Chooses ports, starts Valkey, web, workers and the sweeper, runs the main job through them, and keeps the shop open
until Ctrl-C or SIGTERM. With ``--check`` everything happens in a scratch folder, from nothing, and the exit status says
whether every step really happened. With ``--empty`` there is no demo shop: the site waits for one of your own.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NoReturn

from stylerec_site.demo.steps import DemoFailed
from stylerec_site.processes import BASE_DIR, Processes, ProcessFailed, free_port

_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    options = _options()
    if os.environ.get("STYLEREC_ENV") == "production":
        print("The demo shop has public passwords: it does not run with STYLEREC_ENV=production.", file=sys.stderr)
        return 2
    for number in _ENDS:  # SIGINT too: a shell that starts us in the background leaves it ignored
        signal.signal(number, _end)
    try:
        with _data_directory(check=options.check) as data:
            return _run(options, data)
    except KeyboardInterrupt:
        print("\nThe shop is closed.")
        return 0 if not options.check else 130
    except (ProcessFailed, DemoFailed) as error:
        print(f"\n✗ {error}", file=sys.stderr)
        return 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m stylerec_site.demo", description=__doc__)
    kinds = parser.add_mutually_exclusive_group()  # a check of an empty site would have checked nothing
    kinds.add_argument("--check", action="store_true", help="run the main job once in a scratch folder and end")
    kinds.add_argument("--empty", action="store_true", help="start the same parts without the demo shop")
    parser.add_argument("--port", type=int, default=8000, help="preferred port of the web server")
    return parser.parse_args()


def _end(number: int, frame: object) -> NoReturn:
    for ending in _ENDS:  # the second, impatient Ctrl-C must not leave children behind
        signal.signal(ending, signal.SIG_IGN)
    raise KeyboardInterrupt


@contextlib.contextmanager
def _data_directory(*, check: bool) -> Iterator[Path]:
    """Where everything lives: ``var/`` and ``media/`` for the demo, a folder that is deleted for the check."""
    if check:
        scratch = Path(tempfile.mkdtemp(prefix="stylerec-check-"))
        os.environ["STYLEREC_MEDIA"] = str(scratch / "media")
        try:
            yield scratch / "var"
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return
    data = Path(os.environ.get("STYLEREC_DATA", BASE_DIR / "var"))
    data.mkdir(parents=True, exist_ok=True)
    with (data / "demo.lock").open("a+") as lock:
        _take(lock)
        yield data


def _take(lock: IO[str]) -> None:
    """Two demos on one database would sell the same shop twice: the second one says where the first is."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        raise DemoFailed(f"The demo is running already: {lock.read().strip() or 'see the other terminal'}") from error


def _run(options: argparse.Namespace, data: Path) -> int:
    began = time.monotonic()
    valkey_port, web_port = free_port(6399), free_port(options.port)
    if web_port != options.port:
        print(f"Port {options.port} is taken; using {web_port}.")
    os.environ["STYLEREC_DATA"] = str(data)
    os.environ["REDIS_URL"] = f"redis://127.0.0.1:{valkey_port}/0"
    os.environ["STYLEREC_LOG_LEVEL"] = "ERROR"  # this process talks to a person; the others log to their files
    (data / "logs").mkdir(parents=True, exist_ok=True)

    with Processes(log_directory=data / "logs", environment={"STYLEREC_LOG_LEVEL": "INFO"}) as processes:
        processes.start_valkey(port=valkey_port, directory=data / "valkey")
        import django

        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stylerec_site.settings")
        django.setup()
        from stylerec_site.demo import main_job, own_site

        main_job.prepare_database()
        processes.start_worker("worker-gpu", queues="gpu")
        processes.start_worker("worker-default", queues="default,events", beat=True)
        processes.start_sweeper()
        processes.start_event_consumer()
        processes.start_web(port=web_port)
        address = f"http://127.0.0.1:{web_port}"
        if not options.empty and main_job.run(address=address, processes=processes):
            print(f"\nThe main job took {time.monotonic() - began:.0f} s.")
        if options.check:
            print("✓ Every step really happened.")
            return 0
        (data / "demo.lock").write_text(f"{address}\n")
        if options.empty:
            own_site.open_site(address)
        else:
            main_job.print_welcome(address)
        while True:
            processes.check()
            time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
