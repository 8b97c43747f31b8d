"""``python -m stylerec_site.translations``: compile the catalogues; ``--update`` first collects what is new."""

from __future__ import annotations

import argparse
import sys

from stylerec_site.translations.catalogues import CHINESE, compile_catalogues

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--update", action="store_true", help="collect new strings and drop unused ones first")
    if parser.parse_args().update:
        from stylerec_site.translations.extraction import update

        new, dropped = update(CHINESE)
        sys.stdout.write(f"{new} new, {dropped} dropped\n")
    compile_catalogues()
