"""The one door for untrusted pictures: ``normalise_upload`` and what it returns or raises.

``structure/`` reads headers and refuses the absurd, ``decoder`` keeps the children that decode, ``sandbox/`` is what
runs in them. Nothing else in the project opens an uploaded file.
"""

from catalog.images.door import NormalisedImage, hamming, normalise_upload
from catalog.images.errors import RejectedImage
from catalog.images.limits import Limits

__all__ = ["Limits", "NormalisedImage", "RejectedImage", "hamming", "normalise_upload"]
