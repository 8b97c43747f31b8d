"""People and programs who use the site while it is being broken: they read, send events and upload pictures.

A program that gets no answer, or an error of ours, asks again with the same content, as the API's documentation tells
it to. What was acknowledged is written down here, and compared with the database when the storm is over.
"""

from __future__ import annotations

import http.client
import io
import itertools
import json
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth import get_user_model
from PIL import Image

from catalog.models import ApiToken, Product
from catalog.services.merchants import open_shop
from catalog.services.products import save_product
from catalog.tokens import create_token
from recommend.services.shoppers import grant_consent

PEOPLE, EVENTS_PER_BATCH = 10, 10
SECONDS_BETWEEN_REQUESTS = 0.2
LONGEST_ANSWER_SECONDS = 40.0
SKU = "STORM-1"
_BOUNDARY = "storm-of-pictures"


@dataclass(frozen=True)
class Shop:
    """The shop that they use."""

    slug: str
    product_id: int
    secret: str


def open_storm_shop() -> Shop:
    """A shop with one product, people who have consented, and a program's token."""
    owner = get_user_model().objects.create(username="storm-owner")
    merchant = open_shop(name="Storm", slug="storm", owner=owner, currency="EUR")
    product: Product = save_product(merchant=merchant, sku=SKU, name="Lamp", price="5.00", stock=5, status="active")[0]
    for number in range(PEOPLE):
        grant_consent(merchant=merchant, visitor_id=f"customer-{number}")
    secret = create_token(merchant=merchant, user=owner, name="till", scope=ApiToken.Scope.WRITE)[1]
    return Shop(merchant.slug, product.pk, secret)


@dataclass
class Traffic(threading.Thread):
    """Sends requests one after another until it is told to finish."""

    port: int
    shop: Shop
    statuses: Counter[int] = field(default_factory=Counter)
    #: Answers that are no clean refusal: a dropped connection, or an error without its id.
    unclean: list[str] = field(default_factory=list)
    events: set[uuid.UUID] = field(default_factory=set)
    #: Ids of pictures, as the answers gave them.
    pictures: set[int] = field(default_factory=set)
    #: Held while a batch of events is under way.
    accepting: Any = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        super().__init__(name="traffic", daemon=True)
        self._ending = threading.Event()
        self._numbers = itertools.count()

    # A thread is found by its identity, a dataclass by its fields: let it be the thread.
    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        errands = itertools.cycle([self._look, self._send_events, self._look, self._upload])
        while not self._ending.wait(SECONDS_BETWEEN_REQUESTS):
            next(errands)()

    def finish(self, *, patience: float) -> None:
        """End after what is under way was acknowledged."""
        self._ending.set()
        self.join(timeout=patience)

    def _look(self) -> None:
        self._ask("GET", f"/s/{self.shop.slug}/")

    def _send_events(self) -> None:
        ids = [uuid.uuid4() for _ in range(EVENTS_PER_BATCH)]
        body = json.dumps(
            {
                "events": [
                    {"id": str(one), "shopper": f"customer-{n % PEOPLE}", "product": SKU, "kind": "click"}
                    for n, one in enumerate(ids)
                ]
            }
        )
        with self.accepting:
            if self._until_taken("/api/v1/events/", body.encode(), "application/json") is not None:
                self.events |= set(ids)

    def _upload(self) -> None:
        number = next(self._numbers)
        picture = io.BytesIO()
        colour = number * 37 % 256, number * 91 % 256, number * 53 % 256  # no two of which are the same when re-encoded
        Image.new("RGB", (96, 96), colour).save(picture, "PNG")
        body = b"".join(
            [
                f"--{_BOUNDARY}\r\n".encode(),
                b'Content-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n',
                picture.getvalue(),
                f"\r\n--{_BOUNDARY}--\r\n".encode(),
            ]
        )
        address = f"/api/v1/products/{self.shop.product_id}/images/"
        answer = self._until_taken(address, body, f"multipart/form-data; boundary={_BOUNDARY}")
        if answer is not None:
            self.pictures.add(json.loads(answer)["id"])

    def _until_taken(self, address: str, body: bytes, kind: str) -> str | None:
        """Send the same again until it is taken; the answer."""
        headers = {"Authorization": f"Token {self.shop.secret}", "Content-Type": kind}
        deadline = time.monotonic() + 2 * LONGEST_ANSWER_SECONDS
        while time.monotonic() < deadline:
            status, answer = self._ask("POST", address, body, headers)
            if 200 <= status < 300:
                return answer
            if 300 <= status < 500 and status != http.HTTPStatus.TOO_MANY_REQUESTS:
                self.unclean.append(f"POST {address}: {status} to what was right")
                return None
            time.sleep(SECONDS_BETWEEN_REQUESTS)
        self.unclean.append(f"POST {address}: not taken in {2 * LONGEST_ANSWER_SECONDS:g} s")
        return None

    def _ask(
        self, method: str, address: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str]:
        """The status (0 where there was no answer) and the body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LONGEST_ANSWER_SECONDS)
        try:
            connection.request(method, address, body, headers or {})
            response = connection.getresponse()
            text, request_id = response.read().decode(errors="replace"), response.headers.get("X-Request-ID", "")
        except (OSError, http.client.HTTPException) as error:
            self.statuses[0] += 1
            self.unclean.append(f"{method} {address}: {error!r}")
            return 0, ""
        finally:
            connection.close()
        self.statuses[response.status] += 1
        if response.status >= 500 and (not request_id or request_id not in text or "Traceback" in text):
            self.unclean.append(f"{method} {address}: {response.status} without its id")
        return response.status, text
