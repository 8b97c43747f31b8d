"""What the database and the disk say after the storm. Nothing is taken from the workers' own word."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from django.core.files.storage import default_storage
from django.db.models import Count
from PIL import Image

from catalog.models import ProductImage
from jobs.models import Job, JobEvent
from recommend.models import Interaction
from stylerec_site.chaos.handlers import EFFECT, FENCED, FILE_BYTES, STEPS, UNFENCED
from stylerec_site.chaos.traffic import Traffic

KINDS = (FENCED, UNFENCED)


@dataclass(frozen=True)
class Verdict:
    """Counts over all jobs of a run, and over what the traffic sent."""

    jobs: int
    succeeded: int
    lost: int
    given_up: int
    effects: int
    effects_missing: int
    effects_doubled: int
    #: Effects whose file is missing or not whole.
    effects_half: int
    succeeded_twice: int
    attempts: int
    #: Jobs that a fault cut off at least once. A storm without any has shown nothing.
    interrupted: int
    #: Jobs that the requests asked for, and that did not end well.
    others_lost: int
    requests: int
    #: Answers that were errors of ours, each clean and with its id.
    refused: int
    unclean: int
    events: int
    events_missing: int
    pictures: int
    pictures_missing: int
    #: Rows whose file is missing or cannot be decoded to its end.
    pictures_half: int

    @property
    def is_clean(self) -> bool:
        """Nothing lost, nothing done twice, nothing half done."""
        faults = (
            self.lost, self.given_up, self.effects_missing, self.effects_doubled, self.effects_half,
            self.succeeded_twice, self.others_lost, self.unclean, self.events_missing, self.pictures_missing,
            self.pictures_half,
        )  # fmt: skip
        return self.jobs == self.succeeded and not any(faults)

    def __str__(self) -> str:
        return ", ".join(f"{name}={value}" for name, value in asdict(self).items())


def verdict(traffic: Traffic | None = None) -> Verdict:
    """Count every job, effect, event and picture from the rows and files alone."""
    rehearsed = Job.objects.filter(kind__in=KINDS)
    statuses = Counter(rehearsed.values_list("status", flat=True))
    found = list(JobEvent.objects.filter(name=EFFECT).values_list("job_id", "data__step", "data__file"))
    effects = Counter((job, step) for job, step, _file in found)
    succeeded = set(rehearsed.filter(status=Job.Status.SUCCEEDED).values_list("pk", flat=True))
    twice = JobEvent.objects.filter(name="succeeded").values("job_id").annotate(n=Count("id")).filter(n__gt=1)
    ended_well = [Job.Status.SUCCEEDED, Job.Status.CANCELLED]
    attempts = list(rehearsed.values_list("attempt", flat=True))
    return Verdict(
        jobs=sum(statuses.values()),
        succeeded=statuses[Job.Status.SUCCEEDED],
        lost=statuses[Job.Status.QUEUED] + statuses[Job.Status.RUNNING],
        given_up=statuses[Job.Status.DEAD] + statuses[Job.Status.FAILED],
        effects=sum(effects.values()),
        effects_missing=sum(effects[job, step] == 0 for job in succeeded for step in range(STEPS)),
        effects_doubled=doubled(effects),
        effects_half=sum(not _is_whole(file) for _job, _step, file in found),
        succeeded_twice=twice.count(),
        attempts=sum(attempts),
        interrupted=sum(count > 1 for count in attempts),
        others_lost=Job.objects.exclude(kind__in=KINDS).exclude(status__in=ended_well).count(),
        **_of_traffic(traffic),
    )


def doubled(effects: Counter[Any]) -> int:
    """How many effects there are beyond one of each."""
    return sum(count - 1 for count in effects.values())


def effects_doubled() -> int:
    """The same, while the storm goes on."""
    return doubled(Counter(JobEvent.objects.filter(name=EFFECT).values_list("job_id", "data__step")))


def interrupted() -> int:
    """Jobs that were cut off so far."""
    return Job.objects.filter(kind__in=KINDS, attempt__gt=1).count()


def progress() -> str:
    """One line about how far the storm is."""
    done = Job.objects.filter(kind__in=KINDS, status=Job.Status.SUCCEEDED).count()
    return f"{done} of {Job.objects.filter(kind__in=KINDS).count()} done, {interrupted()} interrupted"


def _of_traffic(traffic: Traffic | None) -> dict[str, int]:
    stored = set(Interaction.objects.values_list("event_id", flat=True))
    images = list(ProductImage.objects.all())
    return {
        "requests": sum(traffic.statuses.values()) if traffic else 0,
        "refused": sum(count for status, count in traffic.statuses.items() if status >= 500) if traffic else 0,
        "unclean": len(traffic.unclean) if traffic else 0,
        "events": len(traffic.events) if traffic else 0,
        "events_missing": len(traffic.events - stored) if traffic else 0,
        "pictures": len(traffic.pictures) if traffic else 0,
        "pictures_missing": len(traffic.pictures - {image.pk for image in images}) if traffic else 0,
        "pictures_half": sum(not _can_be_seen(image) for image in images),
    }


def _is_whole(file: str) -> bool:
    try:
        return default_storage.size(file) == FILE_BYTES
    except OSError:
        return False


def _can_be_seen(image: ProductImage) -> bool:
    try:
        for name in (str(image.file.name), str(image.original.name)):
            with default_storage.open(name) as file, Image.open(file) as picture:
                picture.load()
    except OSError:
        return False
    return True
