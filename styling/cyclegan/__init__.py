"""The translator: unpaired picture-to-picture translation in pure PyTorch (CycleGAN, CUT, FastCUT). No
Django.

Where to look: ``settings`` (what a run is), ``networks`` and ``losses`` (the papers), ``data`` (folders to
crops), ``training`` (the loop), ``scoring`` (has it learned?), ``artifact`` (what a run leaves behind).
Importing this package, ``settings``, ``domains``, ``errors`` or ``artifact`` loads no torch.
"""
