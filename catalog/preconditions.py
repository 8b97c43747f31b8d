"""``If-Match`` on writes: change only what the client has seen.

The tag of a resource is the hash of its representation, the same that its GET answers as ``ETag``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.utils.cache import set_response_etag
from django.utils.http import parse_etags
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from jobs.errors import UserError

IF_MATCH = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The ETag of what you read: 412 where it has changed since.",
)


class PreconditionFailed(UserError):
    """The resource is not the one that the client has seen."""

    status_code = 412


def tag_of(data: Any) -> str:
    """The strong entity tag of a representation."""
    return str(set_response_etag(HttpResponse(JSONRenderer().render(data)))["ETag"])


class ConditionalWrites:
    """For viewsets: ``with self.unchanged():`` around a change of ``self.get_object()``; ``tagged`` for its answer."""

    @contextmanager
    def unchanged(self) -> Iterator[Any]:
        """The object, locked, where it is as ``If-Match`` (if there is one) says; PreconditionFailed otherwise."""
        view: Any = self
        with transaction.atomic():
            found = view.get_object()
            header = view.request.headers.get("If-Match")
            if header is not None:
                wanted = parse_etags(header)
                type(found)._default_manager.select_for_update().get(pk=found.pk)
                found = view.get_object()
                if wanted != ["*"] and tag_of(view.get_serializer(found).data) not in wanted:
                    raise PreconditionFailed(
                        "changed-meanwhile",
                        _("This was changed since you read it."),
                        _("Read it again, and make your change to what it is now."),
                    )
            yield found

    def tagged(self, response: Response) -> Response:
        """The response with the tag of what it shows, ready for the next ``If-Match``."""
        response["ETag"] = tag_of(response.data)
        return response
