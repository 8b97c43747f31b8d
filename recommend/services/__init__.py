"""The business verbs of recommending, one keyword-only function each."""
