"""The reference backend: slow, plain Python that gives the answer the fast one has to give.

It is written from the DICOM standard alone and shares no code with the C++ core, nor with anything
that feeds it; the two are compared bit for bit. Elements are walked here, because pydicom
forgives what `load` must refuse; pydicom reads the text, and one pinned plugin per transfer syntax
(`_codecs.py`) reads the codestreams.
"""

from __future__ import annotations

from torchdicom._reference._load import decode_frames, load_series, read_header

__all__ = ["decode_frames", "load_series", "read_header"]
