"""``docs/api.md`` from its first block to its last, against real processes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site

from stylerec_site.processes import free_port
from tests.catalog.factories import MembershipFactory, picture_bytes

DOCUMENT = Path(site.BASE_DIR) / "docs" / "api.md"
#: A block to run, and the answer that the document promises, where it promises one.
BLOCKS = re.compile(r"^```sh\n(.*?)^```\n(?:^```json\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)


def differences(promised: Any, given: Any, at: str = "answer") -> list[str]:
    """Where an answer is not as promised; “…” stands for anything."""
    if promised == "…":
        return []
    if isinstance(promised, dict) and isinstance(given, dict):
        if promised.keys() != given.keys():
            return [f"{at} has {sorted(given)}, not {sorted(promised)}"]
        return [one for key in promised for one in differences(promised[key], given[key], f"{at}.{key}")]
    if isinstance(promised, list) and isinstance(given, list) and len(promised) == len(given):
        return [
            one
            for index, pair in enumerate(zip(promised, given, strict=True))
            for one in differences(*pair, f"{at}[{index}]")
        ]
    return [] if promised == given else [f"{at} is {given!r}, not {promised!r}"]


@pytest.mark.worker
def test_every_block_does_what_the_document_says(processes, tmp_path):
    MembershipFactory(merchant__slug="kiln", user__username="mei")
    (tmp_path / "vase.jpg").write_bytes(picture_bytes(kind="JPEG"))
    (tmp_path / "manage.py").symlink_to(Path(site.BASE_DIR) / "manage.py")
    port = free_port(18_000 + os.getpid() % 2_000)
    processes.start_web(port=port, workers=1)
    processes.start_worker("worker", queues="default")
    processes.start_event_consumer()

    blocks = BLOCKS.findall(DOCUMENT.read_text())
    assert len(blocks) >= 11
    script = ["set -euo pipefail"]
    for number, (commands, _promised) in enumerate(blocks):
        script += [f"exec > {number}.out", commands]
    result = subprocess.run(
        ["bash"],
        input="\n".join(script),
        cwd=tmp_path,
        env={
            **os.environ,
            **processes.environment,
            "SITE": f"http://127.0.0.1:{port}",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(site.BASE_DIR),
        },
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    done = sorted(tmp_path.glob("*.out"), key=lambda path: int(path.stem))
    last = done[-1].read_text() if done else ""
    assert result.returncode == 0, f"block {len(done)}: {result.stderr}\n{last}"
    found = []
    for number, (_commands, promised) in enumerate(blocks):
        if promised:
            given = json.loads((tmp_path / f"{number}.out").read_text())
            found += differences(json.loads(promised), given, f"block {number + 1}")
    assert found == []
