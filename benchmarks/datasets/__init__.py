"""Series that are made, not downloaded: the same bytes on every machine with the same libraries."""

from __future__ import annotations

from typing import Final

from benchmarks.datasets.cache import CACHE, truth
from benchmarks.datasets.codecs import CODEC_SYNTAXES, CODEC_TOLERANCE, Picture, codec_frames
from benchmarks.datasets.ct import CT_SYNTAXES, LOSSY, ct_series, header_tree
from benchmarks.datasets.enhanced import ENHANCED_SYNTAXES, enhanced_ct
from benchmarks.datasets.mammogram import MAMMOGRAM_SYNTAXES, mammogram
from benchmarks.datasets.many import FILES_A_SERIES, many_files
from benchmarks.datasets.training import COHORT_SYNTAXES, ct_cohort, moved, radiographs

__all__ = [
    "CACHE",
    "CODEC_SYNTAXES",
    "CODEC_TOLERANCE",
    "COHORT_SYNTAXES",
    "CT_SYNTAXES",
    "ENHANCED_SYNTAXES",
    "FILES_A_SERIES",
    "LOSSY",
    "LOSSY_TOLERANCE",
    "MAMMOGRAM_SYNTAXES",
    "Picture",
    "codec_frames",
    "ct_cohort",
    "ct_series",
    "enhanced_ct",
    "header_tree",
    "mammogram",
    "many_files",
    "moved",
    "radiographs",
    "truth",
]

# How far a right decoder's values are from `truth`: the mean and the largest absolute difference,
# in Hounsfield units. libjpeg-turbo has 1.49 and 11 with 12 bits; 11.07 and 176 with 8, where a
# unit is 16 HU. Decoders may differ by one unit (ISO 10918-1 A.3.3).
LOSSY_TOLERANCE: Final = {"jpeg_12bit": (1.7, 16.0), "jpeg_8bit": (12.0, 208.0)}
