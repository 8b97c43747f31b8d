"""Tags of the admin's frame."""
