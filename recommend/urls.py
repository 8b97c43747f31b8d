"""The storefront's addresses."""

from __future__ import annotations

from django.urls import path

from recommend.storefront import pages, purchase, rights

app_name = "storefront"
urlpatterns = [
    path("", pages.shops, name="shops"),
    path("s/<slug:shop>/", pages.home, name="home"),
    path("s/<slug:shop>/c/<str:slug>/", pages.category, name="category"),
    path("s/<slug:shop>/p/<int:product_id>/", pages.product, name="product"),
    path("s/<slug:shop>/search/", pages.search, name="search"),
    path("s/<slug:shop>/bag/", purchase.bag, name="bag"),
    path("s/<slug:shop>/bag/<int:product_id>/", purchase.change, name="bag_change"),
    path("s/<slug:shop>/order/", purchase.order, name="order"),
    path("s/<slug:shop>/ordered/", purchase.ordered, name="ordered"),
    path("s/<slug:shop>/consent/", rights.answer, name="consent"),
    path("s/<slug:shop>/your-data/", rights.your_data, name="your_data"),
    path("s/<slug:shop>/your-data/change/", rights.change, name="your_data_change"),
    path("s/<slug:shop>/your-data/download/", rights.download, name="your_data_download"),
]
