"""Why a picture was refused, in the merchant's words."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from jobs.errors import Text, UserError


class RejectedImage(UserError):
    """The upload is no picture that we can use; ``code`` says why, ``hint`` what to do."""


_SMALLER = _("Save a smaller copy and upload that.")
_AGAIN = _("Open it in a picture editor, save it as JPEG or PNG, and upload that.")

#: Each code with its text and its hint.
TEXTS: dict[str, tuple[Text, Text]] = {
    "picture-empty": (_("The file is empty."), _("Choose the picture again.")),
    "picture-not-read": (_("The file could not be read."), _("Choose the picture again.")),
    "picture-too-large": (_("The file is larger than %(megabytes)d MB."), _SMALLER),
    "picture-unknown": (_("The file is no picture."), _("Upload a JPEG, PNG, WebP, AVIF, GIF or TIFF.")),
    "picture-format": (_("Files of the kind %(kind)s are not accepted."), _AGAIN),
    "picture-side-too-long": (
        _("The picture is %(width)s × %(height)s pixels; a side may have %(longest_side)d."),
        _SMALLER,
    ),
    "picture-too-many-pixels": (
        _("The picture is %(width)s × %(height)s pixels; it may have %(megapixels)d million."),
        _SMALLER,
    ),
    "picture-too-many-frames": (
        _("The file holds more than %(most_frames)d pictures."),
        _("Upload the one that you mean."),
    ),
    "picture-too-complex": (_("The file is built in an unusually complex way."), _AGAIN),
    "picture-broken": (_("The picture is damaged or incomplete."), _AGAIN),
    "picture-colour": (_("The picture's kind of colours is not supported."), _AGAIN),
    "picture-too-heavy": (_("The picture needs too much memory to open."), _SMALLER),
    "picture-too-slow": (_("The picture takes too long to open."), _SMALLER),
    "picture-busy": (_("Too many pictures are being opened right now."), _("Try again in a minute.")),
    "picture-failed": (_("The picture could not be opened just now."), _("Try again in a minute.")),
}
CODES = tuple(TEXTS)
