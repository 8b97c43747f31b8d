"""Importing a table and pictures: counted, repeatable, and every problem named."""

from __future__ import annotations

import io
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from catalog.models import ImportRun, Membership, Merchant, Product, ProductImage
from catalog.services import import_rows
from catalog.services.import_runs import start_import
from catalog.services.import_sources import open_source
from catalog.services.imports import apply, plan
from jobs.errors import UserError
from jobs.tasks import run
from tests.catalog.factories import MembershipFactory, MerchantFactory, UserFactory, picture_bytes

pytestmark = pytest.mark.django_db

HEADER = "sku,name,name_zh,category,price,description,images\n"
GOOD = "V-1,Vase,花瓶,Vases,19.50,Tall,v1.jpg|v2.jpg\nB-1,Bowl,碗,Bowls,8,Round,b1.jpg\n"


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "products.csv").write_text(HEADER + GOOD, encoding="utf-8")
    for index, name in enumerate(("v1.jpg", "v2.jpg", "b1.jpg")):
        (tmp_path / name).write_bytes(picture_bytes(color=(40 * index + 20, 90, 120)))
    return tmp_path


def zipped(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for file in folder.iterdir():
            archive.write(file, f"shop/{file.name}")
    return buffer.getvalue()


def codes_of(planned) -> dict[int, list[str]]:
    return {
        row.number: [problem.code for problem in row.problems + row.picture_problems]
        for row in planned.rows
        if row.problems or row.picture_problems
    }


def test_a_folder_becomes_products_with_ordered_pictures(folder):
    merchant = MerchantFactory()
    planned = apply(merchant=merchant, source=open_source(folder))
    assert (len(planned.new), len(planned.bad)) == (2, 0)
    vase = Product.objects.get(merchant=merchant, sku="V-1")
    assert (vase.name_zh, vase.price, vase.category.name) == ("花瓶", Decimal("19.50"), "Vases")
    assert vase.images.count() == 2
    assert Product.objects.filter(search_text__contains=" 花瓶 ").get() == vase


def test_importing_twice_changes_nothing(folder):
    merchant = MerchantFactory()
    apply(merchant=merchant, source=open_source(folder))
    again = apply(merchant=merchant, source=open_source(folder))
    assert (len(again.new), len(again.changed), len(again.unchanged)) == (0, 0, 2)
    assert ProductImage.objects.count() == 3


def test_a_plan_says_what_would_change_and_changes_nothing(folder):
    merchant = MerchantFactory()
    apply(merchant=merchant, source=open_source(folder))
    (folder / "products.csv").write_text(HEADER + GOOD.replace("19.50", "21"), encoding="utf-8")
    planned = plan(merchant=merchant, source=open_source(folder))
    assert [(row.sku, changes) for row, changes in planned.changed] == [("V-1", {"price": ("19.50", "21.00")})]
    assert Product.objects.get(sku="V-1").price == Decimal("19.50")


def test_bad_rows_are_named_and_good_ones_imported(folder):
    rows = "V-1,Vase,,,12,,\n,Nameless,,,1,,\nV-1,Again,,,2,,\nX-1,Cheap,,,-3,,\nX-2,Odd,,,abc,,\nX-3,,,,5,,\n"
    (folder / "products.csv").write_text(HEADER + rows, encoding="utf-8")
    merchant = MerchantFactory()
    planned = apply(merchant=merchant, source=open_source(folder))
    assert codes_of(planned) == {
        3: ["sku-missing"],
        4: ["sku-repeated"],
        5: ["price-out-of-range"],
        6: ["price-unreadable"],
        7: ["name-missing"],
    }
    assert list(Product.objects.values_list("sku", flat=True)) == ["V-1"]


def test_a_broken_or_missing_picture_never_blocks_its_row(folder):
    (folder / "v1.jpg").write_bytes(b"not a picture")
    (folder / "b1.jpg").unlink()
    merchant = MerchantFactory()
    planned = apply(merchant=merchant, source=open_source(folder))
    assert Product.objects.filter(merchant=merchant).count() == 2
    codes = codes_of(planned)
    assert codes[3] == ["picture-missing"]
    assert len(codes[2]) == 1
    assert Product.objects.get(sku="V-1").images.count() == 1


def test_pictures_named_after_the_sku_find_their_product(folder):
    (folder / "products.csv").write_text("sku,name,price\nV-1,Vase,3\n", encoding="utf-8")
    (folder / "v1.jpg").rename(folder / "V-1.jpg")
    (folder / "v2.jpg").rename(folder / "V-1-2.jpg")
    apply(merchant=MerchantFactory(), source=open_source(folder))
    assert list(Product.objects.get(sku="V-1").images.values_list("position", flat=True)) == [0, 1]


def test_a_missing_column_is_named(folder):
    (folder / "products.csv").write_text("sku,name\nV-1,Vase\n", encoding="utf-8")
    with pytest.raises(UserError, match="price"):
        plan(merchant=MerchantFactory(), source=open_source(folder))


def test_a_folder_without_a_table_says_what_to_do(tmp_path):
    with pytest.raises(UserError) as refused:
        open_source(tmp_path)
    assert refused.value.code == "no-table"


def test_an_uploaded_zip_is_imported_by_its_job(folder, settings):
    membership = MembershipFactory()
    upload = SimpleUploadedFile("shop.zip", zipped(folder))
    job = start_import(merchant=membership.merchant, upload=upload, actor=membership.user)
    assert (job.rows_total, job.rows_new) == (2, 2)
    run(str(job.pk))
    job = ImportRun.objects.get(pk=job.pk)
    expected = {"new": 2, "changed": 0, "bad": 0, "pictures": 3, "without_all_pictures": 0}
    assert (job.status, job.result) == ("succeeded", expected), job.error_message
    assert Product.objects.get(sku="V-1").images.count() == 2


def test_the_command_imports_into_the_only_shop(folder, capsys):
    MerchantFactory(slug="kiln")
    call_command("import_catalog", str(folder))
    assert "kiln: 2 new, 0 changed, 0 unchanged, 0 bad" in capsys.readouterr().out


def test_the_command_opens_the_shop_that_is_named(folder, capsys):
    owner = UserFactory(username="mei")
    call_command("import_catalog", str(folder), "--merchant", "kiln", "--owner", "mei", "--dry-run")
    assert not Merchant.objects.exists()
    call_command("import_catalog", str(folder), "--merchant", "kiln", "--owner", "mei")
    assert Membership.objects.get(user=owner).merchant.products.count() == 2
    with pytest.raises(CommandError, match="There is no user “tom”"):
        call_command("import_catalog", str(folder), "--merchant", "other", "--owner", "tom")


def test_the_command_needs_neither_shop_nor_user(folder, capsys):
    call_command("import_catalog", str(folder))
    assert Merchant.objects.get().products.count() == 2
    assert "createsuperuser" in capsys.readouterr().err


def test_the_command_says_what_is_wrong(tmp_path):
    MerchantFactory()
    with pytest.raises(CommandError, match=r"products\.csv"):
        call_command("import_catalog", str(tmp_path))
    with pytest.raises(CommandError, match="There is no"):
        call_command("import_catalog", str(tmp_path / "nowhere"))


def test_every_column_of_the_contract_is_read():
    assert {"sku", "name", "name_zh", "category", "price", "description", "images"} <= set(import_rows.COLUMNS)
