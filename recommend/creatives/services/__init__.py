"""The verbs of ad creatives: ``sets`` (ask for, change, draw again, delete), ``links``, ``clicks``, ``figures``."""
