"""Descriptions of the shipped generators and annotators, without heavy imports.

Licenses and origins of weights are as stated on their publishers' pages.
"""

from __future__ import annotations

from chorus_bench.synthesis.registry import ComponentSpec

_GENERATORS = "chorus_bench.synthesis.generators"
_ANNOTATORS = "chorus_bench.synthesis.annotators"
_AGPL = "AGPL-3.0 (code and weights), or Ultralytics' commercial license"
_YOLO_FILE = "your own file (`model`): .torchscript or .onnx; .pt only with `trust_pickle`"
_SIMULATION = "part of chorus-bench, Apache-2.0"

GENERATORS = (
    ComponentSpec(
        name="diffusers",
        summary="any text-to-image model for diffusers, by its hub id or from a folder",
        factory=f"{_GENERATORS}.diffusion:make_diffusion",
        weights="the hub, or your own folder (`model`)",
        licence="diffusers: Apache-2.0; weights: the model's own",
        extra="synthesis",
    ),
    ComponentSpec(
        name="simulated",
        summary="pictures of the simulated world; needs no model",
        factory=f"{_GENERATORS}.simulated:make_simulated",
        licence=_SIMULATION,
    ),
)

SEGMENTERS = (
    ComponentSpec(
        name="transformers",
        summary="instance segmentation with a fixed list of names, Mask2Former or MaskFormer",
        factory=f"{_ANNOTATORS}.segmentation:make_segmentation",
        weights="facebook/mask2former-swin-small-coco-instance on the hub, or `model`",
        licence="transformers: Apache-2.0; weights: the default's are CC BY-NC 4.0 by their "
        "authors' model zoo ('other' on the hub)",
        extra="synthesis",
    ),
    ComponentSpec(
        name="open-vocabulary",
        summary="objects of any name: boxes by Grounding DINO or OWLv2, masks by SAM",
        factory=f"{_ANNOTATORS}.open_vocabulary:make_open_vocabulary",
        weights="IDEA-Research/grounding-dino-base and facebook/sam-vit-base on the hub",
        licence="transformers: Apache-2.0; weights: Apache-2.0",
        extra="synthesis",
    ),
    ComponentSpec(
        name="ultralytics",
        summary="YOLO instance segmentation, 80 COCO names",
        factory=f"{_ANNOTATORS}.yolo:make_yolo_segmenter",
        weights=_YOLO_FILE,
        licence=_AGPL,
        extra="ultralytics",
    ),
    ComponentSpec(
        name="ultralytics-open",
        summary="YOLOE: instance segmentation of any name",
        factory=f"{_ANNOTATORS}.yolo:make_yolo_open_segmenter",
        weights=f"{_YOLO_FILE}; with `text_encoder` or `embeddings`, or a prompt-free model",
        licence=_AGPL,
        extra="ultralytics",
    ),
    ComponentSpec(
        name="simulated",
        summary="the simulated world's ground truth, with settable noise",
        factory=f"{_ANNOTATORS}.oracle:make_oracle_segmenter",
        licence=_SIMULATION,
    ),
)

KEYPOINT_DETECTORS = (
    ComponentSpec(
        name="transformers",
        summary="ViTPose",
        factory=f"{_ANNOTATORS}.keypoints:make_keypoints",
        weights="usyd-community/vitpose-plus-base on the hub, or `model`",
        licence="transformers: Apache-2.0; weights: Apache-2.0",
        extra="synthesis",
    ),
    ComponentSpec(
        name="ultralytics",
        summary="YOLO pose",
        factory=f"{_ANNOTATORS}.yolo:make_yolo_keypoints",
        weights=_YOLO_FILE,
        licence=_AGPL,
        extra="ultralytics",
    ),
    ComponentSpec(
        name="simulated",
        summary="the simulated world's ground truth, with settable noise",
        factory=f"{_ANNOTATORS}.oracle:make_oracle_keypoints",
        licence=_SIMULATION,
    ),
)

POSE_ESTIMATORS = (
    ComponentSpec(
        name="nlf",
        summary="a TorchScript file of the NLF kind (`detect_smpl_batched`): perspective cameras",
        factory=f"{_ANNOTATORS}.nlf:make_nlf",
        weights="your own file (`model`), from github.com/isarandi/nlf/releases",
        licence="NLF's weights: non-commercial research; they need SMPL, under its own license",
        extra="torch",
    ),
    ComponentSpec(
        name="files",
        summary="poses computed elsewhere, one .npz or .json per image; also FrankMocap's outputs",
        factory=f"{_ANNOTATORS}.pose_files:make_pose_files",
        licence="that of the tool that made them",
    ),
    ComponentSpec(
        name="simulated",
        summary="the simulated world's ground truth, with settable noise",
        factory=f"{_ANNOTATORS}.oracle:make_oracle_poses",
        licence=_SIMULATION,
    ),
)
