"""What a worker does for a ``TrainingRun``. Imports torch, so only workers import this module."""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings as django_settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from jobs.context import JobContext
from jobs.errors import UserError
from styling.curves import LossCurve
from styling.cyclegan import artifact, checkpoints
from styling.cyclegan.errors import CycleGANError
from styling.cyclegan.settings import TrainingSettings
from styling.cyclegan.training import StepReport, TrainingResult, train
from styling.models import StyleModel, TrainingRun, TrainingSample
from styling.problems import ENDINGS, as_user_error
from styling.services.sources import source_pictures
from styling.services.training import start_of
from styling.services.versions import record_model

_ARTIFACT_FILES = (artifact.CONFIG, artifact.WEIGHTS, artifact.METRICS, artifact.LOSSES, artifact.SAMPLES)


def run_training(context: JobContext) -> dict[str, Any]:
    """Gather the pictures, train (or go on from the last checkpoint), and record the new version."""
    run = TrainingRun.objects.select_related("merchant", "style", "source_category", "start_from").get(
        pk=context.job_id
    )
    source, target = _gather(run, context)
    out = context.job_directory / "training"
    start_from = _start_of(run, out)
    device = None if django_settings.DEVICE == "auto" else django_settings.DEVICE
    progress = _Progress(run, context)
    try:
        result = train(
            source=source,
            target=target,
            out=out,
            settings=TrainingSettings.from_dict(run.settings),
            on_step=progress.note,
            should_stop=context.should_stop,
            resume=True,
            start_from=start_from,
            device=device,
        )
    except CycleGANError as error:
        raise as_user_error(error) from error
    if result.reason == "stopped":
        progress.save()
        context.raise_if_stopped()
    outcome = _record(run, context, result, progress)
    shutil.rmtree(context.job_directory, ignore_errors=True)
    return outcome


def _start_of(run: TrainingRun, out: Path) -> Path | None:
    """Where the networks lie that the run begins with. One that has learned something goes on from its checkpoint, also
    where that version is gone.
    """
    try:
        model = start_of(run)
    except UserError:
        if checkpoints.read_latest(out) is None:
            raise
        return None
    return django_settings.ARTIFACTS_ROOT / model.directory if model else None


def _gather(run: TrainingRun, context: JobContext) -> tuple[list[Path], list[Path]]:
    """Copies of both domains' pictures, made once: a resumed run learns from the ones that it began with."""
    folder = context.job_directory / "pictures"
    if not folder.is_dir():
        staging = context.work_directory / "pictures"
        sources = source_pictures(style=run.style, category=run.source_category)
        names = list(sources.values_list("pk", "file"))
        references = list(run.style.references.values_list("pk", "file"))
        lost = _copy(names, staging / "source", context) + _copy(references, staging / "target", context)
        if lost:
            context.log("pictures-missing", _("%(count)d files are missing from the storage.") % {"count": lost})
        if not folder.is_dir():  # an earlier attempt that was frozen may have woken up and finished it
            staging.rename(folder)
    source, target = (sorted((folder / domain).iterdir()) for domain in ("source", "target"))
    return source, target


def _copy(rows: Iterable[tuple[int, str]], folder: Path, context: JobContext) -> int:
    """Copy stored pictures into ``folder``; how many were lost."""
    folder.mkdir(parents=True, exist_ok=True)
    lost = 0
    for pk, name in rows:
        if context.should_stop():
            context.raise_if_stopped()
        try:
            with default_storage.open(name, "rb") as stored:
                (folder / f"{pk:09d}{Path(name).suffix}").write_bytes(stored.read())
        except FileNotFoundError:
            lost += 1
    return lost


class _Progress:
    """Passes what training reports on to the job's row: each second progress, then curve, scores, samples."""

    SAVE_EVERY_SECONDS = 2.0

    def __init__(self, run: TrainingRun, context: JobContext) -> None:
        self._run, self._context = run, context
        self._curve = LossCurve(run.losses)
        self._history: list[dict[str, Any]] = list(run.score_history)
        self._saved_at = time.monotonic()

    def note(self, report: StepReport) -> None:
        """Called after each step."""
        self._context.report(
            done=report.step,
            total=max(report.total_steps, report.step),
            message=_("Step %(step)d of %(total)d") % {"step": report.step, "total": report.total_steps},
            eta_seconds=report.eta_seconds,
        )
        self._curve.add(report.step, report.losses)
        if report.scores is not None:
            earlier = [row for row in self._history if row["step"] < report.step]
            self._history = [*earlier, {"step": report.step, **report.scores.to_dict()}]
        if report.sample is not None:
            self._keep_sample(report.step, report.sample)
        if report.scores is not None or time.monotonic() - self._saved_at >= self.SAVE_EVERY_SECONDS:
            self.save()

    def save(self) -> None:
        """Write the curve and the scores under the fence."""
        self._saved_at = time.monotonic()
        with self._context.fenced():
            TrainingRun.objects.filter(pk=self._run.pk).update(**self.columns())

    def columns(self) -> dict[str, Any]:
        scores = self._history[-1] if self._history else {}
        return {"losses": self._curve.points, "score_history": self._history, "scores": scores}

    def _keep_sample(self, step: int, picture: Path) -> None:
        name = default_storage.save(f"samples/{uuid.uuid4().hex}.png", ContentFile(picture.read_bytes()))
        with self._context.fenced():
            TrainingSample.objects.update_or_create(run=self._run, step=step, defaults={"file": name})


def _record(run: TrainingRun, context: JobContext, result: TrainingResult, progress: _Progress) -> dict[str, Any]:
    """Move the artifact to its place and record the version and the success in one transaction."""
    directory = _place(result.directory, name=f"styles/{run.pk}-{context.fence}")
    try:
        samples = default_storage.save(
            f"samples/{uuid.uuid4().hex}.png", ContentFile((directory / artifact.SAMPLES).read_bytes())
        )
        config = artifact.read_config(directory)
        with context.fenced():
            columns = {**progress.columns(), "scores": result.metrics}
            TrainingRun.objects.filter(pk=run.pk).update(**columns)
            model = record_model(
                run=run,
                directory=directory.relative_to(django_settings.ARTIFACTS_ROOT).as_posix(),
                metrics=result.metrics,
                domain=config.get("domain"),
                samples=samples,
            )
            outcome = _outcome(model, result)
            context.complete(outcome)
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise
    return outcome


def _place(training: Path, *, name: str) -> Path:
    """The artifact's files, copied beside their place and renamed into it: it is there whole or not at all."""
    directory = django_settings.ARTIFACTS_ROOT / name
    staging = directory.with_name(f".{directory.name}.tmp")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    try:
        for file in _ARTIFACT_FILES:
            shutil.copy2(training / file, staging / file)
        if (training / artifact.NETWORKS).is_file():
            shutil.copy2(training / artifact.NETWORKS, staging / artifact.NETWORKS)
        artifact.verify(staging)
    except BaseException as error:
        shutil.rmtree(staging, ignore_errors=True)  # on a full disk, half an artifact must not stay in the way
        if isinstance(error, CycleGANError):
            raise as_user_error(error) from error
        raise
    shutil.rmtree(directory, ignore_errors=True)
    staging.rename(directory)
    artifact.sync_directory(directory.parent)
    return directory


def _outcome(model: StyleModel, result: TrainingResult) -> dict[str, Any]:
    """The job's result: which version came out, whether it is in use already, and why."""
    metrics = result.metrics
    deployed = model.status == StyleModel.Status.DEPLOYED
    if deployed:
        message = _("Version %(version)d is the style's first and its scores are sound: it is in use now.")
    else:
        message = _("Version %(version)d is a candidate: look at its samples, then deploy it.")
    return {
        "style_model": model.pk,
        "version": model.version,
        "deployed": deployed,
        "message": message % {"version": model.version},
        "ended": result.reason,
        "warning": str(ENDINGS.get(result.reason, "")),
        "style_score": metrics.get("style_score"),
        "content_score": metrics.get("content_score"),
        "steps": metrics.get("steps"),
        "seconds": metrics.get("seconds"),
        "batch_size": metrics.get("batch_size"),
        "skipped": len(result.skipped),
    }
