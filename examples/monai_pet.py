"""PET in SUV, with MONAI's reader, transforms and loader, and back to where the voxels came from.

On a folder of PET series, or on two that it makes (TORCHDICOM is the checkout):

    python TORCHDICOM/examples/monai_pet.py
    python TORCHDICOM/examples/monai_pet.py FOLDER

A series that is not sound, or whose SUV do not follow from its headers, is an error that says why.
It takes ``pip install torchdicom[monai]``.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from monai.data import DataLoader, Dataset, decollate_batch
from monai.transforms import Compose, Invertd, LoadImaged, Orientationd, RandFlipd, Spacingd

import torchdicom as td
from pet_phantom import pet_series
from torchdicom.interop.monai import DicomReader


def main(folder: str | Path) -> None:
    """Print of each PET series of a folder where the highest uptake is, and how high."""
    index = td.scan(folder, progress=False)
    data = [{"image": one} for one in index if one.kind == "volume" and one.modality == "PT"]
    print(f"{len(data)} PET series")
    reader = DicomReader(output="suv")
    steps = Compose(
        [
            # expanduser=False: what is to be loaded is no path, but a series of the index.
            LoadImaged("image", reader=reader, ensure_channel_first=True, expanduser=False),
            Orientationd("image", "RAS", labels=None),
            Spacingd("image", (2.0, 2.0, 2.0), align_corners=True),
            RandFlipd("image", prob=0.5, spatial_axis=0),
        ]
    )
    back = Invertd("image", steps, orig_keys="image", nearest_interp=False)
    for batch in DataLoader(Dataset(data, steps), batch_size=1):
        print(f"to the network: {tuple(batch['image'].shape)}")
        image = back(decollate_batch(batch)[0])["image"]
        index_xyz = (image[0] == image.max()).nonzero()[0].double()
        x, y, z = (image.affine[:3, :3] @ index_xyz + image.affine[:3, 3]).tolist()
        print(f"SUV {image.max():.2f} at {-x:.0f}, {-y:.0f}, {z:.0f} mm (LPS)")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1])
    else:
        with tempfile.TemporaryDirectory() as made:
            pet_series(Path(made))
            main(made)
