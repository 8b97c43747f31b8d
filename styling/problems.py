"""The translator room's errors, in words for a merchant. The stable code stays the same on both sides."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from jobs.errors import UserError
from styling.cyclegan.errors import CycleGANError

#: What is wrong and what to do next, by code. ``bad-settings`` names the setting itself, so its own text is kept.
TEXTS: dict[str, tuple[Promise, Promise]] = {
    "no-pictures": (
        _("There are no pictures to learn from."),
        _("Add product pictures and style references, then train again."),
    ),
    "too-few-source": (
        _("Too few product pictures can be used."),
        _("Add products with pictures, or learn from all products instead of one category."),
    ),
    "too-few-target": (
        _("Too few of the style's references can be used."),
        _("Add more reference pictures to the style; 30 or more work well."),
    ),
    "picture-too-large": (
        _("The picture is larger than the worker can render."),
        _("Upload a smaller copy; 4,000 pixels on the longer side are plenty for a shop."),
    ),
    "diverged": (
        _("Training became unstable before it learned anything usable."),
        _("Train again with a lower learning rate or another seed."),
    ),
    "collapsed": (
        _("The style took over: products were no longer recognisable."),
        _("Add more, and more varied, references, or train again with a higher cycle weight."),
    ),
    "out-of-memory": (
        _("Memory ran out, even with one picture at a time."),
        _("Choose the draft preset or smaller pictures, or free memory on the worker's machine."),
    ),
    "checkpoint-mismatch": (
        _("The saved state of this run belongs to other settings."),
        _("Start a new training with the settings that you want."),
    ),
    "artifact-missing": (
        _("The files of this model version are gone."),
        _("Roll back to another version, or train the style again."),
    ),
    "artifact-invalid": (
        _("The files of this model version cannot be read."),
        _("Roll back to another version, or train the style again."),
    ),
    "artifact-tampered": (
        _("The files of this model version were changed after training, so they are not used."),
        _("Restore them from a backup, roll back to another version, or train the style again."),
    ),
    "start-missing": (
        _("Of this version only the translator was kept, so it cannot be trained further."),
        _("Train the style from the beginning, with more steps."),
    ),
    "start-mismatch": (
        _("The version to go on from has other networks than these settings ask for."),
        _("Choose the version's own preset, or train the style from the beginning."),
    ),
    "artifact-newer": (
        _("This model version was made by a newer release of the software."),
        _("Upgrade the worker, or roll back to an earlier version."),
    ),
}


#: Why a training ended early although a version came of it, in a merchant's words, by ``TrainingResult.reason``.
ENDINGS: dict[str, Promise] = {
    "diverged": _(
        "Training became unstable and was stopped; the best version so far was kept. "
        "Train again with a lower learning rate or another seed."
    ),
    "collapsed": _(
        "The style took over and products were no longer recognisable, so training was stopped; the best version so "
        "far was kept. Add more references, raise the cycle weight or train for less time."
    ),
}


def as_user_error(error: CycleGANError) -> UserError:
    """The same problem as a ``UserError`` with a translated text and a next step."""
    message, hint = TEXTS.get(error.code, (error.message, ""))
    return UserError(error.code, message, hint)
