"""Styling's business verbs: styles, references, training, versions, stylising, review, limits."""
