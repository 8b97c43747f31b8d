"""The verbs of experiments: plan, create, start, read, stop, decide."""
