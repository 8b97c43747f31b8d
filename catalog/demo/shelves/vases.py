"""Vases."""

from __future__ import annotations

from dataclasses import replace

from catalog.demo import brushwork, sets, shapes
from catalog.demo.glazes import Glaze
from catalog.demo.products import Piece, Shelf
from catalog.demo.solids import Wall
from catalog.demo.studio import StillLife

VASES = Shelf(
    "vases",
    "Vases",
    "花瓶",
    "VA",
    (
        Piece(
            "Still Water baluster vase",
            "静水观音瓶",
            "148.00",
            "Celadon the green of a lake before rain, fired until a web of fine crackle opens in the glaze. "
            "No two webs are alike.",
            "雨前湖水般的青釉，烧至釉面开出细密冰裂。每一件的纹路都独一无二。",
            StillLife([Wall(shapes.BALUSTER)], [replace(sets.CELADON, crackle="#5f6f55", bare_foot=None)], sets.WARM),
            sets.SAGE,
        ),
        Piece(
            "Plum Blossom meiping",
            "梅枝梅瓶",
            "189.00",
            "The classic plum vase, its branches brushed in cobalt in one sitting. Made for a single spray of "
            "winter blossom.",
            "经典梅瓶器形，青花梅枝一气呵成。为冬日里的一枝花而生。",
            StillLife([Wall(shapes.MEIPING)], [replace(sets.PORCELAIN, motif=brushwork.blossom)], sets.SKY),
            sets.WHITE,
        ),
        Piece(
            "Double Happiness gourd vase",
            "双福葫芦瓶",
            "132.00",
            "An oxblood glaze that the kiln decides: ruby where it is thick, almost white where it thins at the lip.",
            "郎红釉色由窑火决定：厚处如宝石，口沿薄处近乎月白。",
            StillLife([Wall(shapes.GOURD)], [sets.OXBLOOD], sets.STONE),
            sets.BLUSH,
        ),
        Piece(
            "Dune cylinder",
            "沙丘直筒瓶",
            "68.00",
            "Matte stoneware in three bands of sand, clay and shadow. Tall enough for branches, quiet enough "
            "for a shelf.",
            "哑光陶瓶，沙、土、影三色环带。高可插枝，静可独立。",
            StillLife(
                [Wall(shapes.CYLINDER)],
                [
                    Glaze(
                        "#e3cfae",
                        gloss=0.3,
                        bands=((0.02, 0.26, "#9a5b3c"), (0.26, 0.5, "#c98d5e")),
                        ridges=0.03,
                        speckles="#7a5a40",
                        speckling=0.4,
                    )
                ],
                sets.BLUSH_SUN,
            ),
            sets.LINEN,
        ),
        Piece(
            "Moon jar",
            "月亮罐",
            "240.00",
            "Two hemispheres joined by hand after the Korean way. The soft seam at its waist is the moon's horizon.",
            "依朝鲜旧法，两个半球手工相接。腰间柔和的接痕，是月亮的地平线。",
            StillLife(
                [Wall(shapes.MOON_JAR)],
                [replace(sets.PORCELAIN, mottled="#e9e5db", mottle_scale=2, gloss=0.88)],
                sets.INK_BLUE,
            ),
            sets.COOL,
        ),
        Piece(
            "Heron trumpet vase",
            "白鹭喇叭尊",
            "96.00",
            "A narrow waist and a generous lip in Chun blue, violet where the glaze pools. It holds wild grasses well.",
            "束腰敞口，天青钧釉，积釉处泛紫。最宜野草。",
            StillLife([Wall(shapes.TRUMPET)], [sets.CHUN], sets.OCHRE),
            sets.WHITE,
        ),
        Piece(
            "Single Stem bud vase",
            "一枝花器",
            "42.00",
            "A round belly and a neck for one stem. Matte black, faintly ringed by the potter's fingers.",
            "圆腹细颈，只容一枝。哑黑釉面上留着拉坯的指痕。",
            StillLife([Wall(shapes.BUD)], [sets.MATTE_BLACK], sets.TERRACOTTA),
            sets.WARM,
        ),
        Piece(
            "Harvest amphora",
            "丰收双耳瓶",
            "118.00",
            "Two handles, raw terracotta below and a poured cream glaze above. Heavy in the hand, as it should be.",
            "双耳，下为赤陶本色，上覆浇淋奶白釉。入手沉实，本该如此。",
            StillLife(
                [Wall(shapes.AMPHORA)],
                [replace(sets.CLAY, dip="#efe4cf", dip_height=0.5, dip_runs=0.06)],
                sets.OAK,
                rods=shapes.AMPHORA_EARS,
                yaw=14,
            ),
            sets.SAGE,
        ),
    ),
)
