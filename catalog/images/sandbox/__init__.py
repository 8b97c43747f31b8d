"""The child that decodes untrusted pictures. Knows Pillow and nothing of the site: no Django, no settings, no secrets.

It is started with these modules alone on its path (as the package ``sandbox``), hence relative imports throughout.
"""
