"""The first picture of a WebP, with half the memory."""

from __future__ import annotations

import io

from PIL import Image, WebPImagePlugin


def read(source: io.BytesIO) -> Image.Image:
    """Pillow's reader keeps the decoder's two canvases beside the pixels; here they go before the image is made."""
    reader = WebPImagePlugin.WebPImageFile(source)
    mode, size, raw_mode, info = reader.mode, reader.size, reader.rawmode, reader.info
    frame = reader._decoder.get_next()
    del reader._decoder
    if frame is None:
        raise OSError("the first frame is broken")
    picture = Image.frombytes(mode, size, frame[0], "raw", raw_mode)
    picture.info = info
    return picture
