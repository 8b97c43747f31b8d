"""The business verbs of the catalogue, one keyword-only function each."""
