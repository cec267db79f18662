"""Every option of a dataset is checked, and takes effect."""

from __future__ import annotations

import inspect
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import torchdicom as td
from builders import ct_slice
from builders_parts import DX_IMAGE
from training import ULTRASOUND, Times, write_volume, write_volumes

if TYPE_CHECKING:
    from pathlib import Path

SHAPE = (4, 3, 4)
Dataset = type[td.VolumeDataset] | type[td.ImageDataset] | type[td.PatchDataset]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> td.Index:
    """Six volumes, of which one is broken since the scan, one with a gap, and a radiograph."""
    folder = write_volumes(tmp_path_factory.mktemp("options"), 6, RescaleIntercept=-5)
    gap = write_volume(folder / "gap", SeriesInstanceUID="1.4.1")
    (gap / "0003.dcm").unlink()
    radiograph = ct_slice(
        **ULTRASOUND | {"Modality": "DX", "SOPClassUID": DX_IMAGE},
        SeriesInstanceUID="1.6",
        SOPInstanceUID="1.6.1",
    )
    (folder / "dx").write_bytes(radiograph)
    found = td.scan(folder)
    broken = folder / "2" / "0001.dcm"
    broken.write_bytes(broken.read_bytes()[:-8])
    return found


def plain(value: Any) -> Any:
    return (str(value.dtype), value.tolist()) if isinstance(value, torch.Tensor) else value


def outcome(kind: Dataset, index: td.Index, options: dict[str, Any]) -> str:
    """Everything that a dataset gives, or says."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dataset = kind(index, **options)
            samples = [
                sorted((k, plain(v)) for k, v in dataset[i].items()) for i in range(len(dataset))
            ]
        except (ValueError, RuntimeError) as error:
            return f"{type(error).__name__}: {error}"
    return repr(samples)


def one_of_each(series: td.Series) -> torch.Tensor:
    return torch.ones(series.shape, dtype=torch.uint8)


def one_voxel(series: td.Series) -> torch.Tensor:
    marks = torch.zeros(series.shape, dtype=torch.uint8)
    marks[-1, -1, -1] = 1
    return marks


# For each option values that must give different results, and what else is needed for that.
SHARED: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "target": ([None, lambda series: series.shape[0], lambda _: "a"], {}),
    "label": ([None, one_of_each, one_voxel], {}),
    "transform": ([None, Times(2), Times(3)], {}),
    "output": (
        ["modality", "stored", "window", "real_world", "suv", "philips_fp", td.Window(500, 1000)],
        {},
    ),
    "dtype": ([None, torch.float16, torch.int32], {}),
    "kinds": ([("volume",), ("image",), ("volume", "image")], {}),
    "window": ([None, (500, 1000), td.Window(500, 500)], {}),
    "clip": ([None, (0, 100), (50, 100)], {}),
    "mean": ([0, 5.5, (1, 2)], {"std": 1}),
    "std": ([1, 5.5, (1, 2)], {"mean": 0}),
    "mask": ([False, True], {}),
    "policy": ([None, td.Policy(missing_slices="allow")], {}),
    "on_error": (["quarantine", "raise"], {}),
    "seed": ([0, 1, 2, 3], {}),
}
SPATIAL: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "spacing_mm": ([None, 1.0, (2.5, 1.0, 0.25)], {}),
    "orientation": ([None, "RAI", "SLP"], {}),
}
TABLE: dict[Dataset, dict[str, tuple[list[Any], dict[str, Any]]]] = {
    td.VolumeDataset: {
        **SHARED,
        **SPATIAL,
        "size": ([None, (3, 3, 3), (5, 5, 5)], {}),
        "reduce": ([0, 1, 2], {}),
    },
    td.ImageDataset: {
        **SHARED,
        "size": ([None, (2, 2), (6, 8)], {}),
        "reduce": ([0, 1, 2], {}),
        "channels": ([1, 3], {}),
    },
    td.PatchDataset: {
        **SHARED,
        **SPATIAL,
        "patch_size": ([(2, 2, 2), (2, 2, 3)], {}),
        "patches_per_volume": ([1, 2], {}),
        "mode": (["random", "foreground", "grid"], {"label": one_voxel}),
        "foreground": (
            [None, lambda label: label == 0],
            {"label": one_voxel, "mode": "foreground"},
        ),
        "overlap": ([0, 1, (1, 0, 0)], {"mode": "grid", "patches_per_volume": None}),
        "buffer": ([None, 2, 6], {}),
    },
}
BASE: dict[Dataset, dict[str, Any]] = {
    td.VolumeDataset: {"on_error": "quarantine"},
    td.ImageDataset: {"on_error": "quarantine", "kinds": ("volume",), "output": "modality"},
    td.PatchDataset: {"on_error": "quarantine", "patch_size": (2, 2, 2), "patches_per_volume": 2},
}
ROWS = [
    pytest.param(kind, option, id=f"{kind.__name__}-{option}")
    for kind, options in TABLE.items()
    for option in options
]


@pytest.mark.parametrize(("kind", "option"), ROWS)
def test_every_value_makes_a_difference(index: td.Index, kind: Dataset, option: str) -> None:
    values, extra = TABLE[kind][option]
    found = []
    for value in values:
        options = {**BASE[kind], **extra, option: value}
        if option == "mode" and value == "grid":
            options["patches_per_volume"] = None
        found.append(outcome(kind, index, options))
    # Two seeds may choose the same sample of so few.
    least = 2 if option == "seed" else len(values)
    assert len(set(found)) >= least, [one[:120] for one in found]


@pytest.mark.parametrize("kind", TABLE)
def test_no_option_is_forgotten(kind: Dataset) -> None:
    options = set(inspect.signature(kind).parameters) - {"source"}
    assert options == set(TABLE[kind])


WRONG = [
    ("output", "hounsfield", ValueError, "output must be one of 'stored', 'modality'"),
    ("output", None, ValueError, "output must be one of"),
    ("dtype", torch.bool, ValueError, "dtype must be a torch dtype of"),
    ("dtype", "float32", TypeError, "dtype must be a torch dtype of"),
    ("kinds", "volume", TypeError, "kinds must be a tuple"),
    ("kinds", ("volume", "other"), ValueError, "kinds must be among .*, not 'other'"),
    ("kinds", [["volume"]], ValueError, r"kinds must be among .*, not \['volume'\]"),
    ("kinds", (), ValueError, "kinds must be among .* name at least one"),
    ("window", (40, 0), ValueError, "width must be above 0"),
    ("window", (40, 400, 1), ValueError, r"window must be \(center, width\), not 3 values"),
    ("window", 40, TypeError, "window must be a torchdicom.Window"),
    ("window", "lung", TypeError, "window must be a torchdicom.Window"),
    ("window", "file", TypeError, "window must be a torchdicom.Window"),
    ("clip", (5, 5), ValueError, "clip must be"),
    ("clip", 5, TypeError, "clip must be two numbers"),
    ("mask", 1, TypeError, "mask must be True or False"),
    ("policy", "drop", TypeError, "policy must be a torchdicom.Policy, not str"),
    ("on_error", "ignore", ValueError, "on_error must be 'raise' or 'quarantine'"),
    ("seed", -1, ValueError, "seed must be 0 or more"),
    ("seed", 1.5, TypeError, "seed must be of integers"),
    ("label", 5, TypeError, "label must be callable, not int"),
    ("transform", "flip", TypeError, "transform must be callable, not str"),
    ("mean", 1, ValueError, "mean and std go together"),
    ("std", 1, ValueError, "mean and std go together"),
    ("spacing_mm", 0, ValueError, "spacing_mm must be above 0"),
    ("spacing_mm", (1, 2), ValueError, "spacing_mm must be a number, or three .*, not 2 values"),
    ("spacing_mm", "1", TypeError, "spacing_mm must be a number, or three"),
    ("spacing_mm", float("nan"), ValueError, "spacing_mm must be a number"),
    ("orientation", "LP", ValueError, "orientation must be three letters"),
    ("orientation", "LRS", ValueError, "orientation must be three letters"),
    ("orientation", "lps", ValueError, "orientation must be three letters"),
    ("orientation", 5, TypeError, "orientation must be three letters"),
    ("size", (1, 2), ValueError, "size must be three integers, .* not 2 values"),
    ("size", (0, 2, 2), ValueError, "size must be 1 to 32768 along each axis, not 0"),
    ("size", 5, TypeError, "size must be three integers"),
    ("size", (1.5, 2, 2), TypeError, "size must be of integers, not of float"),
]


@pytest.mark.parametrize(("option", "value", "kind", "message"), WRONG)
def test_wrong_values_are_refused(
    tmp_path: Path, option: str, value: Any, kind: type[Exception], message: str
) -> None:
    # Before anything is read: the folder is not there.
    with pytest.raises(kind, match=message):
        td.VolumeDataset(tmp_path / "none", **{option: value})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": (1, 2), "clip": (1, 2)}, "window and clip"),
        (
            {"output": "window", "window": (1, 2)},
            "output='window' is a window already, and window=",
        ),
        ({"output": td.Window(1, 2), "clip": (1, 2)}, "is a window already, and clip="),
        ({"dtype": torch.int16, "window": (1, 2)}, "dtype=torch.int16 has no room"),
        ({"dtype": torch.int16, "spacing_mm": 1.0}, "dtype=torch.int16 has no room"),
        ({"dtype": torch.int16, "mean": 1, "std": 2}, "dtype=torch.int16 has no room"),
        ({"mean": 1, "std": 0}, "std must be above 0"),
        (
            {"mean": (1, 2), "std": (1, 2)},
            "mean and std must both have one number, or one a channel",
        ),
    ],
)
def test_options_that_contradict(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        td.VolumeDataset(tmp_path / "none", **options)


def test_mean_of_another_number_of_channels(index: td.Index) -> None:
    three: dict[str, Any] = {"mean": (1, 2, 3), "std": (1, 2, 3), "on_error": "quarantine"}
    with (
        pytest.raises(
            ValueError,
            match=r"mean and std have 3 values, and images of series 1\.2\.3\.1 have 1 channel$",
        ),
        pytest.warns(td.DicomWarning),
    ):
        td.VolumeDataset(index, **three)


@pytest.mark.parametrize(
    ("option", "value", "kind"),
    [
        ("channels", 2, ValueError),
        ("channels", None, ValueError),
        ("channels", True, ValueError),
        ("channels", [3], ValueError),
        ("size", (5,), ValueError),
        ("size", (0, 5), ValueError),
        ("size", 5, TypeError),
    ],
)
def test_wrong_values_of_images(
    tmp_path: Path, option: str, value: Any, kind: type[Exception]
) -> None:
    with pytest.raises(kind, match=f"^{option} must be"):
        td.ImageDataset(tmp_path / "none", **{option: value})


def test_numpy_numbers_are_numbers(tmp_path: Path) -> None:
    dataset = td.VolumeDataset(
        write_volume(tmp_path),
        size=tuple(np.array([4, 4, 4])),
        spacing_mm=np.array([2.5, 0.5, 0.25]),  # type: ignore[arg-type]
        window=np.array([400.0, 800.0]),  # type: ignore[arg-type]
        seed=np.int64(3),  # type: ignore[arg-type]
    )
    assert dataset[0]["image"].shape == (1, 4, 4, 4)
