"""The main job, from pictures to a personal storefront, run for real on one machine."""
