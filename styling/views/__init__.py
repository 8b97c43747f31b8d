"""Styling's pages in the admin: training studio, versions, stylising, review."""
