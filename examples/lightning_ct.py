"""Segmentation of CT with Lightning, validated on patients that it was not trained on.

On CT series and masks, KEY.nii.gz, or on some that it makes (TORCHDICOM is the checkout):

    python TORCHDICOM/examples/lightning_ct.py
    python TORCHDICOM/examples/lightning_ct.py FOLDER MASKS
"""

from __future__ import annotations

import sys
import tempfile
from functools import partial
from pathlib import Path

import lightning
import torch
from torch import nn

import torchdicom as td
from phantoms import labelled_volumes
from torchdicom.interop.lightning import DicomDataModule
from train_segmentation import Masks


class Segmenter(lightning.LightningModule):  # type: ignore[misc] # without types
    """A convolution, for balls brighter than what is around them."""

    def __init__(self) -> None:
        """Start with random weights."""
        super().__init__()
        self.network = nn.Conv3d(1, 1, 5, padding=2)

    def training_step(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """The loss of a batch."""
        scores, truth = self.network(batch["image"]), (batch["label"] > 0).float()
        return nn.functional.binary_cross_entropy_with_logits(scores, truth)

    def validation_step(self, batch: dict[str, torch.Tensor]) -> None:
        """The same of patients that are not trained on."""
        self.log("val_loss", self.training_step(batch), batch_size=len(batch["image"]))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The one of all weights."""
        return torch.optim.AdamW(self.parameters(), lr=1e-2)


def main(folder: str | Path, masks: str | Path) -> None:
    """Train for two epochs, and say how well it went on the patients that were left out."""
    dataset = partial(td.VolumeDataset, label=Masks(masks), window=(40, 400), size=(32, 80, 80))
    data = DicomDataModule(folder, dataset, batch_size=2, fractions={"train": 0.75, "val": 0.25})
    trainer = lightning.Trainer(max_epochs=2, logger=False, enable_checkpointing=False)
    trainer.fit(Segmenter(), data)
    print(f"validation loss {trainer.callback_metrics['val_loss']:.3f}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        main(*sys.argv[1:] or (f"{made}/ct", labelled_volumes(Path(made), seed=0)))
