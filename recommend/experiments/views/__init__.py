"""The merchant's pages: asking a question, and what came of it."""
