"""Sets of creatives: asked for, drawn by a worker, drawn again, changed, deleted; and who may."""

from __future__ import annotations

import csv
import io
import zipfile
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import reverse
from PIL import Image

from catalog.models import AuditEntry, Membership, Product
from catalog.services.renditions import files_of
from jobs.errors import Conflict, NotAllowed, UserError
from jobs.models import Job
from recommend.creatives import drawing_job
from recommend.creatives.brief import Brief
from recommend.creatives.drawing.formats import FORMATS
from recommend.creatives.models import Creative, CreativeRun, CreativeSet, TrackedLink
from recommend.creatives.services import sets
from tests.catalog.factories import ProductFactory, picture_bytes
from tests.recommend.creatives import add_photo, draw, make_set, shop_with
from tests.styling.factories import StyledImageFactory, StyleFactory, StyleModelFactory

pytestmark = pytest.mark.django_db


def open_creative(creative: Creative) -> Image.Image:
    with default_storage.open(str(creative.file.name), "rb") as file, Image.open(file) as opened:
        return opened.convert("RGB")


class TestDrawing:
    def test_a_worker_draws_every_product_in_every_format(self):
        merchant, user = shop_with(products=2)
        made = make_set(merchant, user, formats=["square", "landscape"])
        run = draw(made)
        assert run.status == Job.Status.SUCCEEDED
        assert run.result == {"drawn": 4, "problems": 0}
        drawn = made.creatives.all()
        assert {(creative.sku, creative.format) for creative in drawn} == {
            (product.sku, code) for product in merchant.products.all() for code in ("square", "landscape")
        }
        for creative in drawn:
            form = FORMATS[creative.format]
            assert open_creative(creative).size == (form.width, form.height)
            assert min(creative.report["contrast"].values()) >= 4.5
            assert creative.renditions
        assert TrackedLink.objects.count() == 4

    def test_a_second_attempt_draws_only_what_is_missing(self):
        merchant, user = shop_with(products=1)
        made = make_set(merchant, user, formats=["square", "landscape"])
        run = made.runs.get()
        first = made.creatives.first()
        Creative.objects.filter(pk=first.pk).update(drawn_by=run, file="creatives/kept.jpg")
        draw(made)
        assert made.creatives.get(pk=first.pk).file.name == "creatives/kept.jpg"
        assert made.creatives.exclude(pk=first.pk).get().file.name.startswith("creatives/")

    def test_missing_damaged_and_deleted_say_why_and_stop_nobody(self):
        merchant, user = shop_with(products=4)
        good, without, damaged, deleted = merchant.products.order_by("pk")
        without.images.all().delete()
        default_storage.delete(damaged.images.get().file.name)
        made = make_set(merchant, user)
        deleted_sku = deleted.sku
        deleted.delete()
        run = draw(made)
        assert run.status == Job.Status.SUCCEEDED
        problems = dict(made.creatives.values_list("sku", "problem"))
        assert problems == {
            good.sku: "",
            without.sku: "missing-picture",
            damaged.sku: "unreadable-picture",
            deleted_sku: "deleted-product",
        }

    def test_where_nothing_can_be_drawn_the_run_fails_with_a_reason(self):
        merchant, user = shop_with(photos=False)
        run = draw(make_set(merchant, user))
        assert run.status == Job.Status.FAILED
        assert run.error_code == "nothing-drawn"

    def test_a_style_takes_the_published_rendering_and_nothing_else(self):
        merchant, user = shop_with(products=1)
        photo = merchant.products.get().images.get()
        blue = default_storage.save(
            "renderings/blue.png", io.BytesIO(picture_bytes(size=(300, 300), color=(0, 0, 255)))
        )
        style = StyleFactory(merchant=merchant)
        image = StyledImageFactory(
            style_model=StyleModelFactory(style=style), product_image=photo, status="generated", file=blue
        )
        made = make_set(merchant, user, style=style, layout="split", sign="none")
        assert draw(made).error_code == "nothing-drawn"
        assert made.creatives.get().problem == "no-rendering"
        type(image).objects.filter(pk=image.pk).update(status="published")
        sets.draw_again(creative_set=made, by=user)
        draw(made)
        red, green, bluish = open_creative(made.creatives.get()).getpixel((540, 60))
        assert bluish > 200
        assert max(red, green) < 60

    def test_drawing_again_keeps_link_and_row_and_drops_the_old_file(self):
        merchant, user = shop_with()
        made = make_set(merchant, user)
        draw(made)
        before = made.creatives.get()
        Product.objects.update(price="77.00")
        sets.draw_again(creative_set=made, by=user, creatives=[before.pk])
        draw(made)
        after = made.creatives.get()
        assert (after.pk, after.link_id) == (before.pk, before.link_id)
        assert after.file.name != before.file.name
        assert default_storage.exists(after.file.name)
        assert not default_storage.exists(before.file.name)

    def test_only_one_drawing_of_a_set_at_a_time(self):
        merchant, user = shop_with()
        made = make_set(merchant, user)
        with pytest.raises(Conflict) as error:
            sets.draw_again(creative_set=made, by=user)
        assert error.value.code == "being-drawn"

    def test_a_cancelled_drawing_keeps_what_it_has(self):
        merchant, user = shop_with()
        made = make_set(merchant, user)
        sets.cancel_drawing(creative_set=made, by=user)
        assert made.runs.get().status == Job.Status.CANCELLED
        assert sets.draw_again(creative_set=made, by=user).status == Job.Status.QUEUED


class TestChanging:
    def test_formats_come_and_go_and_links_stay(self):
        merchant, user = shop_with()
        made = make_set(merchant, user, formats=["square", "story"])
        draw(made)
        kept = made.creatives.get(format="square").link.code
        brief = Brief.from_dict({"formats": ["square", "banner"], "headline": "新的一年", "layout": "framed"})
        sets.change_set(creative_set=made, by=user, brief=brief, style=None)
        draw(made)
        assert set(made.creatives.values_list("format", flat=True)) == {"square", "banner"}
        assert made.creatives.get(format="square").link.code == kept
        assert CreativeSet.objects.get().brief["layout"] == "framed"

    def test_deleting_takes_rows_and_files_but_no_links(self):
        merchant, user = shop_with()
        made = make_set(merchant, user)
        draw(made)
        file = made.creatives.get().file.name
        sets.delete_set(creative_set=made, by=user)
        assert not CreativeSet.objects.exists()
        assert not CreativeRun.objects.exists()
        assert TrackedLink.objects.count() == 1
        assert AuditEntry.objects.filter(action="creatives-deleted").exists()
        assert default_storage.exists(file)  # until the transaction is through

    def test_files_go_when_the_transaction_is_through(self, django_capture_on_commit_callbacks):
        merchant, user = shop_with()
        made = make_set(merchant, user)
        draw(made)
        file = made.creatives.get().file.name
        with django_capture_on_commit_callbacks(execute=True):
            sets.delete_creative(creative=made.creatives.get(), by=user)
        assert not default_storage.exists(file)


class TestAsking:
    @pytest.mark.parametrize("role", [Membership.Role.VIEWER, Membership.Role.REVIEWER])
    def test_viewers_and_reviewers_may_not(self, role):
        merchant, user = shop_with(role=role)
        with pytest.raises(NotAllowed):
            make_set(merchant, user)

    def test_products_and_styles_of_another_shop_are_refused(self):
        merchant, user = shop_with()
        foreign = ProductFactory()
        with pytest.raises(UserError) as error:
            sets.create_set(merchant=merchant, by=user, products=[foreign], brief=Brief())
        assert error.value.code == "mixed-shops"
        with pytest.raises(UserError) as error:
            make_set(merchant, user, style=StyledImageFactory().style)
        assert error.value.code == "bad-style"

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"formats": []}, "no-format"),
            ({"formats": ["billboard"]}, "bad-format"),
            ({"layout": "chaos"}, "bad-layout"),
            ({"accent": "red; }"}, "bad-colour"),
            ({"language": "xx"}, "bad-language"),
            ({"headline": 7}, "bad-brief"),
            ({"show_price": "yes"}, "bad-brief"),
            ({"surprise": 1}, "bad-brief"),
        ],
    )
    def test_a_brief_that_cannot_be_used_is_refused_with_its_reason(self, changes, code):
        with pytest.raises(UserError) as error:
            Brief.from_dict(changes)
        assert error.value.code == code

    def test_a_logo_goes_through_the_door_and_no_other_file_does(self):
        merchant, user = shop_with()
        with pytest.raises(UserError) as error:
            make_set(merchant, user, sign="logo")
        assert error.value.code == "no-logo"
        with pytest.raises(UserError) as error:
            make_set(merchant, user, sign="logo", logo=SimpleUploadedFile("logo.svg", b"<svg onload=alert(1)>"))
        assert error.value.code == "bad-logo"
        logo = SimpleUploadedFile("logo.png", picture_bytes(size=(120, 40)))
        made = make_set(merchant, user, sign="logo", logo=logo)
        assert draw(made).status == Job.Status.SUCCEEDED
        assert "logo" in made.creatives.get().report["texts"]

    def test_hostile_headlines_are_drawn_as_the_plain_text_that_they_are(self):
        merchant, user = shop_with()
        made = make_set(merchant, user, headline="\x00<script>alert(1)</script>\u202e🎉 עברית " + "W" * 500)
        assert draw(made).status == Job.Status.SUCCEEDED
        creative = made.creatives.get()
        assert creative.report["left_out"] == ["🎉"]
        assert "\x00" not in made.brief["headline"]


class TestPages:
    @pytest.fixture
    def shop(self, client):
        merchant, user = shop_with(products=2)
        client.force_login(user)
        return merchant, user

    def test_from_the_form_to_the_zip(self, client, shop):
        merchant, _user = shop
        first, _second = merchant.products.order_by("pk")
        page = client.get(reverse("creatives:new"), {"products": str(first.pk)})
        assert page.status_code == 200
        initial = page.context["form"].initial
        answer = client.post(
            reverse("creatives:new"),
            {
                **{name: value for name, value in initial.items() if value not in (None, False, True)},
                "headline": "<b>Tea</b> 茶",
                "formats": ["square", "banner"],
                "show_price": "on",
                "product": [first.pk],
            },
        )
        made = CreativeSet.objects.get()
        assert answer.headers["Location"] == reverse("creatives:set", args=[made.pk])
        waiting = client.get(answer.headers["Location"])
        assert "/c/" in waiting.content.decode()
        draw(made)
        shown = client.get(answer.headers["Location"]).content.decode()
        assert "<b>Tea</b>" not in shown
        state = client.get(reverse("creatives:state", args=[made.pk])).json()
        assert state["finished"]
        assert all(picture["url"] for picture in state["pictures"].values())
        packed = client.get(reverse("creatives:zip", args=[made.pk]))
        with zipfile.ZipFile(io.BytesIO(b"".join(packed.streaming_content))) as archive:
            names = archive.namelist()
            rows = list(csv.DictReader(io.StringIO(archive.read("links.csv").decode("utf-8-sig"))))
        assert len(names) == 3
        assert {row["file"] for row in rows} == set(names) - {"links.csv"}
        assert all(row["link"].startswith("http://testserver/c/") for row in rows)
        one = client.get(reverse("creatives:download", args=[made.creatives.first().pk]))
        assert b"".join(one.streaming_content)[:2] == b"\xff\xd8"

    def test_products_chosen_in_the_list_are_chosen_here(self, client, shop):
        merchant, _user = shop
        first, _second = merchant.products.order_by("pk")
        answer = client.post(
            reverse("admin:catalog_product_changelist"), {"action": "advertise", "_selected_action": [first.pk]}
        )
        page = client.get(answer.headers["Location"])
        assert [row["product"] for row in page.context["products"] if row["chosen"]] == [first]

    def test_what_is_wrong_stands_in_the_form(self, client, shop):
        answer = client.post(reverse("creatives:new"), {"formats": ["square"], "headline": "a\x00b"})
        assert answer.status_code == 200
        assert "headline" in answer.context["form"].errors
        assert not CreativeSet.objects.exists()

    def test_the_preview_and_the_list_ask_a_constant_number_of_queries(
        self, client, shop, django_assert_max_num_queries
    ):
        merchant, user = shop
        made = make_set(merchant, user, formats=list(FORMATS))
        with django_assert_max_num_queries(14):
            client.get(reverse("creatives:set", args=[made.pk]))
        with django_assert_max_num_queries(16):
            client.get(reverse("admin:creatives_creativeset_changelist"))
        for _number in range(6):
            make_set(merchant, user, formats=list(FORMATS))
        with django_assert_max_num_queries(16):
            client.get(reverse("admin:creatives_creativeset_changelist"))

    def test_the_picker_asks_a_constant_number_of_queries(self, client, shop, django_assert_max_num_queries):
        merchant, _user = shop
        for _number in range(8):
            add_photo(ProductFactory(merchant=merchant))
        with django_assert_max_num_queries(16):
            page = client.get(reverse("creatives:new"))
        assert len(page.context["products"]) == 10

    def test_strangers_find_nothing(self, client, shop):
        merchant, user = shop_with()
        made = make_set(merchant, user)
        for name in ("set", "state", "zip", "figures", "change"):
            assert client.get(reverse(f"creatives:{name}", args=[made.pk])).status_code == 404
        for name in ("again", "cancel", "delete"):
            assert client.post(reverse(f"creatives:{name}", args=[made.pk])).status_code == 404
        creative = made.creatives.get()
        assert client.get(reverse("creatives:download", args=[creative.pk])).status_code == 404
        assert client.post(reverse("creatives:delete_one", args=[creative.pk])).status_code == 404
        assert CreativeSet.objects.filter(pk=made.pk).exists()

    def test_a_viewer_looks_and_changes_nothing(self, client, shop):
        merchant, user = shop
        made = make_set(merchant, user)
        viewer, _ = shop_with(role=Membership.Role.VIEWER)
        looker = Membership.objects.create(
            merchant=merchant, user=viewer.memberships.get().user, role=Membership.Role.VIEWER
        ).user
        client.force_login(looker)
        assert client.get(reverse("creatives:set", args=[made.pk])).status_code == 200
        client.post(reverse("creatives:delete", args=[made.pk]))
        assert CreativeSet.objects.filter(pk=made.pk).exists()


class TestFiles:
    """What two workers of a shop, and two drawings of a creative, do with the files that they share."""

    @staticmethod
    def draw(creative: Creative, content: bytes, *, before=lambda: None) -> Creative:
        """Draw ``content`` as a worker does whose fence is asked for after ``before``."""

        @contextmanager
        def fenced():
            before()
            with transaction.atomic():
                yield

        run = creative.creative_set.runs.get()
        artist = SimpleNamespace(draw=lambda _creative: (content, {}))
        drawing_job._draw(run, creative, artist, SimpleNamespace(fenced=fenced))
        return Creative.objects.get(pk=creative.pk)

    @pytest.fixture
    def creatives(self):
        merchant, user = shop_with(products=2)
        return list(make_set(merchant, user).creatives.order_by("pk"))

    def test_a_file_that_a_row_is_about_to_name_is_not_deleted_by_whoever_stops_naming_it(self, creatives):
        one, other = creatives
        red, blue = picture_bytes(color=(200, 30, 30)), picture_bytes(color=(30, 30, 200))
        other = self.draw(other, red)
        one = self.draw(one, red, before=lambda: self.draw(other, blue))
        for name in (one.file.name, *files_of(one.renditions)):
            assert default_storage.exists(name), name

    def test_a_creative_that_is_drawn_again_leaves_no_copy_of_any_kind(self, creatives):
        first = self.draw(creatives[0], picture_bytes(size=(900, 900), color=(200, 30, 30)))
        again = self.draw(first, picture_bytes(size=(900, 900), color=(30, 30, 200)))
        root = Path(default_storage.path("renditions"))
        assert {f"renditions/{p.relative_to(root)}" for p in root.rglob("*.*")} == set(files_of(again.renditions))
        assert [row["width"] for row in again.renditions] == [128, 240]

    def test_files_are_named_and_forgotten_under_the_lock_of_the_shop(self, creatives, monkeypatch):
        happened: list[str] = []

        @contextmanager
        def naming_files(owner):
            happened.append("locked")
            yield
            happened.append("free")

        def noted(word, verb):
            return lambda *arguments, **options: (happened.append(word), verb(*arguments, **options))[1]

        for module in (drawing_job, sets):
            monkeypatch.setattr(module, "naming_files", naming_files)
        monkeypatch.setattr(drawing_job, "store", noted("stored", drawing_job.store))
        monkeypatch.setattr(Creative.objects, "filter", noted("row", Creative.objects.filter))
        drawn = self.draw(creatives[0], picture_bytes())
        assert happened == ["locked", "stored", "row", "free"]
        happened.clear()
        drawn.delete()
        monkeypatch.setattr(default_storage._wrapped, "delete", noted("deleted", default_storage.delete))
        sets.discard_files(merchant_id=drawn.merchant_id, sha256=drawn.sha256, names=[str(drawn.file.name)])
        assert happened == ["locked", "row", "deleted", "free"]
