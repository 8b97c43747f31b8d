"""The merchant's pages of experiments, under ``/admin/experiments/``."""

from __future__ import annotations

from django.urls import path

from recommend.experiments.views import asking, results

app_name = "experiments"
urlpatterns = [
    path("new/", asking.new, name="new"),
    path("shop/<int:merchant_id>/plan/", asking.plan, name="plan"),
    path("<int:experiment_id>/", results.show, name="show"),
    path("<int:experiment_id>/start/", results.start, name="start"),
    path("<int:experiment_id>/stop/", results.stop, name="stop"),
    path("<int:experiment_id>/undo/", results.undo, name="undo"),
    path("<int:experiment_id>/delete/", results.delete, name="delete"),
    path("variant/<int:variant_id>/roll-out/", results.roll_out, name="roll_out"),
]
