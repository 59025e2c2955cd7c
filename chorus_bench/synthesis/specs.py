"""What is known of the builder, generators and annotators of the synthesis. Light.

Licenses and where weights come from are facts of their publishers' pages.
"""

from __future__ import annotations

from chorus_bench.datasets.registry import BuilderSpec
from chorus_bench.synthesis.registry import ComponentSpec

#: The name of the simulated world's generator and annotators.
SIMULATED = "simulated"

_GENERATORS = "chorus_bench.synthesis.generators"
_ANNOTATORS = "chorus_bench.synthesis.annotators"
_AGPL = "AGPL-3.0 (code and weights), or Ultralytics' commercial license"
_YOLO_FILE = "a file of yours (`model`): .torchscript or .onnx; .pt only with `trust_pickle`"
_SIMULATION = "part of chorus-bench, Apache-2.0"

BUILDERS = (
    BuilderSpec(
        name="synthesized",
        summary="images of a text-to-image model, annotated (`chorus-bench synthesize`)",
        function="chorus_bench.synthesis.recipe:synthesized_recipe",
        license="of the models",
    ),
)

GENERATORS = (
    ComponentSpec(
        name="diffusers",
        summary="any text-to-image model of diffusers, by its id on the hub or from a folder",
        function=f"{_GENERATORS}.diffusion:make_diffusion",
        weights="the hub, or a folder of yours (`model`)",
        license="diffusers: Apache-2.0; weights: the model's own",
        extra="synthesis",
    ),
    ComponentSpec(
        name=SIMULATED,
        summary="pictures of the simulated world; needs no model",
        function=f"{_GENERATORS}.simulated:make_simulated",
        license=_SIMULATION,
    ),
)

SEGMENTERS = (
    ComponentSpec(
        name="transformers",
        summary="instance segmentation with a fixed list of names, Mask2Former or MaskFormer",
        function=f"{_ANNOTATORS}.segmentation:make_segmentation",
        weights="facebook/mask2former-swin-small-coco-instance on the hub, or `model`",
        license="transformers: Apache-2.0; weights: the default's are CC BY-NC 4.0 by their "
        "authors' model zoo ('other' on the hub)",
        extra="synthesis",
    ),
    ComponentSpec(
        name="open-vocabulary",
        summary="objects of any name: Grounding DINO or OWLv2 finds boxes, SAM the masks",
        function=f"{_ANNOTATORS}.open_vocabulary:make_open_vocabulary",
        weights="IDEA-Research/grounding-dino-base and facebook/sam-vit-base on the hub",
        license="transformers: Apache-2.0; weights: Apache-2.0",
        extra="synthesis",
    ),
    ComponentSpec(
        name="ultralytics",
        summary="YOLO instance segmentation, 80 COCO names",
        function=f"{_ANNOTATORS}.yolo:make_yolo_segmenter",
        weights=_YOLO_FILE,
        license=_AGPL,
        extra="ultralytics",
    ),
    ComponentSpec(
        name="ultralytics-open",
        summary="YOLOE: instance segmentation of any name",
        function=f"{_ANNOTATORS}.yolo:make_yolo_open_segmenter",
        weights=f"{_YOLO_FILE}; with `text_encoder` or `embeddings`, or a prompt-free model",
        license=_AGPL,
        extra="ultralytics",
    ),
    ComponentSpec(
        name="coco",
        summary="annotations in a file of COCO's format, by the names of the pictures' files",
        function=f"{_ANNOTATORS}.coco_files:make_coco_segmenter",
        license="that of the annotations",
    ),
    ComponentSpec(
        name=SIMULATED,
        summary="the simulated world's truth, with settable noise",
        function=f"{_ANNOTATORS}.oracle:make_oracle_segmenter",
        license=_SIMULATION,
    ),
)

KEYPOINT_DETECTORS = (
    ComponentSpec(
        name="transformers",
        summary="ViTPose",
        function=f"{_ANNOTATORS}.keypoints:make_keypoints",
        weights="usyd-community/vitpose-plus-base on the hub, or `model`",
        license="transformers: Apache-2.0; weights: Apache-2.0",
        extra="synthesis",
    ),
    ComponentSpec(
        name="ultralytics",
        summary="YOLO pose",
        function=f"{_ANNOTATORS}.yolo:make_yolo_keypoints",
        weights=_YOLO_FILE,
        license=_AGPL,
        extra="ultralytics",
    ),
    ComponentSpec(
        name="coco",
        summary="keypoints in a file of COCO's format, by the names of the pictures' files",
        function=f"{_ANNOTATORS}.coco_files:make_coco_keypoints",
        license="that of the annotations",
    ),
    ComponentSpec(
        name=SIMULATED,
        summary="the simulated world's truth, with settable noise",
        function=f"{_ANNOTATORS}.oracle:make_oracle_keypoints",
        license=_SIMULATION,
    ),
)

POSE_ESTIMATORS = (
    ComponentSpec(
        name="nlf",
        summary="a TorchScript file of the NLF kind (`detect_smpl_batched`): perspective cameras",
        function=f"{_ANNOTATORS}.nlf:make_nlf",
        weights="a file of yours (`model`), from github.com/isarandi/nlf/releases",
        license="NLF's weights: non-commercial research; they need SMPL, under its own license",
        extra="torch",
    ),
    ComponentSpec(
        name="files",
        summary="poses computed elsewhere, one .npz or .json an image; FrankMocap's outputs too",
        function=f"{_ANNOTATORS}.pose_files:make_pose_files",
        weights="a folder of yours (`folder`) with the poses of each image, from any tool",
        license="that of the tool that made them",
    ),
    ComponentSpec(
        name=SIMULATED,
        summary="the simulated world's truth, with settable noise",
        function=f"{_ANNOTATORS}.oracle:make_oracle_poses",
        license=_SIMULATION,
    ),
)
