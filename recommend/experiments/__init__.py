"""A/B experiments as merchants run them: what differs, who gets what, what came of it, and what to do now."""
