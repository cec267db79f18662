"""A training loop of torch alone: slices of CT series, saved and resumed in the middle of an epoch.

On a folder of CT series, or on some that it makes (TORCHDICOM is the checkout):

    python TORCHDICOM/examples/torch_loop.py
    python TORCHDICOM/examples/torch_loop.py FOLDER
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import torch
from torch import nn

import torchdicom as td
from phantoms import labelled_volumes

STEPS = 12


def make_loader(index: td.Index) -> td.Loader:
    """Batches of slices in the soft tissue window, in another order each epoch."""
    slices = td.ImageDataset(index, kinds=("volume",), output=td.Window(40, 400), size=(64, 64))
    return td.Loader(slices, batch_size=16, shuffle=True, seed=1)


def main(folder: str | Path) -> None:
    """Train an autoencoder for some steps, save it, and go on as if nothing had happened."""
    index = td.scan(folder, progress=False).filter(kind="volume", ok=True)
    encoder = nn.Sequential(nn.Conv2d(1, 8, 4, stride=4), nn.ReLU())
    network = nn.Sequential(encoder, nn.ConvTranspose2d(8, 1, 4, stride=4))
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    loader, done = make_loader(index), 0
    while done < STEPS:
        for batch in loader:
            loss = nn.functional.mse_loss(network(batch["image"]), batch["image"])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            done += 1
            print(f"step {done}: loss {loss.item():.4f}")
            if done == STEPS // 2:
                saved = {"network": network.state_dict(), "loader": loader.state_dict()}
                break
        if done == STEPS // 2:  # another process, perhaps
            loader = make_loader(index)
            loader.load_state_dict(saved["loader"])
            network.load_state_dict(saved["network"])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        if len(sys.argv) == 1:
            labelled_volumes(Path(made), seed=0)
        main(made if len(sys.argv) == 1 else sys.argv[1])
