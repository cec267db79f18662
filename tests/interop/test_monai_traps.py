"""Odd series side by side: MONAI's own readers, which say nothing, and torchdicom's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from monai.transforms import LoadImage

from bridge_traps import TRAPS, Answer, Trap, answer_of
from torchdicom import DicomError
from torchdicom.interop.monai import DicomReader

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.filterwarnings("ignore:builtin type:DeprecationWarning"),  # itk's, once imported
    pytest.mark.filterwarnings("ignore:NvImgCodecPydicomReader:UserWarning"),  # no GPU
    pytest.mark.filterwarnings("ignore:.*more than one DICOM series:UserWarning"),
    pytest.mark.filterwarnings("ignore:PydicomReader. ImageOrientationPatient:UserWarning"),
    pytest.mark.filterwarnings("ignore:slice. .* skip it:UserWarning"),
]


def answer(folder: Path, reader: Any) -> Answer:
    image = LoadImage(reader=reader)(folder)
    return answer_of(image, image.affine)


@pytest.mark.parametrize("trap", TRAPS.values(), ids=TRAPS)
def test_trap(tmp_path: Path, trap: Trap) -> None:
    folder = tmp_path / "series"
    trap.write(folder)
    if isinstance(trap.ours, str):
        # Through LoadImage, which would try its other readers if `read` raised this.
        with pytest.raises(DicomError, match=re.escape(f"[{trap.ours}]")):
            answer(folder, DicomReader())
    else:
        assert answer(folder, DicomReader()) == trap.ours
    assert answer(folder, "ITKReader") == (trap.itk or trap.ours)
    assert answer(folder, "PydicomReader") == (trap.pydicom or trap.ours)
