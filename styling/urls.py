"""Styling's pages, under ``/admin/styling/``."""

from __future__ import annotations

from django.urls import path

from styling.views import limits, references, review, stylising, training, versions

app_name = "styling"
urlpatterns = [
    path("style/<int:style_id>/references/", references.upload, name="references"),
    path("style/<int:style_id>/references/<int:reference_id>/remove/", references.remove, name="remove_reference"),
    path("style/<int:style_id>/train/", training.train, name="train"),
    path("style/<int:style_id>/train/check/", training.check, name="check"),
    path("style/<int:style_id>/versions/", versions.compare, name="versions"),
    path("style/<int:style_id>/versions/fill/", versions.fill, name="fill_versions"),
    path("style/<int:style_id>/roll-back/", versions.roll_back, name="roll_back"),
    path("model/<int:model_id>/deploy/", versions.act, {"verb": "deploy"}, name="deploy"),
    path("model/<int:model_id>/retire/", versions.act, {"verb": "retire"}, name="retire"),
    path("model/<int:model_id>/train-further/", versions.train_further, name="train_further"),
    path("training/<uuid:run_id>/", training.run, name="run"),
    path("training/<uuid:run_id>/state/", training.state, name="run_state"),
    path("training/<uuid:run_id>/cancel/", training.act, {"verb": "cancel"}, name="cancel_run"),
    path("training/<uuid:run_id>/resume/", training.act, {"verb": "resume"}, name="resume_run"),
    path("training/<uuid:run_id>/again/", training.act, {"verb": "again"}, name="run_again"),
    path("stylise/", stylising.stylise, name="stylise"),
    path("stylisation/<uuid:run_id>/", stylising.stylisation, name="stylisation"),
    path("stylisation/<uuid:run_id>/state/", stylising.state, name="stylisation_state"),
    path("limits/<int:merchant_id>/", limits.limits, name="limits"),
    path("review/", review.screen, name="review"),
    path("review/<int:merchant_id>/items/", review.items, name="review_items"),
    path("review/<int:merchant_id>/act/", review.act, name="review_act"),
    path("review/<int:merchant_id>/undo/", review.undo, name="review_undo"),
    path("review/image/<int:image_id>/regenerate/", review.regenerate, name="regenerate"),
]
