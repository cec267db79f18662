"""The training backend: datasets that read what a sample needs, and no more; batches of them."""

from __future__ import annotations

from torchdicom._training._collate import collate
from torchdicom._training._image_dataset import ImageDataset
from torchdicom._training._loader import Loader
from torchdicom._training._patch_dataset import PatchDataset
from torchdicom._training._volume_dataset import VolumeDataset

__all__ = ["ImageDataset", "Loader", "PatchDataset", "VolumeDataset", "collate"]
