"""What each kind of picture asks for beyond training settings. Imports no torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from styling.cyclegan.settings import Domain


@dataclass(frozen=True, slots=True)
class DomainRules:
    """Rules that travel with every artifact of a domain, under ``domain`` in its config.json."""

    #: The domain's name, as in ``TrainingSettings.domain``.
    name: Domain
    #: Renderings of this domain wait for a person, whatever their scores.
    never_auto_publish: bool
    #: Text that must accompany every rendering (its metadata, its page); empty where none is needed.
    notice: str

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready dict."""
        return asdict(self)


DOMAINS: dict[Domain, DomainRules] = {
    "shop": DomainRules(name="shop", never_auto_publish=False, notice=""),
    "teaching": DomainRules(
        name="teaching",
        never_auto_publish=True,
        notice="Translated by a machine: check labels and figures against the original.",
    ),
    "medical": DomainRules(
        name="medical",
        never_auto_publish=True,
        notice="Not for diagnosis. Translated by a machine; structures may be missing or invented.",
    ),
    "art-restoration": DomainRules(
        name="art-restoration",
        never_auto_publish=True,
        notice="A machine's proposal, not a record of the work: compare with the original.",
    ),
}
