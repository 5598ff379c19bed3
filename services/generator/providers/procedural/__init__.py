"""The procedural provider: pictures and films drawn from the prompt alone, offline.

`provider` runs in the generator; everything else runs in a render child, where numpy, Pillow and PyAV live.
"""
