"""One current shop for whoever works for several: chosen in the header, followed by lists, filters and forms."""

from __future__ import annotations

import pytest
from django.urls import reverse

from catalog.models import Category, Membership
from jobs.models import Job, WorkerPresence
from styling.models import Style
from tests.catalog.factories import CategoryFactory, MembershipFactory, MerchantFactory, ProductFactory, UserFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/catalog/product/"


@pytest.fixture
def user(client):
    user = UserFactory()
    client.force_login(user)
    return user


@pytest.fixture
def shops(user):
    """Two shops of the user: owner at the first by name, viewer at the second."""
    first = MembershipFactory(user=user, merchant__name="A first", merchant__slug="first").merchant
    second = MembershipFactory(
        user=user, merchant__name="B second", merchant__slug="second", role=Membership.Role.VIEWER
    ).merchant
    return first, second


def switch(client, shop, page=LIST):
    return client.post(reverse("catalog:switch_shop"), {"shop": shop, "next": page})


def test_lists_show_the_current_shop_and_the_header_says_which(client, shops):
    for shop in shops:
        ProductFactory(merchant=shop, name=f"Vase of {shop.name}")
        Job.objects.create(kind=f"kind.{shop.slug}", merchant_key=shop.pk)
    page = client.get(LIST).content.decode()
    assert ("Vase of A first" in page, "Vase of B second" in page) == (True, False)
    assert '<span class="sh-name">A first</span>' in page
    assert switch(client, "second").url == LIST
    page = client.get(LIST).content.decode()
    assert ("Vase of A first" in page, "Vase of B second" in page) == (False, True)
    jobs = client.get(reverse("admin:jobs_job_changelist")).content.decode()
    assert ("kind.first" in jobs, "kind.second" in jobs) == (False, True)


def test_the_next_login_opens_the_shop_that_this_one_ended_in(client, user, shops):
    assert switch(client, "second").url == LIST
    client.logout()
    client.force_login(user)
    assert '<span class="sh-name">B second</span>' in client.get(LIST).content.decode()
    Membership.objects.filter(user=user, merchant=shops[1]).delete()
    assert '<span class="sh-name">B second</span>' not in client.get(LIST).content.decode(), (
        "no shop of theirs any more"
    )


def test_a_shop_that_was_just_opened_is_the_one_at_hand(client, shops):
    new = {"name": "Z new", "name_zh": "", "slug": "new", "currency": "EUR", "tagline": "", "tagline_zh": ""}
    page = client.post("/admin/catalog/merchant/add/", new, follow=True).content.decode()
    assert '<span class="sh-name">Z new</span>' in page


def test_filters_and_forms_follow(client, shops):
    first, _second = shops
    for shop in shops:
        ProductFactory(merchant=shop, category=CategoryFactory(merchant=shop, name=f"Shelf of {shop.name}"))
        CategoryFactory(merchant=shop, name=f"Other shelf of {shop.name}")
    page = client.get(LIST).content.decode()
    assert ("Shelf of A first" in page, "Shelf of B second" in page) == (True, False)
    client.post("/admin/catalog/category/add/", {"name": "New shelf", "name_zh": "", "slug": "", "position": 0})
    assert Category.objects.get(name="New shelf").merchant == first
    switch(client, "second")  # only a viewer there
    assert client.get("/admin/catalog/category/add/").status_code == 403
    assert client.get("/admin/catalog/category/").context["cl"].result_count == 2


def test_a_row_of_another_own_shop_opens_and_makes_that_shop_the_current_one(client, shops):
    product = ProductFactory(merchant=shops[1], name="Vase of B second")
    page = client.get(f"{LIST}{product.pk}/change/")
    assert page.status_code == 200
    assert '<span class="sh-name">B second</span>' in page.content.decode()
    assert "Vase of B second" in client.get(LIST).content.decode()


def test_a_job_of_another_own_shop_makes_that_shop_the_current_one_and_the_list_warns_of_its_own_alone(client, shops):
    WorkerPresence.objects.all().delete()
    jobs = [Job.objects.create(kind=f"kind.{shop.slug}", queue=shop.slug, merchant_key=shop.pk) for shop in shops]
    address = reverse("admin:jobs_job_changelist")
    page = client.get(address).content.decode()
    assert ("queue “first”" in page, "queue “second”" in page) == (True, False)
    page = client.get(reverse("admin:jobs_job_change", args=[jobs[1].pk])).content.decode()
    assert '<span class="sh-name">B second</span>' in page
    page = client.get(address).content.decode()
    assert ("queue “first”" in page, "queue “second”" in page) == (False, True)
    assert '<span class="sh-name">B second</span>' in client.get(LIST).content.decode()


@pytest.mark.parametrize("role", [Membership.Role.OWNER, Membership.Role.VIEWER])
@pytest.mark.parametrize(("added", "path"), [(Category, "catalog/category"), (Style, "styling/style")])
def test_a_form_keeps_the_shop_that_it_was_opened_for_while_another_tab_switches(
    client, user, shops, role, added, path
):
    MembershipFactory(user=user, merchant__name="C third", merchant__slug="third", role=role)
    opened = client.get(f"/admin/{path}/add/", follow=True).request
    switch(client, "third")
    address = f"{opened['PATH_INFO']}?{opened['QUERY_STRING']}"
    client.post(address, {"name": "New one", "name_zh": "", "slug": "", "position": 0})
    assert added.objects.get(name="New one").merchant == shops[0]
    assert '<span class="sh-name">A first</span>' in client.get(LIST).content.decode()


def test_another_shop_cannot_be_chosen_and_leaving_one_ends_looking_at_it(client, user, shops):
    foreign = MerchantFactory(name="Foreign", slug="foreign")
    ProductFactory(merchant=foreign, name="Foreign vase")
    for asked in ("foreign", "all", ""):
        switch(client, asked)
        page = client.get(LIST).content.decode()
        assert "Foreign vase" not in page
        assert '<span class="sh-name">A first</span>' in page
    assert '<span class="sh-name">A first</span>' in client.get("/admin/?shop=foreign").content.decode()
    switch(client, "second")
    Membership.objects.filter(user=user, merchant=shops[1]).delete()
    assert '<span class="sh-name">A first</span>' in client.get(LIST).content.decode()


def test_a_superuser_sees_all_shops_until_they_choose_one(client):
    client.force_login(UserFactory(is_superuser=True))
    for name in ("first", "second"):
        ProductFactory(merchant=MerchantFactory(name=name, slug=name), name=f"Vase of {name}")
    page = client.get(LIST).content.decode()
    assert "Vase of first" in page
    assert "Vase of second" in page
    assert '<span class="sh-name">All shops</span>' in page
    switch(client, "second")
    page = client.get(LIST).content.decode()
    assert ("Vase of first" in page, "Vase of second" in page) == (False, True)
    switch(client, "all")
    assert "Vase of first" in client.get(LIST).content.decode()


@pytest.mark.parametrize(
    ("page", "leads_to"),
    [
        ("/admin/catalog/product/?category__id__exact=7", "/admin/catalog/product/"),
        ("/admin/catalog/product/7/change/", "/admin/catalog/product/"),
        ("/admin/styling/review/", "/admin/styling/review/"),
        ("/admin/styling/style/7/train/", "/admin/"),
        ("/admin/no/such/page/", "/admin/"),
        ("https://elsewhere.example/admin/", "/admin/"),
        ("//elsewhere.example/admin/", "/admin/"),
        ("", "/admin/"),
    ],
)
def test_a_switch_leads_to_the_same_page_where_the_other_shop_has_one(client, shops, page, leads_to):
    assert switch(client, "second", page).url == leads_to


def test_whoever_has_one_shop_is_told_which_and_has_nothing_to_switch(client, user):
    MembershipFactory(user=user, merchant__name="Only one")
    page = client.get(LIST).content.decode()
    assert '<span class="sh-name">Only one</span>' in page
    assert "sh-switch" not in page
