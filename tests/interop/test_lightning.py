"""Lightning: splits, a fit on the CPU, and checkpoints that resume within an epoch."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import lightning
import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn

import torchdicom as td
from builders import Element
from landmarks import INDEX, LPS_MM, brightest, place, write_landmark
from torchdicom.interop.lightning import DicomDataModule
from training import write_volume

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*:lightning.fabric.utilities.warnings.PossibleUserWarning"),
    pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning"),
    pytest.mark.filterwarnings("ignore:Be aware that when using `ckpt_path`:UserWarning"),
    pytest.mark.filterwarnings("ignore:The dirpath has changed:UserWarning"),
]
VOLUMES = partial(td.VolumeDataset, size=(4, 4, 4))
ONLY: Any = {"fractions": {"train": 1.0}, "batch_size": 2}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten patients of one series each."""
    for p in range(10):
        told = [Element(0x00100020, "LO", f"patient {p}")]
        write_volume(tmp_path / "ct" / str(p), SeriesInstanceUID=f"1.2.{p}", extra=[told] * 8)
    return tmp_path / "ct"


class Model(lightning.LightningModule):  # type: ignore[misc] # without types
    """Keeps what it was trained and validated on."""

    def __init__(self, last: int | None = None) -> None:
        super().__init__()
        self.network = nn.Linear(64, 1)
        self.seen: list[list[str]] = []
        self.validated: list[str] = []
        self._last = last

    def training_step(self, batch: dict[str, Any]) -> torch.Tensor:
        self.seen.append(list(batch["series"]))
        if len(self.seen) == self._last:
            self.trainer.should_stop = True
        loss: torch.Tensor = self.network(batch["image"].flatten(1) / 1000).square().mean()
        return loss

    def validation_step(self, batch: dict[str, Any]) -> None:
        self.validated += batch["series"]

    def test_step(self, batch: dict[str, Any]) -> None:
        self.validation_step(batch)

    def predict_step(self, batch: dict[str, Any]) -> list[str]:
        return list(batch["series"])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=1e-4)


def trainer(tmp_path: Path, epochs: int, *callbacks: Any, **options: Any) -> lightning.Trainer:
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    return lightning.Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        default_root_dir=tmp_path,
        callbacks=list(callbacks),
        num_sanity_val_steps=0,
        **quiet | {"enable_checkpointing": bool(callbacks)} | options,
    )


def test_fit_of_one_epoch(folder: Path, tmp_path: Path) -> None:
    module = DicomDataModule(folder, VOLUMES, batch_size=3, eval_batch_size=2)
    model = Model()
    run = trainer(tmp_path, 1)
    run.fit(model, module)
    assert {name: len(found) for name, found in module.parts.items()} == {
        "train": 8,
        "val": 1,
        "test": 1,
    }
    assert [len(keys) for keys in model.seen] == [3, 3, 2]
    parts = {name: sorted(one.key for one in found) for name, found in module.parts.items()}
    assert sorted(key for keys in model.seen for key in keys) == parts["train"]
    assert model.validated == parts["val"]
    model.validated.clear()
    run.test(model, module, verbose=False)
    assert model.validated == parts["test"]
    assert run.predict(model, module) == [parts["test"]]
    assert not set(parts["train"]) & set(parts["val"] + parts["test"])


@pytest.mark.parametrize("steps", [2, 5, 7])
def test_resumes_where_it_was(folder: Path, tmp_path: Path, steps: int) -> None:
    """Five steps are an epoch: in the middle of the first, at its end, in the second."""
    whole = Model()
    trainer(tmp_path, 2, limit_val_batches=0).fit(whole, DicomDataModule(folder, VOLUMES, **ONLY))
    assert len(whole.seen) == 10

    keeps = ModelCheckpoint(
        tmp_path / "kept", filename="last", every_n_train_steps=steps, save_top_k=-1
    )
    first = Model()
    until = trainer(tmp_path, 2, keeps, max_steps=steps, limit_val_batches=0)
    until.fit(first, DicomDataModule(folder, VOLUMES, **ONLY))
    assert first.seen == whole.seen[:steps]

    second = Model()
    again = trainer(tmp_path, 2, limit_val_batches=0)
    path = tmp_path / "kept" / "last.ckpt"
    again.fit(second, DicomDataModule(folder, VOLUMES, **ONLY), ckpt_path=path, weights_only=False)
    assert second.seen == whole.seen[steps:]


def fitted(where: Path, module: DicomDataModule, epochs: int, **options: Any) -> Model:
    """A model after its fit, which kept ``last.ckpt`` as Lightning does by itself."""
    model = Model()
    path = options.pop("ckpt_path", None)
    keeps = ModelCheckpoint(where, save_last=True)
    run = trainer(where, epochs, keeps, limit_val_batches=0, **options)
    run.fit(model, module, ckpt_path=path, weights_only=False)
    return model


def test_resumes_between_epochs(folder: Path, tmp_path: Path) -> None:
    """Lightning loads no state of a loader then: the epoch is all that there is to tell."""
    whole = fitted(tmp_path / "a", DicomDataModule(folder, VOLUMES, **ONLY), 3)
    assert whole.seen[:5] != whole.seen[5:10] != whole.seen[10:] != whole.seen[:5]
    assert len(whole.seen) == 15
    path, seen = None, []
    for epochs in (1, 2, 3):
        module = DicomDataModule(folder, VOLUMES, **ONLY)
        seen += fitted(tmp_path / str(epochs), module, epochs, ckpt_path=path).seen
        path = tmp_path / str(epochs) / "last.ckpt"
    assert seen == whole.seen


def test_loaders_that_are_made_anew_for_each_epoch(folder: Path, tmp_path: Path) -> None:
    whole = fitted(tmp_path / "a", DicomDataModule(folder, VOLUMES, **ONLY), 3)
    module = DicomDataModule(folder, VOLUMES, **ONLY)
    assert fitted(tmp_path / "b", module, 3, reload_dataloaders_every_n_epochs=1).seen == whole.seen


def test_patches_differ_from_epoch_to_epoch(folder: Path, tmp_path: Path) -> None:
    made = []

    def make(series: Any) -> td.PatchDataset:
        made.append(td.PatchDataset(series, (4, 4, 4), patches_per_volume=2))
        return made[-1]

    path, starts = None, []
    for epochs in (1, 2):
        where = tmp_path / str(epochs)
        fitted(where, DicomDataModule(folder, make, **ONLY), epochs, ckpt_path=path)
        path = where / "last.ckpt"
        starts.append([sample["affine"][:3, 3].tolist() for sample in made[-1]])
    assert starts[0] != starts[1]


def test_uneven_shares_in_evaluation(folder: Path) -> None:
    """Of five series for two devices."""
    shares: dict[str, list[int]] = {}
    for uneven in ("keep", "repeat", "drop"):
        options: dict[str, Any] = {"batch_size": 1, "eval_uneven": uneven}
        module = DicomDataModule(folder, VOLUMES, fractions={"train": 0.5, "val": 0.5}, **options)
        module.setup()
        for rank in (0, 1):
            module.trainer = SimpleNamespace(world_size=2, global_rank=rank)
            shares.setdefault(uneven, []).append(len(module.val_dataloader()))
    assert shares == {"keep": [3, 2], "repeat": [3, 3], "drop": [2, 2]}


def test_landmark(tmp_path: Path) -> None:
    index = td.scan(write_landmark(tmp_path))
    module = DicomDataModule(index, td.VolumeDataset, by=lambda one: one.key, **ONLY)
    module.setup("fit")
    (batch,) = module.train_dataloader()
    found = brightest(batch["image"][0, 0])
    assert found == INDEX
    assert place(batch["affine"][0], found) == LPS_MM


def test_options_reach_the_loaders(folder: Path) -> None:
    module = DicomDataModule(
        folder,
        VOLUMES,
        batch_size=3,
        eval_dataset=partial(td.VolumeDataset, size=(2, 2, 2)),
        fractions={"train": 0.5, "test": 0.5},
        drop_last=True,
        num_threads=1,
        prefetch=1,
    )
    module.setup()
    train, test = module.train_dataloader(), module.test_dataloader()
    assert (len(train), len(test)) == (1, 2)
    assert (train.drop_last, test.drop_last) == (True, False)
    assert module.val_dataloader() == []
    assert next(iter(test))["image"].shape == (3, 1, 2, 2, 2)
    orders = []
    for seed in (0, 1):
        other = DicomDataModule(folder, VOLUMES, seed=seed, **ONLY)
        other.setup("fit")
        orders.append([batch["series"] for batch in other.train_dataloader()])
    assert orders[0] != orders[1]


def test_pad_and_pin_memory_reach_the_loaders(folder: Path) -> None:
    smaller = [Element(0x00100020, "LO", "another")]
    cells = torch.ones(4, 3, 4, dtype=torch.int16).numpy()
    write_volume(folder / "b", cells, SeriesInstanceUID="1.2.99", extra=[smaller] * 4)
    options: dict[str, Any] = {"batch_size": 11, "fractions": {"train": 1.0}}
    module = DicomDataModule(folder, td.VolumeDataset, pad=-1.0, **options)
    module.setup("fit")
    assert next(iter(module.train_dataloader()))["image"].shape == (11, 1, 8, 10, 12)
    pinned = DicomDataModule(folder, td.VolumeDataset, pin_memory=True, **options)
    pinned.setup("fit")
    with pytest.raises(ValueError, match="pin_memory=True needs an accelerator"):
        pinned.train_dataloader()


def test_patches_with_a_buffer_keep_their_own_order(folder: Path) -> None:
    make = partial(td.PatchDataset, patch_size=(2, 2, 2), patches_per_volume=2, buffer=2)
    module = DicomDataModule(folder, make, **ONLY)
    module.setup("fit")
    assert "shuffle" not in repr(module.train_dataloader().state_dict()["order"])
    assert module.train_dataloader().state_dict()["shuffle"] is False


@pytest.mark.parametrize(
    ("error", "message", "options"),
    [
        (ValueError, "train, val and test", {"fractions": {"train": 0.5, "valid": 0.5}}),
        (ValueError, "train, val and test", {"fractions": {"val": 1.0}}),
        (TypeError, "eval_dataset must be a callable", {"eval_dataset": 3}),
        (ValueError, "eval_batch_size", {"eval_batch_size": 0}),
        (ValueError, "uneven must be one of", {"eval_uneven": "pad"}),
    ],
)
def test_what_is_refused(
    folder: Path, error: type[Exception], message: str, options: dict[str, Any]
) -> None:
    with pytest.raises(error, match=message):
        DicomDataModule(folder, VOLUMES, **{"batch_size": 1, **options})


def test_parts_that_are_not_there(folder: Path) -> None:
    with pytest.raises(RuntimeError, match=r"call setup\(\) first"):
        DicomDataModule(folder, VOLUMES, **ONLY).train_dataloader()
    module = DicomDataModule(folder, VOLUMES, by="study", **ONLY)
    with pytest.raises(ValueError, match="no StudyInstanceUID"):
        module.setup("fit")
    module = DicomDataModule(folder, VOLUMES, **ONLY)
    module.setup()
    with pytest.raises(ValueError, match="there is no 'test' among the fractions"):
        module.test_dataloader()
