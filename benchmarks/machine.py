"""The machine a figure was taken on, and the one output format all benchmarks share."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import Any


def describe() -> dict[str, Any]:
    """Processor, cores, memory and library versions, as every benchmark reports them."""
    return {
        "processor": _processor_name(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
    }


def _processor_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def report(*, benchmark: str, ratios: dict[str, float], details: dict[str, Any], as_json: bool) -> None:
    """Print a readable table and, with ``as_json``, the one-line record as the last line of stdout."""
    machine = describe()
    print(f"{benchmark} on {machine['processor']} ({machine['cores']} cores, {machine['memory_gib']} GiB)")
    for name, ratio in ratios.items():
        print(f"  {name:<24} {ratio:10.3f}")
    for name, value in details.items():
        print(f"  {name}: {value}")
    if as_json:
        print(json.dumps({"benchmark": benchmark, "machine": machine, "ratios": ratios, "details": details}))
