"""The one door for untrusted pictures. Nothing else opens an uploaded file.

``normalise_upload(file)`` sniffs, bounds, decodes (in a child with limits), orients, converts to sRGB 8-bit, strips
every piece of metadata and re-encodes. Whatever the bytes are, it returns a ``NormalisedImage`` or raises
``RejectedImage``.
"""

from catalog.images.door import NormalisedImage, normalise_upload
from catalog.images.rejected import RejectedImage

__all__ = ["NormalisedImage", "RejectedImage", "normalise_upload"]
