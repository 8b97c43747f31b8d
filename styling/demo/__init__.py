"""Looks for the demo shop: reference pictures of other things than it sells, drawn by code from a seed."""

from __future__ import annotations

from styling.demo.looks import LOOKS, Look

__all__ = ["LOOKS", "Look"]
