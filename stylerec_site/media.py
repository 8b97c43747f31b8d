"""Public media for sites without S3 or a web server in front: immutable files under unguessable names.

Originals and imports hold what the camera wrote (GPS, serial numbers): they never leave through this door.
"""

from __future__ import annotations

import mimetypes
import posixpath

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest
from django.views.decorators.http import require_safe

YEAR = 365 * 24 * 3600
_PICTURE_TYPES = {"image/jpeg", "image/png", "image/webp", "image/avif"}


@require_safe
def media(request: HttpRequest, path: str) -> FileResponse:
    """The file at ``path`` below the media folder, cacheable for ever: its name changes with its content."""
    name = posixpath.normpath(path)
    content_type = mimetypes.guess_type(name)[0]
    if name != path or name.startswith(settings.PRIVATE_MEDIA_PREFIXES) or content_type not in _PICTURE_TYPES:
        raise Http404
    try:
        response = FileResponse(default_storage.open(name, "rb"), content_type=content_type)
    except (OSError, SuspiciousFileOperation, ValueError) as error:
        raise Http404 from error
    response["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    return response
