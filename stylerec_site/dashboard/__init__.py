"""The admin's front page: what to do first, what needs somebody now, and how the shop is doing."""

from stylerec_site.dashboard.page import callback

__all__ = ["callback"]
