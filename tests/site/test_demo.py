"""The demo opens a shop again as its merchant left it; an empty site gets one first account."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model

from recommend.models import Recommender, Shopper, Slate
from stylerec_site.demo import main_job, own_site, shop
from styling.models import StyledImage
from tests.recommend.shops import open_fitted_shop
from tests.styling.factories import StyledImageFactory

pytestmark = pytest.mark.django_db


def test_a_shop_that_was_never_fitted_still_has_its_main_job_ahead():
    assert main_job.reopen() is False
    shop.open_demo_shop()
    assert main_job.reopen() is False


def test_a_complete_shop_is_opened_as_its_merchant_left_it(monkeypatch, capsys):
    merchant = open_fitted_shop().merchant
    shopper = Shopper.objects.filter(merchant=merchant).first()
    Slate.objects.create(merchant=merchant, shopper=shopper, slot="home")
    monkeypatch.setattr(shop, "SLUG", merchant.slug)
    waiting = StyledImageFactory(merchant=merchant, status=StyledImage.Status.GENERATED)

    assert main_job.reopen() is True

    waiting.refresh_from_db()
    assert waiting.status == StyledImage.Status.GENERATED, "what waits for review goes on waiting"
    assert Recommender.objects.filter(merchant=merchant).count() == 1
    assert "without training" in capsys.readouterr().out


def test_an_empty_site_gets_one_account_and_only_once(capsys):
    own_site.open_site("http://127.0.0.1:8000")
    password = capsys.readouterr().out.split("admin / ")[1].split()[0]
    assert get_user_model().objects.get().check_password(password)

    own_site.open_site("http://127.0.0.1:8000")
    assert "admin /" not in capsys.readouterr().out
    assert get_user_model().objects.count() == 1


def test_a_check_of_an_empty_site_is_refused(monkeypatch, capsys):
    from stylerec_site.demo.__main__ import main

    monkeypatch.setattr("sys.argv", ["demo", "--check", "--empty"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "not allowed with" in capsys.readouterr().err
