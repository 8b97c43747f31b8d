"""Teapots and jugs."""

from __future__ import annotations

from dataclasses import replace

from catalog.demo import brushwork, sets, shapes
from catalog.demo.glazes import Glaze
from catalog.demo.products import Piece, Shelf
from catalog.demo.solids import Wall
from catalog.demo.studio import StillLife

ROUND = (Wall(shapes.POT_ROUND), shapes.lid(0.17, 0.6))
FLAT = (Wall(shapes.POT_FLAT), shapes.lid(0.18, 0.43))
TALL = (Wall(shapes.POT_TALL), shapes.lid(0.16, 0.76))
ROUND_PARTS = (shapes.ear(0.4, 0.44, size=1.1, low=0.16), shapes.spout(0.42, 0.2, 0.52))
TALL_PARTS = (shapes.ear(0.28, 0.6, size=1.1, low=0.2), shapes.spout(0.3, 0.2, 0.7, reach=0.32))

TEAPOTS = Shelf(
    "teapots",
    "Teapots & jugs",
    "茶壶与水罐",
    "TE",
    (
        Piece(
            "Garden teapot",
            "庭园茶壶",
            "98.00",
            "Celadon, round as a pebble, with a spout that never drips. For four cups and one long talk.",
            "青釉圆润如卵石，壶嘴断水利落。四杯茶，一席长谈。",
            StillLife(
                ROUND,
                [replace(sets.CELADON, breaking=None)],
                sets.LINEN,
                rods=ROUND_PARTS,
                elevation=18,
                yaw=16,
                fill=0.82,
            ),
            sets.SAGE,
        ),
        Piece(
            "Bamboo Bail teapot",
            "竹提梁壶",
            "124.00",
            "Low and broad, black as a wet stone, under a handle of bent bamboo. The lid rings like a bell.",
            "壶身低阔，黑如湿石，竹制提梁。壶盖叩之如磬。",
            StillLife(
                FLAT,
                [sets.MATTE_BLACK, sets.BAMBOO],
                sets.WARM,
                rods=(shapes.bail(0.42, 0.34, 0.86), shapes.spout(0.5, 0.14, 0.4, reach=0.26)),
                elevation=18,
                yaw=18,
                fill=0.82,
            ),
            sets.OAK,
        ),
        Piece(
            "Blue Willow coffee pot",
            "青花咖啡壶",
            "110.00",
            "A tall pot in white porcelain, tall grass in cobalt blowing around it.",
            "白瓷高壶，青花劲草随风绕壶。",
            StillLife(
                TALL,
                [replace(sets.PORCELAIN, motif=brushwork.grasses, motif_colour="#2b4a95")],
                sets.BLUSH,
                rods=TALL_PARTS,
                elevation=16,
                yaw=16,
                fill=0.82,
            ),
            sets.WHITE,
        ),
        Piece(
            "Ochre milk jug",
            "赭黄奶壶",
            "36.00",
            "A farmhouse yellow that makes milk look richer. Sits well next to bread.",
            "农舍的暖黄，让牛奶看上去更醇。与面包最相宜。",
            StillLife(
                [Wall(shapes.CREAMER)],
                [
                    Glaze(
                        "#dba53a",
                        mottled="#c98a26",
                        breaking="#8d5a23",
                        pooling="#b87a22",
                        gloss=0.92,
                        inside="#f3ead6",
                    )
                ],
                sets.GREY_LINEN,
                rods=(shapes.ear(0.24, 0.45, size=0.85, low=0.14),),
                elevation=20,
            ),
            sets.INK_BLUE,
        ),
        Piece(
            "Slip-trailed water jug",
            "流泥水罐",
            "72.00",
            "Earth-red clay, cream slip poured from the shoulder and left to run. Holds a litre and a half.",
            "赤土陶罐，奶白泥浆自肩部淋下，任其流淌。可盛一升半水。",
            StillLife(
                [Wall(shapes.JUG)],
                [replace(sets.CLAY, gloss=0.55, dip="#f0e5d0", dip_height=0.5, dip_runs=0.08)],
                sets.WALNUT,
                rods=(shapes.ear(0.24, 0.72, size=1.1, low=0.32),),
                elevation=16,
            ),
            sets.OCHRE,
        ),
        Piece(
            "Heron pitcher",
            "长颈水壶",
            "84.00",
            "Tall, slim, upright strokes of iron on grey. It pours as calmly as it stands.",
            "修长挺拔，灰釉上铁色竖纹。站得静，倒得也静。",
            StillLife(
                [Wall(shapes.JUG_TALL)],
                [
                    Glaze(
                        "#c9c6be",
                        gloss=0.6,
                        motif=brushwork.stripes,
                        motif_colour="#4a3a34",
                        speckles="#6b5d52",
                        speckling=0.5,
                    )
                ],
                sets.TERRACOTTA,
                rods=(shapes.ear(0.2, 0.84, size=1.15, low=0.36),),
                elevation=14,
            ),
            sets.STONE,
        ),
        Piece(
            "Persimmon teapot",
            "柿红小壶",
            "88.00",
            "Small and bright as a fruit on the branch. Two cups, then again two cups.",
            "小而明亮，如枝头一果。两杯之后，再来两杯。",
            StillLife(
                ROUND,
                [Glaze("#c4552c", mottled="#96361d", gloss=0.95, pooling="#7d2a18")],
                sets.COOL,
                rods=ROUND_PARTS,
                elevation=18,
                yaw=22,
                fill=0.82,
            ),
            sets.DEEP_GREEN,
        ),
        Piece(
            "Snow Line coffee pot",
            "雪线咖啡壶",
            "104.00",
            "Slate blue below, snow above, and a soft grey where they meet.",
            "下为石板蓝，上覆白雪，交界处一抹柔灰。",
            StillLife(
                TALL,
                [
                    Glaze(
                        "#4d6580",
                        mottled="#3d5068",
                        gloss=0.7,
                        dip="#f1efea",
                        dip_height=0.52,
                        dip_runs=0.05,
                        speckles="#3a3a40",
                        speckling=0.4,
                    )
                ],
                sets.OAK,
                rods=TALL_PARTS,
                elevation=16,
                yaw=20,
                fill=0.82,
            ),
            sets.SKY,
        ),
    ),
)
