"""What a worker does for a ``StylizationRun``. Imports torch, so only workers import this module."""

from __future__ import annotations

import io
import time
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _
from PIL import Image

from catalog.models import ProductImage
from jobs.context import JobContext
from jobs.errors import UserError
from styling.cyclegan.batching import rendered_in_batches
from styling.cyclegan.errors import CycleGANError
from styling.cyclegan.notices import jpeg_options, notice_of
from styling.cyclegan.translating import TranslateOptions, Translator
from styling.cyclegan.truth import TruthLimits, product_truth
from styling.models import StyledImage, StyleModel, StylizationRun
from styling.problems import as_user_error
from styling.services.limits import limits_of
from styling.services.stylising import Rendering, StyliseOptions, record_rendering

JPEG_QUALITY = 92


@lru_cache(maxsize=2)
def translator_at(directory: Path, device: str | None) -> Translator:
    """The loaded model at ``directory``; the last two stay warm in this worker."""
    return Translator.load(directory, device=device)


def run_stylisation(context: JobContext) -> dict[str, Any]:
    """Render every picture of the run that has no rendering yet; one bad picture stops nobody."""
    run = StylizationRun.objects.select_related("merchant", "style_model").get(pk=context.job_id)
    device = None if settings.DEVICE == "auto" else settings.DEVICE
    done = set(StyledImage.objects.filter(run=run).values_list("product_image_id", flat=True))
    pictures = list(run.product_images.order_by("pk"))
    waiting = [picture for picture in pictures if picture.pk not in done]
    problems: list[dict[str, Any]] = []
    limits, options = limits_of(run.merchant), _options(run)
    try:
        translator = translator_at(settings.ARTIFACTS_ROOT / run.style_model.directory, device)
        notice = notice_of(translator.config)
        started = time.monotonic()  # loading a model is no part of its speed
        outcomes = rendered_in_batches(
            waiting,
            decode=_original,
            translate=lambda originals: translator.translate(originals, options=options),
            encode=lambda _picture, original, rendered: _rendering(original, rendered, limits, notice=notice),
        )
        with closing(outcomes):
            for finished, (picture, outcome) in enumerate(outcomes, start=len(done) + 1):
                if context.should_stop():
                    context.raise_if_stopped()
                if isinstance(outcome, Exception):
                    problems.append({"picture": picture.pk, "reason": type(outcome).__name__})
                else:
                    with context.fenced():
                        record_rendering(run=run, product_image=picture, rendering=outcome)
                context.report(
                    done=finished,
                    total=len(pictures),
                    message=_("%(done)d of %(total)d pictures") % {"done": finished, "total": len(pictures)},
                )
    except CycleGANError as error:
        raise as_user_error(error) from error
    rendered = StyledImage.objects.filter(run=run)
    if not rendered.exists():
        raise UserError(
            "nothing-rendered",
            _("None of the %(count)d pictures could be rendered.") % {"count": len(pictures)},
            _("Their files are missing or damaged: upload the pictures again."),
        )
    return {
        "rendered": rendered.count(),
        "flagged": rendered.filter(is_flagged=True).count(),
        "problems": problems[:200],
        "problem_count": len(problems),
        "pictures_per_second": round(len(waiting) / max(time.monotonic() - started, 1e-3), 3),
    }


def render_one(*, content: bytes, model: StyleModel, options: StyliseOptions) -> Rendering:
    """Render one normalised picture with a model that stays warm. Raises ``UserError``."""
    device = None if settings.DEVICE == "auto" else settings.DEVICE
    with Image.open(io.BytesIO(content)) as opened:
        original = opened.convert("RGB")
    try:
        translator = translator_at(settings.ARTIFACTS_ROOT / model.directory, device)
        (rendered,) = translator.translate([original], options=TranslateOptions(**options.to_dict()))
    except CycleGANError as error:
        raise as_user_error(error) from error
    return _rendering(original, rendered, limits_of(model.merchant), notice=notice_of(translator.config))


def _original(picture: ProductImage) -> Image.Image:
    """The normalised picture, decoded."""
    with default_storage.open(str(picture.file.name), "rb") as file, Image.open(file) as opened:
        return opened.convert("RGB")


def _options(run: StylizationRun) -> TranslateOptions:
    return TranslateOptions(**StyliseOptions.from_dict(run.options).to_dict())


def _rendering(original: Image.Image, rendered: Image.Image, limits: TruthLimits, *, notice: str) -> Rendering:
    """Encode a rendering and measure what it did to the product."""
    report = product_truth(original, rendered)
    buffer = io.BytesIO()
    rendered.convert("RGB").save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0, **jpeg_options(notice))
    return Rendering(
        content=buffer.getvalue(),
        width=rendered.width,
        height=rendered.height,
        extension="jpg",
        truth=report.to_dict(),
        breaches=[breach.to_dict() for breach in report.exceeds(limits)],
    )
