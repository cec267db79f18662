"""CT and labels, augmented together by TorchIO; files are read when a sample is asked for.

On CT series and masks, KEY.nii.gz, or on some that it makes (TORCHDICOM is the checkout):

    python TORCHDICOM/examples/torchio_ct.py
    python TORCHDICOM/examples/torchio_ct.py FOLDER MASKS

It takes ``pip install torchdicom[torchio]``.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import torchio as tio

import torchdicom as td
from phantoms import labelled_volumes
from torchdicom.interop.torchio import subject
from train_segmentation import Masks


def main(folder: str | Path, masks: str | Path) -> None:
    """Print what batches of patches have in them."""
    label = Masks(masks)  # gives of a series the path of its mask, or an array
    index = td.scan(folder, progress=False)
    subjects = [subject(one, label=label) for one in index if one.kind == "volume"]
    print(f"{len(subjects)} subjects")
    steps = tio.Compose(
        [
            tio.ToCanonical(),
            tio.Clamp(-1000, 1000),
            tio.RandomAffine(scales=0.1, degrees=15),
            tio.RandomNoise(std=(0, 20)),
            tio.RescaleIntensity((0, 1), in_min_max=(-1000, 1000)),
        ]
    )
    # About each patch a voxel of the mask.
    sampler = tio.LabelSampler((32, 32, 16), label_name="label", label_probabilities={0: 0, 1: 1})
    patches = tio.Queue(tio.SubjectsDataset(subjects, steps), 24, 4, sampler)
    for batch in tio.SubjectsLoader(patches, batch_size=8):
        image, mask = batch["image"][tio.DATA], batch["label"][tio.DATA]
        print(f"{tuple(image.shape)}, {mask.float().mean():.0%} of it labelled")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1], sys.argv[2])
    else:
        with tempfile.TemporaryDirectory() as made:
            main(Path(made) / "ct", labelled_volumes(Path(made), seed=0))
