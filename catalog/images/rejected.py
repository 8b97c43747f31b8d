"""Why a picture was refused: a stable code, what is wrong, what to do."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from catalog.images import limits
from jobs.errors import UserError

_MEGABYTES = limits.MOST_BYTES // 2**20
_MEGAPIXELS = limits.MOST_PIXELS // 1_000_000

TEXTS = {
    "empty": (_("The file is empty."), _("Choose it again; the upload may have been interrupted.")),
    "too-many-bytes": (
        _("The file is larger than %(limit)d MB.") % {"limit": _MEGABYTES},
        _("Save it with a lower quality or in a smaller size."),
    ),
    "not-a-picture": (
        _("This is no picture that we can read."),
        _("Use JPEG, PNG, WebP, AVIF, GIF or TIFF."),
    ),
    "too-many-pixels": (
        _("The picture has more than %(limit)d megapixels, or a side longer than %(side)d pixels.")
        % {"limit": _MEGAPIXELS, "side": limits.LONGEST_SIDE},
        _("Make it smaller and upload it again."),
    ),
    "too-many-frames": (
        _("The picture has more than %(limit)d frames.") % {"limit": limits.MOST_FRAMES},
        _("Save its first frame as a still picture."),
    ),
    "too-many-scans": (
        _("This JPEG is built from more passes than any camera makes."),
        _("Open it in an image program and save it again."),
    ),
    "damaged": (
        _("The picture is damaged or cut off."),
        _("Export it again from where it was made."),
    ),
    "too-costly": (
        _("Reading this picture takes more time or memory than a picture may."),
        _("Open it in an image program and save it as a plain JPEG or PNG."),
    ),
    "unreadable": (_("The file could not be read."), _("Choose it again.")),
}


class RejectedImage(UserError):
    """A file that is no picture we can use. ``code`` is a key of ``TEXTS``."""

    def __init__(self, code: str) -> None:
        message, hint = TEXTS[code]
        super().__init__(code, message, hint)
