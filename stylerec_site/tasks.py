"""The site's own background work."""

from __future__ import annotations

from typing import Any

from jobs.context import JobContext
from jobs.registry import job_handler
from stylerec_site.dashboard import demo_data


@job_handler(demo_data.KIND)
def fill_with_demo_data(context: JobContext) -> dict[str, Any]:
    """Draw a shop into an empty one."""
    return demo_data.run(context)
