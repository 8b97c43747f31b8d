"""The recommender's screens in the admin: versions and fits, and why a shopper sees what they see."""
