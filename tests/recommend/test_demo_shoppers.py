"""The demo's last step on a real web server: two browsers agree, look around, and come home to different pages."""

from __future__ import annotations

import pytest

from stylerec_site.demo import crowd, two_shoppers
from stylerec_site.processes import free_port
from tests.recommend.shops import open_fitted_shop


@pytest.mark.worker
def test_the_demos_two_shoppers_come_home_to_different_pages(processes, capsys):
    shop = open_fitted_shop(products=48)
    port = free_port(8300)
    processes.start_web(port=port, workers=1)
    address = f"http://127.0.0.1:{port}"

    two_shoppers.compare_two_shoppers(shop.merchant, shop.styles, address, crowd.Api(address, "unused"))

    assert "events flowed back" in capsys.readouterr().out
