"""The shop's log goes out and is replayed: the same choices, the same propensities, and nobody in it."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from recommend.engine.replay import read_choices
from recommend.models import Interaction, Slate
from recommend.services import shoppers
from tests.recommend.shops import open_fitted_shop, open_shop, shown, visitor, walk

pytestmark = pytest.mark.django_db


def export(shop, path, **options):
    out = io.StringIO()
    call_command("export_replay_log", merchant=shop.merchant.slug, out=path, stdout=out, **options)
    return out.getvalue()


def logged(shop, *, count: int, clicked: int, style: int | None, propensity: float, hours: float = 24) -> list[Slate]:
    """Slates of one product that was shown so, of which the first ``clicked`` were clicked."""
    shopper = shoppers.grant_consent(merchant=shop.merchant, visitor_id="anna@example.test")
    product = shop.products()[0]
    item = {"product": product.pk, "style": style, "rendering": 9 if style else None, "score": 1.0, "reason": "x",
            "source": None, "propensity": propensity, "known": 0.5, "share": 0.25 if style else 0.75,
            "among": [[0, 0.75], [7, 0.25]]}  # fmt: skip
    slates = Slate.objects.bulk_create(
        Slate(merchant=shop.merchant, shopper=shopper, slot="home", items=[item]) for _ in range(count)
    )
    Slate.objects.filter(pk__in=[s.pk for s in slates]).update(created_at=timezone.now() - timedelta(hours=hours))
    Interaction.objects.bulk_create(
        Interaction(merchant=shop.merchant, shopper=shopper, product=product, kind="click", slate_id=slate.pk)
        for slate in slates[:clicked]
    )
    return slates


def test_what_is_replayed_from_the_export_is_what_the_shop_really_earned(tmp_path):
    shop = open_shop(products=2)
    # Each half: the original was shown in 80 % and clicked in 10 % of it, the style in 20 % and clicked in half of it.
    for half in (48, 24):
        logged(shop, count=800, clicked=80, style=None, propensity=0.8, hours=half)
        logged(shop, count=200, clicked=100, style=7, propensity=0.2, hours=half)
    path = tmp_path / "choices.jsonl"
    said = export(shop, path)
    replayed = io.StringIO()
    call_command("replay_policy", log=[path], json=True, stdout=replayed)
    result = json.loads(replayed.getvalue().splitlines()[-1])

    assert said.strip() == "2000 choices, 360 with a response."
    assert result["choices"] == 1000
    assert result["on_policy"]["value"] == pytest.approx(0.18)
    assert result["policies"]["original"]["estimates"]["ips"]["value"] == pytest.approx(0.1)
    assert result["policies"]["uniform"]["estimates"]["ips"]["value"] == pytest.approx((0.1 + 0.5) / 2)


def test_a_line_holds_the_choice_and_nobody(tmp_path):
    shop = open_shop(products=2)
    logged(shop, count=1, clicked=1, style=7, propensity=0.2)
    path = tmp_path / "choices.jsonl"
    export(shop, path)

    (line,) = path.read_text().splitlines()
    assert json.loads(line) == {
        "day": (timezone.localdate(timezone.now() - timedelta(days=1))).isoformat(),
        "slot": "home",
        "context": [0.5],
        "arms": [{"key": "original", "features": [0.0, 0.75]}, {"key": "style-7", "features": [1.0, 0.25]}],
        "chosen": "style-7",
        "propensity": 0.2,
        "reward": 1,
    }
    assert [file.name for file in tmp_path.iterdir()] == ["choices.jsonl"]


def test_the_storefronts_own_slates_go_all_the_way(tmp_path):
    shop = open_fitted_shop(products=8)
    client = visitor(shop)
    walk(client, shop, shelf=0, style=0)
    Slate.objects.all().delete()
    seen = shown(client, shop)
    Slate.objects.update(created_at=timezone.now() - timedelta(hours=1))
    path = tmp_path / "choices.jsonl"
    export(shop, path)
    choices = read_choices([path])

    assert len(choices) == sum(len(slate.items) for slate in Slate.objects.all())
    assert {len(choice.arms) for choice in choices} == {3}
    of_home = [c for c, line in zip(choices, path.read_text().splitlines(), strict=True) if '"slot": "home"' in line]
    assert [c.arms[c.chosen].key for c in of_home] == [f"style-{style}" if style else "original" for _, style in seen]


def test_slates_that_are_too_young_or_know_no_alternatives_are_left_out(tmp_path):
    shop = open_shop(products=2)
    logged(shop, count=1, clicked=0, style=7, propensity=0.2, hours=0.1)
    (old,) = logged(shop, count=1, clicked=0, style=7, propensity=0.2)
    old.items[0].pop("among")
    Slate.objects.filter(pk=old.pk).update(items=old.items)

    assert export(shop, tmp_path / "x.jsonl").splitlines() == [
        "0 choices, 0 with a response.",
        "1 left out: logged without what else could have been shown.",
    ]


def test_an_unknown_shop_or_place_is_said_in_a_sentence(tmp_path):
    shop = open_shop(products=2)
    with pytest.raises(CommandError, match="no shop"):
        call_command("export_replay_log", merchant="nobody", out=tmp_path / "x.jsonl")
    with pytest.raises(CommandError, match="cannot be written"):
        export(shop, tmp_path / "missing" / "x.jsonl")
