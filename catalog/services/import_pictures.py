"""Pictures of an import: by file name, by SKU, or by web address. A bad one is noted with its row and blocks nothing."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from django.utils.translation import gettext_lazy as _

from catalog.images import RejectedImage
from catalog.models import Merchant, Product, ProductImage
from catalog.remote import RejectedUrl, fetch_picture
from catalog.services.import_rows import Problem, Row
from catalog.services.import_sources import Source
from catalog.services.pictures import add_picture
from catalog.services.rendition_jobs import ask_for_renditions

#: Pictures that are fetched at the same time; each at most 15 MB.
FETCHED_AT_ONCE = 8

Target = tuple[Row, int]
Fetch = Callable[[str], bytes]


@dataclass
class Wanted:
    """Which rows want which picture, and at which position."""

    named: dict[str, list[Target]] = field(default_factory=lambda: defaultdict(list))
    urls: dict[str, list[Target]] = field(default_factory=lambda: defaultdict(list))
    by_sku: dict[str, Row] = field(default_factory=dict)

    def targets_of(self, member: str) -> list[Target]:
        """Who wants this file: whoever names it, else the product whose SKU is its name."""
        name = PurePosixPath(member).name.lower()
        return self.named.get(name) or self._by_sku(name)

    def _by_sku(self, name: str) -> list[Target]:
        """``SKU.jpg`` and ``SKU-2.jpg`` belong to that SKU, unless the table names its pictures itself."""
        stem, number = PurePosixPath(name).stem, 0
        row = self.by_sku.get(stem)
        if row is None and "-" in stem:
            stem, _dash, suffix = stem.rpartition("-")
            with suppress(ValueError):
                number = max(0, int(suffix) - 1)
                row = self.by_sku.get(stem)
        return [(row, number)] if row is not None and not row.pictures else []


def wanted_pictures(rows: Iterable[Row]) -> Wanted:
    """What the rows of a table ask for."""
    wanted = Wanted()
    for row in rows:
        wanted.by_sku[row.sku.lower()] = row
        for position, name in enumerate(row.pictures):
            if name.lower().startswith(("http://", "https://")):
                wanted.urls[name].append((row, position))
            else:
                wanted.named[PurePosixPath(name).name.lower()].append((row, position))
    return wanted


def note_missing(wanted: Wanted, source: Source) -> None:
    """Note with each row the pictures that it names and that did not come along."""
    there = {PurePosixPath(name).name.lower() for name in source.picture_names}
    for name in wanted.named.keys() - there:
        for row, _position in wanted.named[name]:
            message = _("The picture “%(name)s” did not come with the table.") % {"name": name}
            row.picture_problems.append(Problem("picture-missing", message))


def count_matched(wanted: Wanted, source: Source) -> int:
    """How many pictures there will be to look at."""
    return sum(bool(wanted.targets_of(name)) for name in source.picture_names) + len(wanted.urls)


def add_pictures(
    *,
    merchant: Merchant,
    wanted: Wanted,
    source: Source,
    on_picture: Callable[[], None],
    should_stop: Callable[[], bool],
    fetch: Fetch = fetch_picture,
) -> int:
    """Add every picture that can be had; how many are there that were not before."""
    products = {product.sku: product for product in Product.objects.filter(merchant=merchant).only("sku", "merchant")}
    before = _count(merchant)
    try:
        _add_files(products, wanted, source, on_picture, should_stop)
        if not should_stop():
            _add_fetched(products, wanted, fetch, on_picture, should_stop)
    finally:
        added = _count(merchant) - before
        if added:
            ask_for_renditions(merchant_id=merchant.pk)
    return added


def _add_files(
    products: dict[str, Product],
    wanted: Wanted,
    source: Source,
    on_picture: Callable[[], None],
    should_stop: Callable[[], bool],
) -> None:
    for member, content in source.pictures():
        targets = wanted.targets_of(member)
        if targets:
            _add(products, targets, member, content)
            on_picture()
        if should_stop():
            return


def _add_fetched(
    products: dict[str, Product],
    wanted: Wanted,
    fetch: Fetch,
    on_picture: Callable[[], None],
    should_stop: Callable[[], bool],
) -> None:
    missing = _not_there_yet(wanted, products)
    for _known in wanted.urls.keys() - missing.keys():
        on_picture()
    for url, outcome in _fetched(missing, fetch):
        if isinstance(outcome, RejectedUrl):
            for row, _position in missing[url]:
                row.picture_problems.append(Problem(outcome.code, f"{url}: {outcome.message}"))
        else:
            _add(products, missing[url], url, outcome)
        on_picture()
        if should_stop():
            return


def _add(products: dict[str, Product], targets: list[Target], name: str, content: bytes) -> None:
    for row, position in targets:
        try:
            add_picture(product=products[row.sku], upload=content, position=position, ask=False)
        except RejectedImage as error:
            row.picture_problems.append(Problem(error.code, f"{name}: {error.message}"))


def _count(merchant: Merchant) -> int:
    return ProductImage.objects.filter(product__merchant=merchant).count()


def _not_there_yet(wanted: Wanted, products: dict[str, Product]) -> dict[str, list[Target]]:
    """Addresses to fetch: an export names our own pictures by theirs, and those are there already."""
    if not wanted.urls:
        return {}
    ids = {product.pk: sku for sku, product in products.items()}
    files: dict[str, set[str]] = defaultdict(set)
    for product_id, file in ProductImage.objects.filter(product__in=ids).values_list("product_id", "file"):
        files[ids[product_id]].add(str(file))
    missing = {}
    for url, targets in wanted.urls.items():
        tail = "/".join(unquote(urlsplit(url).path).split("/")[-3:])  # pictures/ab/abcdef.jpg
        if left := [(row, position) for row, position in targets if tail not in files[row.sku]]:
            missing[url] = left
    return missing


def _fetched(urls: Iterable[str], fetch: Fetch) -> Iterator[tuple[str, bytes | RejectedUrl]]:
    """Each address and what it gives, in order; a few are asked ahead."""
    with ThreadPoolExecutor(FETCHED_AT_ONCE, thread_name_prefix="fetch") as pool:
        ahead: deque[tuple[str, Future[bytes]]] = deque()
        for url in urls:
            ahead.append((url, pool.submit(fetch, url)))
            if len(ahead) >= FETCHED_AT_ONCE:
                yield _outcome(*ahead.popleft())
        while ahead:
            yield _outcome(*ahead.popleft())


def _outcome(url: str, future: Future[bytes]) -> tuple[str, bytes | RejectedUrl]:
    try:
        return url, future.result()
    except RejectedUrl as error:
        return url, error
