"""The reference backend: slow, plain Python that gives the answer the fast one has to give.

It is written from the DICOM standard alone and shares no code with the C++ core, nor with anything
that feeds it; the two are compared bit for bit. Elements are walked here, because pydicom
forgives what `load` must refuse; pydicom reads the text, and one pinned plugin per transfer syntax
(`_codecs.py`) reads the codestreams.

A load goes through `_sources`, `_header` (`_elements`, `_values`, `_frames`), `_division`
(`_checks`, `_groups`, `_dose`, `_nuclear`, `_mosaic`, `_times`), `_collect`, `_split` (`_kinds`),
`_choose`, `_judge` (`_company`, `_duplicates`, `_concatenations`, `_geometry`, `_spacing`,
`_repeats`), `_findings` and `_build` (`_mapping`, `_tables`, `_suv`, `_suv_enhanced`, `_grid`,
`_coords`, `_fill`, `_pixels`, `_codecs`, `_finish`, `_voi`, `_resample`).
"""

from __future__ import annotations

from torchdicom._reference._load import decode_frames, load_series, read_header
from torchdicom._reference._scan import scan

__all__ = ["decode_frames", "load_series", "read_header", "scan"]
