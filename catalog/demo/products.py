"""What the demo shop sells: each product with its texts, its price and the still life that is its picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from PIL import Image

from catalog.demo.backdrops import Backdrop
from catalog.demo.studio import StillLife, photograph

#: How many different pictures ``DemoProduct.draw`` can take.
VIEWS = 2


@dataclass(frozen=True, slots=True)
class Piece:
    """One entry of a shelf: texts in English and Chinese, the price in euros, and how it is photographed."""

    name: str
    name_zh: str
    price: str
    description: str
    description_zh: str
    life: StillLife
    other_backdrop: Backdrop


@dataclass(frozen=True, slots=True)
class Shelf:
    """A category of the shop."""

    slug: str
    name: str
    name_zh: str
    code: str  #: how its SKUs begin
    pieces: Sequence[Piece]


@dataclass(frozen=True, slots=True)
class DemoProduct:
    """A product of the demo shop; equal seeds give equal products and equal pictures."""

    sku: str
    name: str
    name_zh: str
    category: str
    category_name: str
    category_name_zh: str
    price: Decimal
    currency: str
    description: str
    description_zh: str
    stock: int
    piece: Piece = field(repr=False)
    seed: int

    def draw(self, size: int = 512, *, view: int = 0) -> Image.Image:
        """A square sRGB picture: ``view`` 0 the shop's main picture, 1 from above, nearer, on another set."""
        life = self.piece.life
        if view:
            life = replace(
                life,
                backdrop=self.piece.other_backdrop,
                elevation=life.elevation + (16 if life.elevation < 40 else -16),
                yaw=life.yaw - 60,
                fill=min(life.fill * 1.12, 0.8),
            )
        return photograph(life, size=size, seed=self.seed)
