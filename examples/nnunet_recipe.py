"""nnU-Net v2 (torchdicom[nnunet]) on DICOM as it lies, which nnU-Net checks and measures.

    python TORCHDICOM/examples/nnunet_recipe.py

with the checkout for TORCHDICOM, makes a small set in ``nnunet_recipe`` of the folder where it is
run. For your own, give each case its series and its label, as the loop does. nnU-Net's commands go
on from there, once nnUNet_raw and the others are set as below, and ``python -m
torchdicom.interop.nnunet`` has told them of `DicomIO`:

    nnUNetv2_plan_and_preprocess -d 1
    nnUNetv2_train 1 3d_fullres 0
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import nibabel
import numpy as np

from phantoms import labelled_volumes
from torchdicom.interop.nnunet import write_label, write_series_file

HERE = Path("nnunet_recipe")
NAME = "Dataset001_Balls"


def main() -> None:
    """Make the set, and let nnU-Net look at it."""
    for name in ("raw", "preprocessed", "results"):
        os.environ[f"nnUNet_{name}"] = str(HERE.resolve() / name)
    masks = labelled_volumes(HERE, seed=0, count=2)
    raw, cases = HERE / "raw" / NAME, {}
    for folder, mask in zip(sorted((HERE / "ct").iterdir()), sorted(masks.iterdir()), strict=True):
        case = f"ball_{folder.name}"
        drawn = nibabel.Nifti1Image(np.load(mask).T.astype(np.uint8), np.diag([-1.5, -1.5, 2.5, 1]))
        nibabel.save(drawn, mask.with_suffix(".nii.gz"))
        write_series_file(raw / f"{case}.series.json", folder)
        write_label(raw / f"{case}.nii.gz", mask.with_suffix(".nii.gz"), folder)
        cases[case] = {"images": [f"{case}.series.json"], "label": f"{case}.nii.gz"}
    dataset = {
        "channel_names": {"0": "CT"},
        "labels": {"background": 0, "ball": 1},
        "numTraining": len(cases),
        "file_ending": ".nii.gz",
        "overwrite_image_reader_writer": "DicomIO",
        "dataset": cases,
    }
    (raw / "dataset.json").write_text(json.dumps(dataset, indent=2))
    # Imported once its folders are known.
    from nnunetv2.experiment_planning import plan_and_preprocess_api as nnunet  # noqa: PLC0415

    nnunet.extract_fingerprints([1], num_processes=1, check_dataset_integrity=True)


if __name__ == "__main__":
    main()
