"""The storefront's addresses."""

from __future__ import annotations

from django.urls import path, register_converter
from django.urls.converters import IntConverter

from recommend.storefront import listing, pages, purchase, rights, sitemaps


class RowConverter(IntConverter):
    """The id of a row: no longer than any database takes."""

    regex = "[0-9]{1,18}"


register_converter(RowConverter, "row")
app_name = "storefront"
urlpatterns = [
    path("", pages.shops, name="shops"),
    path("robots.txt", sitemaps.robots, name="robots"),
    path("sitemap.xml", sitemaps.index, name="sitemaps"),
    path("s/<slug:shop>/sitemap-<row:number>.xml", sitemaps.of_shop, name="sitemap"),
    path("s/<slug:shop>/", pages.home, name="home"),
    path("s/<slug:shop>/c/<str:slug>/", listing.category, name="category"),
    path("s/<slug:shop>/p/<row:product_id>/", pages.product, name="product"),
    path("s/<slug:shop>/p/<row:product_id>/picture/", pages.mail_picture, name="mail_picture"),
    path("s/<slug:shop>/p/<row:product_id>/picture/<row:rendering_id>/", pages.mail_picture, name="mail_picture"),
    path("s/<slug:shop>/search/", listing.search, name="search"),
    path("s/<slug:shop>/bag/", purchase.bag, name="bag"),
    path("s/<slug:shop>/bag/<row:product_id>/", purchase.change, name="bag_change"),
    path("s/<slug:shop>/order/", purchase.order, name="order"),
    path("s/<slug:shop>/ordered/", purchase.ordered, name="ordered"),
    path("s/<slug:shop>/consent/", rights.answer, name="consent"),
    path("s/<slug:shop>/seen/", pages.seen, name="seen"),
    path("s/<slug:shop>/your-data/", rights.your_data, name="your_data"),
    path("s/<slug:shop>/your-data/change/", rights.change, name="your_data_change"),
    path("s/<slug:shop>/your-data/download/", rights.download, name="your_data_download"),
]
