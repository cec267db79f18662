"""Training with pydicom, MONAI, TorchIO, and files converted beforehand.

MONAI and TorchIO read with torchdicom as well, in everything else as without it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pydicom

from benchmarks.case import Case, Contender
from benchmarks.contenders.pydicom_loop import pydicom_loop
from benchmarks.contenders.pydicom_ways import rescaled
from benchmarks.contenders.training_items import Items, cut, items, samples_of, workers
from benchmarks.epoch import PATCH, Epoch, Sample, network_input

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.contenders.training_items import Item

    Prepare = Callable[[Case], Epoch]

_TORCH: Final = ("torch.utils.data",)
_MONAI: Final = ("monai.transforms", "monai.data", "itk")
_OUR_READER: Final = "torchdicom.interop.monai.DicomReader"
_SHORT: Final = 100
_NATIVE: Final = "1.2.840.10008.1.2.1"


def _native_only(case: Case) -> None:
    """What is converted or cached is the same for all syntaxes."""
    if case.transfer_syntax != _NATIVE:
        raise NotImplementedError


def _not_for_minutes(case: Case) -> None:
    """Patches of compressed volumes that are decoded whole in two workers."""
    if case.epoch == "patches":
        _native_only(case)


def _in_workers(
    case: Case,
    read_volume: Callable[[Path], np.ndarray],
    read_image: Callable[[Path], np.ndarray],
) -> Epoch:
    """A Dataset that reads with these functions; patches are cut out of the volume."""
    import torch  # noqa: PLC0415

    def read(item: Item) -> torch.Tensor:
        if case.epoch == "images":
            return network_input(torch.from_numpy(read_image(item.path)), case.window)
        return cut(torch.from_numpy(read_volume(item.path)), item.position)

    return Epoch(workers(case, Items(items(case), read)), samples_of)


def _pydicom(case: Case) -> Epoch:
    """The README's loop in a Dataset."""
    _not_for_minutes(case)

    def read_image(path: Path) -> np.ndarray:
        ds = pydicom.dcmread(path)
        return rescaled(ds, ds.pixel_array)

    return _in_workers(case, pydicom_loop, read_image)


def _converted(case: Case, suffix: str, save: Callable[[np.ndarray, Path], None]) -> Path:
    """The folder with what `save` made of each series or image, with pydicom, once."""
    kind = "images" if case.epoch == "images" else "volumes"
    place = Path(case.folder).with_name(f"{Path(case.folder).name}-{kind}")
    place.mkdir(exist_ok=True)
    for item in items(case):
        path = place / f"{item.path.stem}{suffix}"
        if path.is_file():
            continue
        if case.epoch == "images":
            ds = pydicom.dcmread(item.path)
            values = rescaled(ds, ds.pixel_array)
        else:
            values = pydicom_loop(item.path)
        partial = place / f"partial-{path.name}"
        save(values, partial)
        partial.rename(path)
    return place


def _npy(case: Case) -> Epoch:
    """Patches are cut out of the mapped file, anything else is read whole."""
    _native_only(case)
    place = _converted(case, ".npy", lambda values, path: np.save(path, values))

    def read(path: Path) -> np.ndarray:
        mode: Any = "c" if case.epoch == "patches" else None  # torch warns of what is read-only
        values: np.ndarray = np.load(place / f"{path.stem}.npy", mmap_mode=mode)
        return values

    return _in_workers(case, read, read)


def _nifti(case: Case) -> Epoch:
    _native_only(case)
    if case.epoch == "patches":
        raise NotImplementedError  # it has to be inflated from its beginning
    import nibabel  # noqa: PLC0415

    def save(values: np.ndarray, path: Path) -> None:
        nibabel.save(nibabel.Nifti1Image(values.T, np.eye(4)), path)

    place = _converted(case, ".nii.gz", save)

    def read(path: Path) -> np.ndarray:
        image: Any = nibabel.load(place / f"{path.stem}.nii.gz")
        return np.asarray(image.dataobj, dtype=np.float32).T

    return _in_workers(case, read, read)


def _monai(reader: str, *, is_cached: bool = False) -> Prepare:
    """MONAI's own Dataset, transforms and DataLoader; its axes are x, y and z."""

    def prepare(case: Case) -> Epoch:
        import monai.data  # noqa: PLC0415
        from monai.transforms import Compose, Lambda, LoadImaged  # noqa: PLC0415

        _not_for_minutes(case)
        if is_cached:
            _native_only(case)
        if reader == "PydicomReader" and (case.epoch == "patches" or _is_long(case)):
            raise NotImplementedError  # what the other reader shows, in more time

        def finish(data: dict[str, Any]) -> dict[str, Any]:
            image = data["image"].as_tensor()
            if case.epoch == "images":
                image = network_input(image.reshape(image.shape[:2]).T.contiguous(), case.window)
            return {**data, "image": image}

        def cut_out(data: dict[str, Any]) -> dict[str, Any]:
            z, y, x = data["position"]
            depth, rows, columns = PATCH
            part = data["image"][x : x + columns, y : y + rows, z : z + depth]
            return {**data, "image": part.clone()}

        made = [_described(item) for item in items(case)]
        load = LoadImaged("image", reader=reader, image_only=True)
        dataset: Any
        if case.epoch == "patches" and is_cached:
            # The volumes are kept, and the patches cut out of them; no volume is kept twice.
            folders = list(dict.fromkeys(one["image"] for one in made))
            steps = Compose([load, Lambda(finish)])
            cache = monai.data.CacheDataset(
                [{"image": folder} for folder in folders], steps, progress=False
            )
            dataset = monai.data.Dataset(
                made,
                Lambda(lambda one: cut_out({**one, **cache[folders.index(one["image"])]})),
            )
        else:
            last = [Lambda(cut_out)] if case.epoch == "patches" else []
            steps = Compose([load, Lambda(finish), *last])
            kind = monai.data.CacheDataset if is_cached else monai.data.Dataset
            options = {"progress": False} if is_cached else {}
            dataset = kind(made, steps, **options)
        loader = workers(case, dataset, monai.data.DataLoader)
        return Epoch(loader, lambda batch: _turned(case, batch))

    return prepare


def _is_long(case: Case) -> bool:
    return case.epoch == "volumes" and len(np.load(case.truth, mmap_mode="r")) > _SHORT


def _described(item: Item) -> dict[str, Any]:
    place = {} if item.position is None else {"position": np.array(item.position)}
    return {"image": str(item.path), "number": item.number, **place}


def _turned(case: Case, batch: dict[str, Any]) -> Iterator[Sample]:
    """Of volumes and patches z first."""
    for k, image in enumerate(np.asarray(batch["image"])):
        position = tuple(batch["position"][k].tolist()) if "position" in batch else None
        values = image if case.epoch == "images" else image.T
        yield Sample(int(batch["number"][k]), position, values)


def _torchio(*, is_ours: bool = False) -> Prepare:
    """Its dataset; for patches its Queue, which draws them where it likes."""

    def prepare(case: Case) -> Epoch:
        _not_for_minutes(case)
        import torchio  # noqa: PLC0415

        image_of: Callable[[Path], Any] = torchio.ScalarImage
        if is_ours:
            from torchdicom.interop.torchio import scalar_image  # noqa: PLC0415

            image_of = scalar_image

        def finish(subject: Any) -> Any:
            values = subject["image"].data.float()
            if case.epoch == "images":
                values = network_input(values[0, :, :, 0].T.contiguous(), case.window)[..., None]
            subject["image"].set_data(values)
            return subject

        by_path = {item.path: item.number for item in items(case)}
        subjects = [
            torchio.Subject(image=image_of(path), number=number) for path, number in by_path.items()
        ]
        dataset = torchio.SubjectsDataset(subjects, transform=finish)
        if case.epoch != "patches":
            loader = workers(case, dataset, torchio.SubjectsLoader)
            return Epoch(loader, lambda batch: _of_subjects(case, batch))
        queue = torchio.Queue(
            dataset,
            max_length=len(subjects) * case.patches,
            samples_per_volume=case.patches,
            sampler=torchio.UniformSampler(PATCH),
            num_workers=2,
        )
        loader = torchio.SubjectsLoader(queue, batch_size=case.patches)
        return Epoch(loader, lambda batch: _of_subjects(case, batch))

    return prepare


def _of_subjects(case: Case, batch: dict[str, Any]) -> Iterator[Sample]:
    for k, image in enumerate(batch["image"]["data"].numpy()):
        number = int(batch["number"][k])
        if case.epoch == "images":
            yield Sample(number, None, image[..., 0])
        elif case.epoch == "volumes":
            yield Sample(number, None, image[0].T)
        else:
            x, y, z = batch["location"][k].tolist()[:3]
            yield Sample(number, (z, y, x), image[0].T)


EPOCH: Final = (
    Contender("pydicom Dataset", _pydicom, 2, modules=_TORCH),
    Contender("MONAI ITKReader", _monai("ITKReader"), 2, modules=_MONAI),
    Contender("MONAI PydicomReader", _monai("PydicomReader"), 2, modules=_MONAI),
    Contender("MONAI CacheDataset", _monai("ITKReader", is_cached=True), 2, modules=_MONAI),
    Contender(
        "MONAI + torchdicom",
        _monai(_OUR_READER),
        2,
        modules=(*_MONAI, "torchdicom.interop.monai"),
    ),
    Contender("TorchIO", _torchio(), 2, modules=("torchio",)),
    Contender(
        "TorchIO + torchdicom",
        _torchio(is_ours=True),
        2,
        modules=("torchio", "torchdicom.interop.torchio"),
    ),
    Contender("converted: .npy", _npy, 2, modules=_TORCH),
    Contender("converted: .nii.gz", _nifti, 2, modules=("nibabel", *_TORCH)),
)
