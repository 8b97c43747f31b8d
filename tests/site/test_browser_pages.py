"""What the storefront's pages cost a browser, as far as it is no matter of time: blocking, shifts, pictures, width."""

from __future__ import annotations

import pytest

from benchmarks.browsing import DEVICES, visit
from catalog.services.pictures import add_picture
from catalog.services.rendition_jobs import make_missing
from tests.catalog.factories import CategoryFactory, MerchantFactory, ProductFactory, picture_bytes

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def shop(transactional_db):
    merchant = MerchantFactory(slug="paged", tagline="Things for quiet rooms")
    category = CategoryFactory(merchant=merchant, slug="vases")
    for number in range(6):
        product = ProductFactory(merchant=merchant, category=category)
        picture = picture_bytes(size=(700, 700), color=(40 * number, 90, 120), kind="JPEG")
        add_picture(product=product, upload=picture, alt_text=product.name)
    make_missing(merchant=merchant)
    return merchant


@pytest.mark.parametrize("device", DEVICES)
def test_one_style_sheet_blocks_nothing_shifts_and_no_picture_is_twice_as_large_as_shown(
    live_server, browser, shop, device
):
    product = shop.products.first()
    for path in ("", "c/vases/", f"p/{product.pk}/", "search/?q=Vase"):
        address = f"{live_server.url}/s/{shop.slug}/{path}"
        page = visit(browser, address, device=DEVICES[device], click="#q")
        assert page["render_blocking"] == ["shop.css"], path
        assert page["cls"] < 0.1, path
        assert not page["overflows"], path
        if path != "search/?q=Vase":  # the factories' products have no words to be found by
            assert page["pictures"].keys() == {"avif"}, path
            assert page["largest_picture"]["pixels_per_shown_pixel"] <= 2, path
