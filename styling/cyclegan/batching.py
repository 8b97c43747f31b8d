"""Thousands of pictures: while one batch is translated, the next is decoded and the one before is encoded."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Picture = TypeVar("Picture")
Rendered = TypeVar("Rendered")
Result = TypeVar("Result")

#: Pictures that are translated together; three batches are in memory at a time.
BATCH = 8
#: Threads for decoding and encoding. Pillow's codecs let other threads run.
THREADS = 2


def rendered_in_batches(
    items: Iterable[Item],
    *,
    decode: Callable[[Item], Picture],
    translate: Callable[[list[Picture]], list[Rendered]],
    encode: Callable[[Item, Picture, Rendered], Result],
    failures: tuple[type[Exception], ...] = (OSError,),
    batch: int = BATCH,
) -> Generator[tuple[Item, Result | Exception]]:
    """Each item with what ``encode`` made of it, in order; or with the failure, where decoding or encoding it raised
    one of ``failures``. Everything else is raised, and so is what ``translate`` raises.

    ``translate`` runs in the caller's thread, ``decode`` and ``encode`` in others. Closing the iterator early waits for
    what is under way and begins nothing more.
    """

    def decoded(chunk: list[Item]) -> list[tuple[Item, Future[Picture]]]:
        return [(item, pool.submit(decode, item)) for item in chunk]

    remaining = iter(items)
    with ThreadPoolExecutor(THREADS, thread_name_prefix="pictures") as pool:
        try:
            ahead = decoded(list(itertools.islice(remaining, batch)))
            behind: list[tuple[Item, Future[Result] | Exception]] = []
            while ahead or behind:
                here, ahead = ahead, decoded(list(itertools.islice(remaining, batch)))
                opened: list[tuple[Item, Picture | Exception]] = []
                for item, decoding in here:
                    try:
                        opened.append((item, decoding.result()))
                    except failures as error:
                        opened.append((item, error))
                pictures = [picture for _item, picture in opened if not isinstance(picture, Exception)]
                renderings = iter(translate(pictures) if pictures else [])
                now: list[tuple[Item, Future[Result] | Exception]] = [
                    (
                        item,
                        picture
                        if isinstance(picture, Exception)
                        else pool.submit(encode, item, picture, next(renderings)),
                    )
                    for item, picture in opened
                ]
                for item, encoding in behind:
                    if isinstance(encoding, Exception):
                        yield item, encoding
                        continue
                    try:
                        result = encoding.result()
                    except failures as error:
                        yield item, error
                    else:
                        yield item, result
                behind = now
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
