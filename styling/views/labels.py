"""What the pages' scripts say, in the user's language."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _


def run_labels() -> dict[str, Any]:
    """For ``run.js``."""
    return {
        "seconds": _("{n} s"),
        "minutes": _("{n} min"),
        "hours": _("{n} h"),
        "step": _("step {n}"),
        "kept": _("kept"),
        "offline": _("The connection is lost. The training goes on; this page asks again by itself."),
        "done": _("Done"),
        "cancelling": _("Ending…"),
        "style": _("Style"),
        "content": _("Products recognisable"),
        "lossesTitle": _("Losses over the steps"),
        "scoresTitle": _("Scores over the steps"),
        "noLosses": _("The curves appear with the first steps."),
        "noScores": _("The first scores come after a quarter of the run."),
        "losses": {
            "adversarial": _("Looks like the style"),
            "cycle": _("Way back to the product"),
            "identity": _("Leaves style pictures alone"),
            "contrast": _("Keeps each part in its place"),
            "discriminator": _("Judge"),
        },
    }


def loss_texts() -> list[tuple[str, str, str]]:
    """What each curve of a training says, in plain words: (code, name, text). A run has some of them."""
    names = run_labels()["losses"]
    texts = {
        "adversarial": _(
            "How easily the judge still tells a rendering from the style's own pictures. "
            "It falls, then stays level: once judge and painter are equally good, neither wins."
        ),
        "cycle": _(
            "What gets lost on the way into the style and back. The lower, the truer your product's shape and details."
        ),
        "identity": _(
            "How much a picture that has the style already is changed. "
            "Low means that colours are not shifted without need."
        ),
        "contrast": _(
            "Whether each part of the rendering still belongs to the same part of the photo. "
            "Low means that nothing wanders."
        ),
        "discriminator": _(
            "How well the judge tells renderings from the style's pictures. "
            "About the middle is healthy; at 0 it has won, and little more is learned."
        ),
    }
    return [(code, name, texts[code]) for code, name in names.items()]


def stylisation_labels() -> dict[str, str]:
    """For ``stylisation.js``."""
    return {
        "count": _("{done} of {total} pictures rendered, {flagged} flagged for a closer look"),
        "withoutPicture": _("{n} of the chosen products have no picture and were left out."),
        "problems": _("{n} pictures could not be read; see the job's log."),
    }


def review_labels() -> dict[str, str]:
    """For ``review.js``."""
    return {
        "empty": _("Nothing to review here. Stylise products, or choose another filter."),
        "done": _("All reviewed. Well done."),
        "moved": _("{n} moved"),
        "refused": _("{n} stayed where they were"),
        "undone": _("Taken back"),
        "nothingToUndo": _("There is nothing to undo."),
        "failed": _("That did not work. Reload the page and try again."),
        "confirmFlagged": _("This rendering is beyond the shop's product-truth limits. Publish it all the same?"),
        "confirmBulk": _("Approve and publish {n} renderings? You can undo it."),
        "reason": _("Why? Whoever trains the next version will read it."),
        "regenerating": _("Rendering again; it will join the queue when it is done."),
        "chosen": _("{n} chosen"),
        "chooseQueue": _("Choose all {n} in the queue"),
        "moving": _("{done} of {total} …"),
        "version": _("version {n}"),
        "position": _("{n} of {total}"),
        "undoneStep": _("taken back"),
        "alone": _("within the limits"),
    }
