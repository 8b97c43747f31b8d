"""How much one upload may ask of us."""

MOST_BYTES = 15 * 2**20
MOST_PIXELS = 40_000_000
LONGEST_SIDE = 12_000
MOST_FRAMES = 200
#: Progressive JPEGs of cameras have about ten scans; each one is a whole pass over the picture.
MOST_JPEG_SCANS = 100
SECONDS = 6
MEMORY_BYTES = 700 * 2**20
