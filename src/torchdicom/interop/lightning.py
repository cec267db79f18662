"""Lightning: a DataModule split by patient or study, whose checkpoints resume within an epoch."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from torchdicom._training import Loader
from torchdicom._training._options import check_whole
from torchdicom.interop._extras import needs
from torchdicom.interop._splits import split
from torchdicom.interop.torch import ShardSampler, check_uneven

with needs("lightning"):
    import lightning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torchdicom._series import Series
    from torchdicom.interop._splits import By
    from torchdicom.interop.torch import Uneven

    Make = Callable[[Sequence[Series]], Any]

_FRACTIONS: Final = {"train": 0.8, "val": 0.1, "test": 0.1}
# What a stage needs.
_PARTS: Final[dict[str | None, tuple[str, ...]]] = {
    "fit": ("train", "val"),
    "validate": ("val",),
    "test": ("test",),
    "predict": ("test",),
}


class DicomDataModule(lightning.LightningDataModule):  # type: ignore[misc] # it has no types here
    """Loaders for training, validation, test and prediction over the series of a source.

    Of several devices each gets its share: in training all have as many samples, in evaluation each
    sample is given once, unless ``eval_uneven`` says otherwise. Each epoch of a fit has an order of
    its own. A checkpoint keeps where in which epoch the training is, and a fit that resumes from it
    goes on with the samples that are left, or with the next epoch.

    Attributes:
        parts: The series of ``"train"``, ``"val"`` and ``"test"``, once `setup` was called.

    Example:
        >>> import torchdicom as td
        >>> module = DicomDataModule(
        ...     "tests/data/sts_002/ct",
        ...     lambda series: td.VolumeDataset(series, size=(16, 32, 32)),
        ...     batch_size=1,
        ...     fractions={"train": 1.0},
        ... )
        >>> module.setup("fit")
        >>> [tuple(batch["image"].shape) for batch in module.train_dataloader()]
        [(1, 1, 16, 32, 32)]
    """

    def __init__(
        self,
        source: Any,
        dataset: Make,
        *,
        batch_size: int,
        eval_dataset: Make | None = None,
        eval_batch_size: int | None = None,
        eval_uneven: Uneven = "keep",
        by: By = "patient",
        fractions: Mapping[str, float] = _FRACTIONS,
        seed: int = 0,
        drop_last: bool = False,
        num_threads: int | None = None,
        prefetch: int = 2,
        pin_memory: bool = False,
        pad: float | None = None,
    ) -> None:
        """Nothing is read before `setup`.

        Args:
            source: As in `torchdicom.interop.torch.split`.
            dataset: Called with the series of a part, makes its dataset, such as
                ``lambda series: td.VolumeDataset(series, size=(64, 128, 128))``.
            batch_size: Samples in a batch of one device.
            eval_dataset: The same for validation, test and prediction, where these differ from
                training: no augmentation, no random patches.
            eval_batch_size: Samples in a batch there; None is `batch_size`.
            eval_uneven: What devices get there where samples do not come out even, as in
                `torchdicom.interop.torch.ShardSampler`. ``"keep"``, each sample once, is for
                metrics of a whole epoch; a step that waits for the other devices, as ``self.log``
                does with ``on_step=True, sync_dist=True``, needs ``"repeat"`` or ``"drop"``.
            by: What must not be parted: ``"patient"``, ``"study"``, a callable or a mapping.
            fractions: What share of them is for ``"train"``, ``"val"`` and ``"test"``.
            seed: Of the split, and of the order of training.
            drop_last: Whether training leaves a last batch of fewer samples out.
            num_threads: As in `torchdicom.Loader`, and so are all others.
            prefetch: Batches that are ready or in the making.
            pin_memory: Whether batches are in memory that a device copies from directly.
            pad: Value around images that are smaller than others of their batch.

        Raises:
            TypeError: If a dataset cannot be made by what is given.
            ValueError: If the fractions are of other parts, or a value is none of the allowed ones.
        """
        super().__init__()
        makers: dict[str, Any] = {"dataset": dataset, "eval_dataset": eval_dataset or dataset}
        for name, make in makers.items():
            if not callable(make):
                msg = f"{name} must be a callable that makes a dataset of a list of Series"
                raise TypeError(msg)
        if not set(fractions) <= set(_FRACTIONS) or "train" not in fractions:
            msg = f"fractions are those of train, val and test, not of {', '.join(fractions)}"
            raise ValueError(msg)
        self.parts: dict[str, tuple[Series, ...]] = {}
        self._source, self._by, self._fractions, self._seed = source, by, dict(fractions), seed
        self._make = {"train": dataset, "eval": eval_dataset or dataset}
        of_eval = batch_size if eval_batch_size is None else eval_batch_size
        self._batch_size = {
            "train": check_whole("batch_size", batch_size, 1),
            "eval": check_whole("eval_batch_size", of_eval, 1),
        }
        self._uneven: dict[str, Uneven] = {"train": "repeat", "eval": check_uneven(eval_uneven)}
        self._drop_last = drop_last
        self._options: dict[str, Any] = {"num_threads": num_threads, "prefetch": prefetch}
        self._options |= {"pin_memory": pin_memory, "pad": pad}
        self._datasets: dict[str, Any] = {}

    def setup(self, stage: str | None = None) -> None:
        """Scan and split, once, and make the datasets of a stage.

        Args:
            stage: ``"fit"``, ``"validate"``, ``"test"``, ``"predict"``, or None for all.

        Raises:
            DicomError: If there is nothing to be used, as the datasets say.
            ValueError: If a series does not say whose it is.
        """
        if not self.parts:
            self.parts = split(self._source, self._fractions, by=self._by, seed=self._seed)
        for part in _PARTS.get(stage, tuple(self.parts)):
            if self.parts.get(part) and part not in self._datasets:
                self._datasets[part] = self._make[_use(part)](list(self.parts[part]))

    def train_dataloader(self) -> Loader:
        """Shuffled anew in each epoch; as many samples for each device."""
        loader = self._loader("train")
        if self.trainer is not None:
            # Of a checkpoint between two epochs Lightning keeps nothing but their number, and it
            # begins to read before it tells loaders of that.
            loader.set_epoch(self.trainer.fit_loop.epoch_progress.current.processed)
        return loader

    def val_dataloader(self) -> Loader | list[Loader]:
        """In order, each sample once; no loader where the split has no such part."""
        return self._loader("val") if "val" in self._datasets else []

    def test_dataloader(self) -> Loader:
        """In order, each sample once."""
        return self._loader("test")

    def predict_dataloader(self) -> Loader:
        """The same as for the test."""
        return self._loader("test")

    def _loader(self, part: str) -> Loader:
        if not self.parts:
            msg = "nothing was split yet: call setup() first, which a Trainer does by itself"
            raise RuntimeError(msg)
        if part not in self._datasets:
            msg = f"there is no {part!r} among the fractions, {self._fractions}: give it a share"
            raise ValueError(msg)
        dataset, is_training = self._datasets[part], part == "train"
        # Patches that share a read bring a random order of their own.
        shuffle = is_training and getattr(dataset, "_buffer", None) is None
        options: dict[str, Any] = {"shuffle": shuffle, "seed": self._seed}
        ranks = 1 if self.trainer is None else self.trainer.world_size
        if ranks > 1:
            options["shuffle"] = False
            options["sampler"] = ShardSampler(
                dataset,
                rank=self.trainer.global_rank,
                num_replicas=ranks,
                shuffle=shuffle,
                uneven=self._uneven[_use(part)],
                seed=self._seed,
            )
        options["drop_last"] = self._drop_last and is_training
        kind = _FitLoader if is_training and self.trainer is not None else Loader
        return kind(dataset, self._batch_size[_use(part)], **options, **self._options)


def _use(part: str) -> str:
    return "train" if part == "train" else "eval"


class _FitLoader(Loader):
    """A Loader whose epochs Lightning counts, and whose state it keeps."""

    @property
    def batch_sampler(self) -> Any:  # type: ignore[override] # None where nobody asks
        """Where Lightning looks for a sampler to tell the epoch: what has an order here is this."""
        return SimpleNamespace(sampler=self)

    def __iter__(self) -> Iterator[Any]:
        # Lightning calls it more than once in an epoch, and tells when the next one begins.
        epoch = self._epoch
        batches = super().__iter__()
        self._epoch = epoch
        return batches

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        # Lightning never asks for the batch after the last, which tells a Loader of the end.
        last = len(self) * self.batch_size if self.drop_last else state["samples"]
        if state["order"] is None and state["delivered"] >= last:
            super().load_state_dict(state | {"epoch": state["epoch"] + 1, "delivered": 0})
