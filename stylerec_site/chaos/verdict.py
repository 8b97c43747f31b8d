"""What the database says after the storm. Nothing is taken from the workers' own word."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass

from django.db.models import Count

from jobs.models import Job, JobEvent
from stylerec_site.chaos.handlers import EFFECT, STEPS


@dataclass(frozen=True)
class Verdict:
    """Counts over all jobs of a run."""

    jobs: int
    succeeded: int
    lost: int
    given_up: int
    effects: int
    effects_missing: int
    effects_doubled: int
    succeeded_twice: int
    attempts: int
    #: Attempts after a job's first: each is one that a fault cut off. A storm without any has shown nothing.
    interrupted: int

    @property
    def is_clean(self) -> bool:
        """Nothing lost, nothing done twice."""
        return self.jobs == self.succeeded and not (
            self.effects_missing or self.effects_doubled or self.succeeded_twice
        )

    def __str__(self) -> str:
        return ", ".join(f"{name}={value}" for name, value in asdict(self).items())


def verdict() -> Verdict:
    """Count every job, every effect and every success from the rows alone."""
    statuses = Counter(Job.objects.values_list("status", flat=True))
    jobs = sum(statuses.values())
    effects = Counter(JobEvent.objects.filter(name=EFFECT).values_list("job_id", "data__step"))
    succeeded_jobs = set(Job.objects.filter(status=Job.Status.SUCCEEDED).values_list("pk", flat=True))
    successes = (
        JobEvent.objects.filter(name="succeeded").values("job_id").annotate(times=Count("id")).filter(times__gt=1)
    )
    attempts = list(Job.objects.values_list("attempt", flat=True))
    return Verdict(
        jobs=jobs,
        succeeded=statuses[Job.Status.SUCCEEDED],
        lost=statuses[Job.Status.QUEUED] + statuses[Job.Status.RUNNING],
        given_up=statuses[Job.Status.DEAD] + statuses[Job.Status.FAILED],
        effects=sum(effects.values()),
        effects_missing=sum(effects[job, step] == 0 for job in succeeded_jobs for step in range(STEPS)),
        effects_doubled=sum(count - 1 for count in effects.values()),
        succeeded_twice=successes.count(),
        attempts=sum(attempts),
        interrupted=sum(max(0, count - 1) for count in attempts),
    )
