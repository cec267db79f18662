"""Bridges to the libraries that people already use, one module each.

Each is imported only by name, and needs its library: ``pip install torchdicom[monai]`` and so on,
the extra having the name of the module. A bridge keeps values as they are, and the place of every
voxel in the patient: it permutes dims, flips them where the other library wants that, and writes
the affine to match. Nothing is resampled.
"""

from __future__ import annotations
