"""The sets that the shop photographs on, and glazes that return from piece to piece."""

from __future__ import annotations

from catalog.demo.backdrops import Backdrop
from catalog.demo.glazes import Glaze

WHITE = Backdrop("#f0ede7", "#efece6")
WARM = Backdrop("#ebe2d4", "#e8dfd1")
COOL = Backdrop("#dfe5e8", "#dde4e8")
STONE = Backdrop("#b9b4ac", "#bdb8b0")
LINEN = Backdrop("#d9cdb9", "#ece5d9", ground="linen", seam=0.5)
GREY_LINEN = Backdrop("#a9adab", "#d3d7d6", ground="linen", seam=0.5)
OAK = Backdrop("#c99b68", "#ebe0cf", ground="wood", seam=0.12)
WALNUT = Backdrop("#7b5236", "#d9cfc3", ground="wood", seam=0.12)
TERRAZZO = Backdrop("#e6dfd5", "#dfc9b8", ground="terrazzo", seam=0.1)
BLUSH = Backdrop("#e3b8a4", "#ecc9b8", seam=0.04)
BLUSH_SUN = Backdrop("#dfae97", "#eac4b1", seam=0.04, disc="#f3dccf")
SAGE = Backdrop("#b4c2a9", "#c6d1bb", seam=0.04)
SKY = Backdrop("#b7cddb", "#c8dae4", seam=0.04, disc="#e3edf2")
OCHRE = Backdrop("#d9a953", "#e5bd70", seam=0.04)
TERRACOTTA = Backdrop("#b9694a", "#c97d5d", seam=0.04)
PLUM = Backdrop("#6d4a5c", "#7d586b", seam=0.04, spot=0.45)
DEEP_GREEN = Backdrop("#33493f", "#3f574c", seam=0.5, spot=0.5)
INK_BLUE = Backdrop("#2f3d55", "#3a4a66", seam=0.5, spot=0.5)
CHARCOAL = Backdrop("#3b3a39", "#474543", seam=0.6, spot=0.5)
DUSK = Backdrop("#6b5a4f", "#7a685b", seam=0.12, ground="wood", spot=0.55)

CELADON = Glaze("#a9c9b2", mottled="#90b89d", pooling="#7fab90", breaking="#dcdcc4", gloss=0.93, bare_foot="#a9765a")
TENMOKU = Glaze("#2a1812", mottled="#5a2c14", breaking="#a8642e", gloss=0.96, bare_foot="#8d6a4d", mottle_scale=6)
COBALT = Glaze("#24479a", mottled="#16296b", breaking="#7d93c9", gloss=0.95, mottle_scale=5, bare_foot="#c7ab88")
PORCELAIN = Glaze("#f3f1ec", pooling="#e6eaee", gloss=0.95)
OATMEAL = Glaze("#e4d8c3", gloss=0.6, speckles="#5a4334", breaking="#a9794e", ridges=0.03, bare_foot="#b08660")
MATTE_BLACK = Glaze("#2c2a2a", gloss=0.42, mottled="#3a3533", ridges=0.035)
CHALK = Glaze("#ece7df", gloss=0.25, mottled="#e2dbd0")
CHUN = Glaze(
    "#8fb3cf", mottled="#6a8fc0", pooling="#7a7fb5", breaking="#b79a7a", gloss=0.93, mottle_scale=5, bare_foot="#8b6a52"
)
SHINO = Glaze(
    "#efe0d2", mottled="#e08d5a", mottling=0.75, gloss=0.72, mottle_scale=3, speckles="#7a4a32", speckling=0.5
)
OXBLOOD = Glaze("#8e1f1c", mottled="#5c0f14", breaking="#e6d8c8", gloss=0.96, mottle_scale=6)
CLAY = Glaze("#b9744f", gloss=0.15, mottled="#a8623f", ridges=0.04)

BAMBOO = Glaze("#b98b52", gloss=0.5, mottled="#8f6535", mottle_scale=9)
BRASS = Glaze("#d3a95c", gloss=0.85, metal=True)
LINEN_SHADE = Glaze("#f2dcb6", gloss=0.05, glow=0.78)
