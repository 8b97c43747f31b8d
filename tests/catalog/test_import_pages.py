"""Importing in the admin: upload, look, confirm, watch, take only the bad rows home; and exporting what is shown."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from catalog.models import ImportDraft, ImportRun, Membership, Product
from catalog.services.import_rows import COLUMNS
from catalog.services.pictures import add_picture
from catalog.tables import read_table
from jobs.tasks import run
from tests.catalog.factories import CategoryFactory, MembershipFactory, MerchantFactory, ProductFactory, picture_bytes

pytestmark = pytest.mark.django_db

HEADER = "sku,name,name_zh,category,price,images\n"


@pytest.fixture
def merchant():
    return MerchantFactory()


@pytest.fixture
def log_in(client, merchant):
    """Log a member of the shop in; an editor unless said otherwise."""

    def as_role(role=Membership.Role.EDITOR):
        client.force_login(MembershipFactory(merchant=merchant, role=role).user)
        return client

    return as_role


def table(*lines, name="products.csv"):
    return SimpleUploadedFile(name, (HEADER + "\n".join(lines)).encode())


def zip_of(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"{name}.png", content)
    return SimpleUploadedFile("pictures.zip", buffer.getvalue())


def upload(client, *lines, **files):
    """Upload a table; the page that comes then."""
    answer = client.post(reverse("catalog:import"), {"table": table(*lines), **files})
    assert answer.status_code == 302, answer.context["form"].errors
    return answer["Location"]


def confirm(client, draft):
    answer = client.post(reverse("catalog:confirm_import", args=[draft.pk]))
    job = ImportRun.objects.get()
    assert answer["Location"] == reverse("catalog:import_run", args=[job.pk])
    return job


def test_the_page_says_what_would_happen_and_nothing_has(log_in, merchant):
    ProductFactory(merchant=merchant, sku="V-1", name="Vase", name_zh="花瓶", price="19.50")
    page = log_in().get(upload(log_in(), "V-1,Vase,花瓶,,21,", "N-1,New,新,,5,", "B-1,Bad,,,abc,")).context
    planned = page["planned"]
    assert [len(rows) for rows in (planned.new, planned.changed, planned.bad)] == [1, 1, 1]
    assert page["changed"][0][1] == {"price": ("19.50", "21.00")}
    assert Product.objects.count() == 1
    assert not ImportRun.objects.exists()


def test_confirming_imports_in_the_background_and_the_page_tells(log_in, merchant):
    client = log_in()
    upload(client, "N-1,New,新,Vases,5,", "B-1,Bad,,,abc,")
    job = confirm(client, ImportDraft.objects.get())
    state = client.get(reverse("catalog:import_state", args=[job.pk])).json()
    assert (state["status"], state["finished"]) == ("queued", False)
    run(str(job.pk))
    assert client.get(reverse("catalog:import_state", args=[job.pk])).json()["finished"] is True
    page = client.get(reverse("catalog:import_run", args=[job.pk]))
    assert (page.context["problem_count"], page.context["run"].rows_new) == (1, 1)
    assert Product.objects.get(merchant=merchant).sku == "N-1"
    assert not ImportDraft.objects.exists()
    assert not default_storage.exists(job.source.name)


def test_a_draft_is_confirmed_once(log_in):
    client = log_in()
    upload(client, "N-1,New,,,5,")
    address = reverse("catalog:confirm_import", args=[ImportDraft.objects.get().pk])
    assert client.post(address).status_code == 302
    assert client.post(address).status_code == 404
    assert ImportRun.objects.count() == 1


def test_pictures_come_in_a_zip_of_their_own_by_name_or_by_sku(log_in):
    client = log_in()
    named, by_sku = picture_bytes(color=(1, 2, 3)), picture_bytes(color=(250, 2, 3))
    address = upload(client, "N-1,New,,,5,a.png|gone.png", "N-2,Two,,,5,", pictures=zip_of(a=named, **{"N-2": by_sku}))
    page = client.get(address).context
    assert page["planned"].pictures == 2
    assert [row.picture_problems[0].code for row in page["picture_problems"]] == ["picture-missing"]
    job = confirm(client, ImportDraft.objects.get())
    run(str(job.pk))
    assert {product.sku: product.images.count() for product in Product.objects.all()} == {"N-1": 1, "N-2": 1}


def test_only_the_bad_rows_come_back_and_can_be_mended(log_in):
    client = log_in()
    address = upload(client, "G-1,Good,,,5,", "B-1,=Bad,,,abc,")
    draft = ImportDraft.objects.get()
    before = client.get(reverse("catalog:draft_problems", args=[draft.pk, "csv"]))
    job = confirm(client, draft)
    run(str(job.pk))
    for kind in ("csv", "xlsx"):
        download = client.get(reverse("catalog:import_problems", args=[job.pk, kind]))
        assert download["Content-Disposition"] == f'attachment; filename="problems.{kind}"'
        rows = read_table(download.content, required=("sku", "problem"))
        assert [(row["sku"], row["name"], row["price"], row["row"]) for _n, row in rows] == [
            ("B-1", "=Bad", "abc", "3")
        ]
        assert "no price" in rows[0][1]["problem"]
    assert b"'=Bad" in before.content
    assert address.startswith("/admin/catalog/import/draft/")


def test_what_cannot_be_read_at_all_is_said_at_once_and_not_kept(log_in):
    client = log_in()
    broken = {"table": SimpleUploadedFile("t.csv", b"sku,name\nA,B\n")}
    assert "price" in str(client.post(reverse("catalog:import"), broken).context["form"].errors)
    no_zip = {"table": table("N-1,New,,,5,"), "pictures": SimpleUploadedFile("p.zip", b"PK nonsense")}
    assert client.post(reverse("catalog:import"), no_zip).context["form"].errors
    assert not ImportDraft.objects.exists()


def test_discarding_forgets_the_upload(log_in, django_capture_on_commit_callbacks):
    client = log_in()
    upload(client, "N-1,New,,,5,")
    draft = ImportDraft.objects.get()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("catalog:discard_import", args=[draft.pk]))
    assert not ImportDraft.objects.exists()
    assert not default_storage.exists(draft.source.name)


def test_drafts_that_nobody_confirmed_are_forgotten(log_in):
    client = log_in()
    upload(client, "N-1,New,,,5,")
    ImportDraft.objects.update(created_at=timezone.now() - timedelta(days=2))
    upload(client, "N-2,New,,,5,")
    assert ImportDraft.objects.count() == 1


def test_viewers_import_nothing_and_strangers_find_nothing(log_in, client, merchant):
    editor = log_in()
    upload(editor, "N-1,New,,,5,")
    draft = ImportDraft.objects.get()
    viewer = log_in(Membership.Role.VIEWER)
    assert "Your role may look" in viewer.get(reverse("catalog:import")).content.decode()
    for name in ("confirm_import", "discard_import"):
        viewer.post(reverse(f"catalog:{name}", args=[draft.pk]))
    assert ImportDraft.objects.count() == 1
    job = confirm(log_in(), draft)
    assert log_in(Membership.Role.VIEWER).post(reverse("catalog:cancel_import", args=[job.pk])).status_code == 302
    job.refresh_from_db()
    assert job.status == "queued"
    client.force_login(MembershipFactory().user)
    for name in ("import_run", "import_state"):
        assert client.get(reverse(f"catalog:{name}", args=[job.pk])).status_code == 404
    assert client.get(reverse("catalog:import_problems", args=[job.pk, "csv"])).status_code == 404
    assert client.post(reverse("catalog:cancel_import", args=[job.pk])).status_code == 404


def test_a_page_imports_into_the_shop_that_it_was_opened_for(log_in, merchant):
    """Another tab has switched to another shop meanwhile; whoever may no longer import there is told, not left to guess."""
    client = log_in()
    user = merchant.memberships.get().user
    other = MembershipFactory(user=user, role=Membership.Role.EDITOR, merchant__slug="other").merchant
    client.post(reverse("catalog:switch_shop"), {"shop": "other"})
    answer = client.post(reverse("catalog:import"), {"merchant": merchant.pk, "table": table("N-1,New,,,5,")})
    assert answer.status_code == 302
    assert ImportDraft.objects.get().merchant == merchant
    client.post(reverse("catalog:switch_shop"), {"shop": "other"})
    merchant.memberships.all().delete()
    answer = client.post(reverse("catalog:import"), {"merchant": merchant.pk, "table": table("N-1,New,,,5,")})
    assert "You may not import into the shop" in answer.content.decode()
    assert not ImportDraft.objects.filter(merchant=other).exists()


def test_an_import_is_cancelled_and_tried_again(log_in):
    client = log_in()
    upload(client, "N-1,New,,,5,")
    job = confirm(client, ImportDraft.objects.get())
    for name, status in (("cancel_import", "cancelled"), ("retry_import", "queued")):
        client.post(reverse(f"catalog:{name}", args=[job.pk]))
        job.refresh_from_db()
        assert job.status == status


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_template_has_every_column(log_in, kind):
    content = log_in().get(reverse("catalog:import_template", args=[kind])).content
    assert (b"PK" if kind == "xlsx" else "\ufeffsku,name".encode()) == content[: 2 if kind == "xlsx" else 11]
    if kind == "csv":
        assert content.decode("utf-8-sig").strip().split(",") == list(COLUMNS)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_export_is_what_the_list_shows_and_imports_without_a_change(log_in, merchant, kind):
    shelf = CategoryFactory(merchant=merchant, name="Vases", name_zh="花瓶")
    product = ProductFactory(merchant=merchant, sku="=V-1", name="-Vase", category=shelf, price="19.50")
    add_picture(product=product, upload=picture_bytes())
    ProductFactory(merchant=merchant, sku="D-1", status="draft")
    ProductFactory(sku="foreign")
    client = log_in()
    address = reverse("admin:catalog_product_export", args=[kind])
    content = client.get(address, {"status__exact": "published"}).content
    rows = [row for _number, row in read_table(content, required=COLUMNS)]
    assert [(row["sku"], row["name"], row["price"], row["category"]) for row in rows] == [
        ("=V-1", "-Vase", "19.50" if kind == "csv" else "19.5", "Vases")
    ]
    assert rows[0]["images"].startswith("http://testserver/media/pictures/")
    answer = client.post(reverse("catalog:import"), {"table": SimpleUploadedFile(f"p.{kind}", content)})
    assert len(client.get(answer["Location"]).context["planned"].unchanged) == 1
    run(str(confirm(client, ImportDraft.objects.get()).pk))
    assert product.images.count() == 1
    assert ImportRun.objects.get().problems == []


def test_the_list_of_imports_leads_to_each_ones_page(log_in):
    client = log_in()
    upload(client, "N-1,New,,,5,")
    job = confirm(client, ImportDraft.objects.get())
    assert client.get(reverse("admin:catalog_importrun_changelist"), {"q": "products"}).context["cl"].result_count == 1
    page = client.get(reverse("admin:catalog_importrun_change", args=[job.pk]))
    assert page["Location"] == reverse("catalog:import_run", args=[job.pk])
    assert client.get(reverse("admin:catalog_importrun_add"))["Location"] == reverse("catalog:import")
