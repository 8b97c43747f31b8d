"""Products, categories and pictures in the admin: who may change what, and what each page costs."""

from __future__ import annotations

import json

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from catalog.models import AuditEntry, Category, Membership, Product, ProductImage
from catalog.search import matches
from catalog.services.pictures import add_picture
from tests.catalog.factories import (
    CategoryFactory,
    MembershipFactory,
    MerchantFactory,
    ProductFactory,
    UserFactory,
    picture_bytes,
)

pytestmark = pytest.mark.django_db

LIST = "admin:catalog_product_changelist"


@pytest.fixture
def merchant():
    return MerchantFactory(currency="CNY")


@pytest.fixture
def log_in(client, merchant):
    """Log a member of the shop in; an editor unless said otherwise."""

    def as_role(role=Membership.Role.EDITOR):
        client.force_login(MembershipFactory(merchant=merchant, role=role).user)
        return client

    return as_role


@pytest.fixture
def product(merchant):
    return ProductFactory(merchant=merchant, sku="V-1")


def form(**changes):
    fields = {"sku": "N-1", "name": "Tall vase", "name_zh": "高花瓶", "category": "", "price": "19.50"}
    texts = {"description": "", "description_zh": "", "stock": "3", "status": "draft"}
    return fields | texts | changes


def upload(client, product, content=None, name="v.png"):
    address = reverse("catalog:upload_picture", args=[product.pk])
    return client.post(address, {"file": SimpleUploadedFile(name, content or picture_bytes())})


def send(client, address, body=None):
    return client.post(address, json.dumps(body or {}), content_type="application/json")


def test_an_editor_makes_a_product_and_goes_on_to_its_pictures(log_in, merchant):
    shelf = CategoryFactory(merchant=merchant, name="Vases", name_zh="花瓶")
    client = log_in()
    address = reverse("admin:catalog_product_add")
    assert "(CNY)" in client.get(address).content.decode()
    answer = client.post(address, form(category=shelf.pk))
    product = Product.objects.get()
    assert answer["Location"] == reverse("admin:catalog_product_change", args=[product.pk])
    assert (product.merchant, product.category, product.name_zh) == (merchant, shelf, "高花瓶")
    assert Product.objects.filter(matches("高花")).get() == product
    assert AuditEntry.objects.get(action="product-created").merchant == merchant


def test_a_change_is_kept_with_who_did_it_and_the_sku_stays(log_in, product):
    address = reverse("admin:catalog_product_change", args=[product.pk])
    log_in().post(address, form(sku="OTHER", price="21"))
    product.refresh_from_db()
    assert (product.sku, str(product.price), product.status) == ("V-1", "21.00", "draft")
    assert AuditEntry.objects.get(action="product-changed").before["price"] == "19.50"


def test_what_is_wrong_is_said_beside_its_field(log_in, product):
    foreign = CategoryFactory()
    answer = log_in().post(reverse("admin:catalog_product_add"), form(sku=product.sku, price="-1", category=foreign.pk))
    errors = answer.context["adminform"].form.errors
    assert set(errors) == {"sku", "price", "category"}
    assert Product.objects.count() == 1


def test_viewers_look_and_change_nothing(log_in, product):
    image = add_picture(product=product, upload=picture_bytes())
    client = log_in(Membership.Role.VIEWER)
    page = client.get(reverse("admin:catalog_product_change", args=[product.pk])).content.decode()
    assert 'id="pictures"' in page
    assert 'id="picture-drop"' not in page
    assert client.get(reverse("admin:catalog_product_add")).status_code == 403
    assert client.post(reverse("admin:catalog_product_change", args=[product.pk]), form()).status_code == 403
    assert upload(client, product).status_code == 403
    for name in ("describe_picture", "remove_picture"):
        assert send(client, reverse(f"catalog:{name}", args=[image.pk])).status_code == 403
    order = reverse("catalog:order_pictures", args=[product.pk])
    assert send(client, order, {"ids": [image.pk]}).json()["error"]["code"] == "role-too-low"
    client.post(reverse("catalog:archive", args=[product.pk]))
    client.post(reverse(LIST), {"action": "archive", "_selected_action": [product.pk]})
    product.refresh_from_db()
    assert product.status == "published"


def test_another_shops_products_and_pictures_do_not_exist(log_in):
    foreign = ProductFactory()
    image = add_picture(product=foreign, upload=picture_bytes())
    client = log_in(Membership.Role.OWNER)
    assert upload(client, foreign).status_code == 404
    for name, pk in (("order_pictures", foreign.pk), ("describe_picture", image.pk), ("remove_picture", image.pk)):
        assert send(client, reverse(f"catalog:{name}", args=[pk]), {"ids": []}).status_code == 404
    assert client.post(reverse("catalog:archive", args=[foreign.pk])).status_code == 404
    assert client.get(reverse("admin:catalog_product_change", args=[foreign.pk])).status_code == 302


def test_a_new_product_goes_into_the_shop_at_hand_or_the_named_one(client, merchant):
    other = MembershipFactory(role=Membership.Role.EDITOR, merchant__name="Z other")
    MembershipFactory(merchant=merchant, user=other.user, role=Membership.Role.EDITOR)
    looked_at = MembershipFactory(user=other.user, role=Membership.Role.VIEWER, merchant__name="Z only looked at")
    client.force_login(other.user)
    address = reverse("admin:catalog_product_add")
    client.post(address, form())
    assert Product.objects.get().merchant == merchant
    client.post(f"{address}?merchant={other.merchant_id}", form())
    assert Product.objects.filter(merchant=other.merchant).count() == 1
    client.post(f"{address}?merchant={looked_at.merchant_id}", {**form(), "sku": "NEW-2"})
    assert not Product.objects.filter(merchant=looked_at.merchant).exists()


def test_whoever_sees_all_shops_at_once_is_asked_for_which(client, merchant):
    client.force_login(UserFactory(is_superuser=True))
    page = client.get(reverse("admin:catalog_product_add")).content.decode()
    assert f"?merchant={merchant.pk}" not in page  # the only one there is
    second = MerchantFactory()
    page = client.get(reverse("admin:catalog_product_add")).content.decode()
    assert f"?merchant={second.pk}" in page


def test_dropped_files_are_answered_one_by_one(log_in, product):
    client = log_in()
    added = upload(client, product).json()
    assert (added["outcome"], added["count"], added["picture"]["size"]) == ("added", 1, "64 × 48")
    assert upload(client, product).json()["outcome"] == "duplicate"
    rejected = upload(client, product, b"not a picture").json()
    assert (rejected["outcome"], rejected["code"]) == ("rejected", "picture-unknown")
    assert client.post(reverse("catalog:upload_picture", args=[product.pk])).json()["error"]["code"] == "nothing-chosen"


def test_pictures_are_ordered_described_and_removed(log_in, product, django_capture_on_commit_callbacks):
    first, second = (add_picture(product=product, upload=picture_bytes(color=(n, 90, 9))) for n in (10, 200))
    client = log_in()
    order = reverse("catalog:order_pictures", args=[product.pk])
    assert send(client, order, {"ids": [second.pk, first.pk]}).json() == {"ids": [second.pk, first.pk]}
    assert send(client, order, {"ids": "x"}).json()["error"]["code"] == "bad-order"
    saved = send(client, reverse("catalog:describe_picture", args=[first.pk]), {"alt_text": " A  red vase "})
    assert saved.json() == {"alt_text": "A red vase"}
    with django_capture_on_commit_callbacks(execute=True):
        assert send(client, reverse("catalog:remove_picture", args=[second.pk])).json() == {"count": 1}
    assert list(product.images.values_list("pk", "position")) == [(first.pk, 0)]
    assert not default_storage.exists(second.file.name)
    assert not default_storage.exists(second.original.name)


def test_a_file_that_another_product_shows_is_kept(log_in, merchant, product, django_capture_on_commit_callbacks):
    kept = add_picture(product=ProductFactory(merchant=merchant), upload=picture_bytes())
    gone = add_picture(product=product, upload=picture_bytes())
    with django_capture_on_commit_callbacks(execute=True):
        send(log_in(), reverse("catalog:remove_picture", args=[gone.pk]))
    assert ProductImage.objects.get() == kept
    assert default_storage.exists(kept.file.name)


def test_the_page_says_which_pictures_look_alike_and_what_was_made_of_them(log_in, merchant, product):
    twin = ProductFactory(merchant=merchant, name="Twin")
    stranger = ProductFactory(name="Stranger")
    for one in (product, twin, stranger):
        add_picture(product=one, upload=picture_bytes())
    page = log_in().get(reverse("admin:catalog_product_change", args=[product.pk]))
    assert [other["name"] for other in page.context["pictures"][0]["alike"]] == ["Twin"]
    assert page.context["pictures"][0]["uses"] == ""


def test_archiving_many_can_be_taken_back(log_in, merchant):
    live = ProductFactory.create_batch(2, merchant=merchant)
    draft = ProductFactory(merchant=merchant, status="draft")
    client = log_in()
    chosen = [product.pk for product in [*live, draft]]
    page = client.post(reverse(LIST), {"action": "archive", "_selected_action": chosen}, follow=True).content.decode()
    assert set(Product.objects.values_list("status", flat=True)) == {"archived"}
    [entries] = client.session["catalog-undo"].values()
    assert entries == [AuditEntry.objects.get(action="products-archived").pk], "however many products there were"
    undo = page.split('class="ct-undo"')[0].rsplit('action="', 1)[1].split('"')[0]
    client.post(undo)
    assert list(Product.objects.order_by("pk").values_list("status", flat=True)) == ["published", "published", "draft"]
    assert "no longer be undone" in client.post(undo, follow=True).content.decode()


def test_the_buttons_on_a_products_own_page(log_in, product):
    client = log_in()
    client.post(reverse("catalog:archive", args=[product.pk]))
    product.refresh_from_db()
    assert product.status == "archived"
    page = client.get(reverse("admin:catalog_product_change", args=[product.pk])).content.decode()
    client.post(reverse("catalog:publish", args=[product.pk]))
    product.refresh_from_db()
    assert (reverse("catalog:publish", args=[product.pk]) in page, product.status) == (True, "published")


def test_categories_are_made_renamed_and_removed(log_in, merchant):
    client = log_in()
    client.post(reverse("admin:catalog_category_add"), {"name": "Vases", "name_zh": "花瓶", "slug": "", "position": 1})
    category = Category.objects.get()
    assert (category.merchant, category.slug) == (merchant, "vases")
    product = ProductFactory(merchant=merchant, category=category)
    address = reverse("admin:catalog_category_change", args=[category.pk])
    client.post(address, {"name": "Jugs", "name_zh": "水壶", "slug": "vases", "position": 1})
    assert Product.objects.filter(matches("水壶")).get() == product
    client.post(reverse("admin:catalog_category_delete", args=[category.pk]), {"post": "yes"})
    product.refresh_from_db()
    assert product.category is None
    assert not Product.objects.filter(matches("水壶")).exists()


def test_two_categories_of_a_shop_never_share_an_address(log_in, merchant):
    CategoryFactory(merchant=merchant, slug="vases")
    client = log_in()
    body = {"name": "Vases", "name_zh": "", "slug": "vases", "position": 0}
    errors = client.post(reverse("admin:catalog_category_add"), body).context["adminform"].form.errors
    assert set(errors) == {"slug"}
    client.post(reverse("admin:catalog_category_add"), body | {"slug": ""})
    assert Category.objects.order_by("pk").last().slug == "vases-2"


def test_the_category_field_offers_the_products_own_shop_alone(log_in, client, merchant):
    mine = CategoryFactory(merchant=merchant, name="Vases")
    second = MembershipFactory(role=Membership.Role.EDITOR)
    MembershipFactory(merchant=merchant, user=second.user, role=Membership.Role.EDITOR)
    CategoryFactory(merchant=second.merchant, name="Vases elsewhere")
    client.force_login(second.user)
    query = {"app_label": "catalog", "model_name": "product", "field_name": "category", "term": "vas"}
    found = client.get(reverse("admin:autocomplete"), query | {"shop": merchant.pk}).json()["results"]
    assert [row["id"] for row in found] == [str(mine.pk)]


def test_lists_are_searched_and_filtered(log_in, merchant, product):
    with_picture = ProductFactory(merchant=merchant, name="Pictured")
    for color in ((1, 2, 3), (200, 2, 3)):
        add_picture(product=with_picture, upload=picture_bytes(color=color))
    client = log_in()

    def shown(**query):
        return [row.pk for row in client.get(reverse(LIST), query).context["cl"].result_list]

    assert shown(pictures="some") == [with_picture.pk]
    assert shown(pictures="none") == [product.pk]
    assert shown(status__exact="archived") == []


@pytest.mark.parametrize("name", ["product", "category", "auditentry", "importrun"])
def test_lists_cost_the_same_for_thirty_rows_as_for_three_hundred(
    log_in, merchant, name, django_assert_max_num_queries
):
    shelves = CategoryFactory.create_batch(4, merchant=merchant)
    Product.objects.bulk_create(
        ProductFactory.build(merchant=merchant, category=shelves[number % 4]) for number in range(30)
    )
    client = log_in()
    address = reverse(f"admin:catalog_{name}_changelist")
    with django_assert_max_num_queries(18) as few:
        assert client.get(address).status_code == 200
    Product.objects.bulk_create(
        ProductFactory.build(merchant=merchant, category=shelves[number % 4]) for number in range(270)
    )
    with django_assert_max_num_queries(len(few)):
        assert client.get(address).status_code == 200


def test_a_description_is_as_long_as_an_import_takes_and_no_longer(log_in):
    client = log_in()
    address = reverse("admin:catalog_product_add")
    answer = client.post(address, form(description="x" * 20_001, description_zh="字" * 20_001))
    assert set(answer.context["adminform"].form.errors) == {"description", "description_zh"}
    assert not Product.objects.exists()
    client.post(address, form(description="x" * 20_000))
    assert len(Product.objects.get().description) == 20_000
