"""Runs the adapters of Ultralytics' models on pictures; prints what came out as JSON.

Run by test_yolo.py, with a folder to work in, in a process that has the real package. The models
are real too, built from Ultralytics' own descriptions, with random weights.
"""

import json
import os
import socket
import sys
import traceback
from pathlib import Path

sys.path.remove(str(Path(__file__).parent))  # where a script's own modules would shadow others
CONNECTIONS = []


def _refuse(*args, **_):
    CONNECTIONS.append([str(args), traceback.format_stack(limit=6)])
    raise OSError("no network in this test")


socket.getaddrinfo = socket.create_connection = socket.gethostbyname = _refuse
socket.socket.connect = socket.socket.connect_ex = socket.socket.sendto = _refuse

from tests.synthesis import torchvision_operators  # noqa: E402

torchvision_operators.install()

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402

from chorus_bench.errors import ChorusBenchError  # noqa: E402
from chorus_bench.geometry.body_files import load_body  # noqa: E402
from chorus_bench.geometry.boxes import intersection_over_union  # noqa: E402
from chorus_bench.synthesis.annotators.yolo import (  # noqa: E402
    make_yolo_keypoints,
    make_yolo_open_segmenter,
    make_yolo_segmenter,
)
from chorus_bench.synthesis.annotators.yolo_models import import_ultralytics  # noqa: E402
from chorus_bench.synthesis.interfaces import Context, Detection, Picture  # noqa: E402

SIDE = 160
NAMES = {n: f"thing {n}" for n in range(80)} | {0: "person", 1: "bicycle", 2: "Tennis Racket"}
CATEGORIES = ("person", "bicycle", "tennis racket")
FOLDER = Path(sys.argv[1])
CONTEXT = Context(seed=1, body=load_body("default"))
RAW = {"conf": 0.0, "imgsz": SIDE, "device": "cpu", "verbose": False, "retina_masks": True}


def pictures():
    """Photographs of people, which come with Ultralytics, small, and of two sizes."""
    assets = Path(ULTRALYTICS.__file__).parent / "assets"
    shown = []
    for number, (name, size) in enumerate(
        [("bus.jpg", (160, 120)), ("zidane.jpg", (96, 160)), ("bus.jpg", (120, 160))]
    ):
        pixels = cv2.resize(cv2.imread(str(assets / name)), size[::-1])
        cv2.imwrite(str(FOLDER / f"{number}.png"), pixels)
        shown.append(Picture(str(number), None, np.ascontiguousarray(pixels[..., ::-1])))
    return shown


def squared(path):
    pixels = cv2.resize(cv2.imread(str(path)), (SIDE, SIDE))[..., ::-1]
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1) / 255


def calibrate(network):
    """Let batch normalisation see pictures, without which random features fade or explode."""
    norms = [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
        norm.train()
    with torch.no_grad():
        network(torch.stack([squared(FOLDER / f"{number}.png") for number in range(3)]))
    network.eval()


def widen(network):
    """Give random weights scores that differ between places and classes, and masks that show."""
    calibrate(network)
    head = network.model[-1]
    with torch.no_grad():
        for branch in head.cv3:
            branch[-1].weight.normal_(0, 0.01)
            branch[-1].bias.fill_(-1.0)
        for branch in (*head.cv2, *head.cv4):
            branch[-1].weight.mul_(0.1)
        if hasattr(head, "proto"):
            for branch in head.cv4:
                branch[-1].bias.fill_(1.0)
            head.proto.cv3.bn.bias.fill_(2.0)


def build(description, name, kind="YOLO", names=None):
    torch.manual_seed(20260101)
    model = getattr(ULTRALYTICS, kind)(description, verbose=False)
    if names:
        model.model.names = dict(names)
    calibrate(model.model) if kind == "YOLOE" else widen(model.model)
    model.save(FOLDER / name)
    return str(FOLDER / name)


def plain(detections):
    return [
        {
            "category": d.category,
            "box": d.box.tolist(),
            "score": d.score,
            "mask_shape": list(d.mask.shape),
            "mask_type": str(d.mask.dtype),
            "mask_pixels": int(d.mask.sum()),
            "mask_box": mask_box(d.mask),
        }
        for d in detections
    ]


def mask_box(mask):
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return None
    return [int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1]


def raw(model, picture, **more):
    """What Ultralytics itself finds in the picture's file, with the names in small letters."""
    result = ULTRALYTICS.YOLO(model, task=more.pop("task", None)).predict(
        FOLDER / f"{picture.sample_id}.png", max_det=300, **RAW, **more
    )[0]
    found = {
        "boxes": result.boxes.xyxy.tolist(),
        "scores": result.boxes.conf.tolist(),
        "classes": [result.names[int(number)].lower() for number in result.boxes.cls],
    }
    if result.masks is not None:
        found["mask_pixels"] = [int(m) for m in (result.masks.data > 0.5).sum(dim=(1, 2))]
    if result.keypoints is not None:
        found["keypoints"] = result.keypoints.data.tolist()
    return found


def message(function, *args, **options):
    """The error that the user sees."""
    try:
        function(*args, **options)
    except ChorusBenchError as error:
        return f"{type(error).__name__}: {error}"
    return "no error"


def segmenters(shown):
    model = build("yolo11n-seg.yaml", "seg.pt", names=NAMES)
    options = {"threshold": 0.0, "image_size": SIDE}
    segmenter = make_yolo_segmenter(CONTEXT, model=model, trust_pickle=True, **options)
    found = segmenter.segment(shown, CATEGORIES)
    alone = [segmenter.segment([picture], CATEGORIES)[0] for picture in shown]
    strict = make_yolo_segmenter(
        CONTEXT, model=model, trust_pickle=True, image_size=SIDE, threshold=0.9
    )
    exported = ULTRALYTICS.YOLO(model).export(format="torchscript", imgsz=SIDE, verbose=False)
    script = make_yolo_segmenter(CONTEXT, model=exported, **options)
    yield "description", segmenter.description
    yield "found", [plain(detections) for detections in found]
    yield "alone", [plain(detections) for detections in alone]
    yield "bicycles", plain(segmenter.segment(shown[:1], ["bicycle"])[0])
    yield "raw", [raw(model, picture, classes=[0, 1, 2]) for picture in shown]
    yield "none", [len(x) for x in segmenter.segment(shown, [])]
    yield "strict", [d.score for found in strict.segment(shown, CATEGORIES) for d in found]
    yield "exported", [plain(detections) for detections in script.segment(shown, CATEGORIES)]
    yield (
        "exported_raw",
        [raw(exported, picture, classes=[0, 1, 2], task="segment") for picture in shown],
    )
    yield "unknown", message(segmenter.check_categories, ["person", "bycicle"])
    yield "known", message(segmenter.check_categories, list(CATEGORIES))
    yield "exported_unknown", message(script.segment, shown, ["sofa"])
    yield "untrusted", message(make_yolo_segmenter, CONTEXT, model=model)
    yield (
        "pose_for_seg",
        message(make_yolo_segmenter, CONTEXT, model=str(FOLDER / "pose.pt"), trust_pickle=True),
    )


def keypoint_detectors(shown):
    model = build("yolo11n-pose.yaml", "pose.pt", names=NAMES)
    torch.set_num_threads(NUM_THREADS + 1)
    detector = make_yolo_keypoints(
        CONTEXT, model=model, threshold=0.0, image_size=SIDE, trust_pickle=True
    )
    detector.detect(shown, [[Detection("person", np.ones(4), 1.0, None)]] * len(shown))
    yield "threads", torch.get_num_threads() - NUM_THREADS
    torch.set_num_threads(NUM_THREADS)
    reference = [raw(model, picture) for picture in shown]
    picked = [chosen(picture, found) for picture, found in zip(shown, reference, strict=True)]
    keypoints = detector.detect(shown, [people for people, _ in picked])
    yield "chosen", [numbers for _, numbers in picked]
    yield "raw", reference
    yield "description", detector.description
    yield "keypoints", [found.tolist() for found in keypoints]
    yield "types", [str(found.dtype) for found in keypoints]
    yield "nobody", [list(x.shape) for x in detector.detect(shown, [[]] * len(shown))]
    yield (
        "exported_task",
        message(make_yolo_keypoints, CONTEXT, model=str(FOLDER / "seg.torchscript")),
    )


def chosen(picture, found):
    """Two people whom the model found, the second first, and one whom it cannot have found."""
    boxes = np.array(found["boxes"])
    sizes = (boxes[:, 2:] - boxes[:, :2]).min(axis=1)
    first = int(np.argmax(sizes > 20))
    others = (intersection_over_union(boxes[first], boxes)[0] < 0.3) & (sizes > 20)
    second = int(np.argmax(others))
    mask = np.zeros(picture.size, bool)
    wanted = [boxes[second], boxes[first], [-9, -9, -8, -8]]
    people = [Detection("person", np.array(box, np.float32), 0.9, mask) for box in wanted]
    return people, [second, first]


class Encoder(torch.nn.Module):
    """A text encoder with MobileCLIP's interface: tokens (N, 77) to unit vectors (N, 512)."""

    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(997, 512)

    def forward(self, tokens):
        mixed = self.embedding(tokens % 997).mean(dim=1)
        return mixed / mixed.norm(dim=-1, keepdim=True)


def open_segmenters(shown):
    model = build("yoloe-11s-seg.yaml", "yoloe.pt", kind="YOLOE")
    encoder = FOLDER / "mobileclip_blt.ts"
    torch.jit.trace(Encoder(), torch.zeros(2, 77, dtype=torch.int64)).save(str(encoder))
    options = {"model": model, "threshold": 0.0, "image_size": SIDE, "trust_pickle": True}
    by_text = make_yolo_open_segmenter(CONTEXT, text_encoder=str(encoder), **options)
    yield "description", by_text.description
    yield "any_name", message(by_text.check_categories, ["person", "a blue hat"])
    found = by_text.segment(shown[:1], ["person", "a blue hat"])
    yield "found", plain(found[0])
    yield "again", plain(by_text.segment(shown[:1], ["sofa"])[0])
    yield "back", plain(by_text.segment(shown[:1], ["person", "a blue hat"])[0])
    embeddings = FOLDER / "names.npz"
    stored = ULTRALYTICS.YOLOE(model)
    stored.model.clip_model = by_text._eye.yolo.model.clip_model
    words = ["person", "a blue hat"]
    stored.set_classes(words, stored.model.get_text_pe(words, cache_clip_model=True))
    stored.save_prompt_embeddings(embeddings)
    by_store = make_yolo_open_segmenter(CONTEXT, embeddings=str(embeddings), **options)
    yield "stored", plain(by_store.segment(shown[:1], ["person", "a blue hat"])[0])
    yield "stored_unknown", message(by_store.check_categories, ["sofa"])
    itself = make_yolo_open_segmenter(CONTEXT, **options)
    yield "itself_unknown", message(itself.check_categories, ["sofa"])
    yield "both", message(
        make_yolo_open_segmenter,
        CONTEXT, text_encoder=str(encoder), embeddings=str(embeddings), **options,
    )  # fmt: skip
    yield (
        "no_encoder",
        message(make_yolo_open_segmenter, CONTEXT, text_encoder="none.ts", **options),
    )
    yield "bad_encoder", message(make_yolo_open_segmenter, CONTEXT, text_encoder=model, **options)
    yield (
        "bad_store",
        message(make_yolo_open_segmenter, CONTEXT, embeddings=str(encoder), **options),
    )
    sys.modules["clip"] = None
    yield (
        "no_clip",
        message(make_yolo_open_segmenter, CONTEXT, text_encoder=str(encoder), **options),
    )


class Hostile:
    def __reduce__(self):
        return (os.mkdir, (str(FOLDER / "ran"),))


def files(shown):
    trusted = {"trust_pickle": True}
    yield "missing", message(make_yolo_segmenter, CONTEXT, model="yolo11n-seg.pt", **trusted)
    yield "kind", message(make_yolo_segmenter, CONTEXT, model="yolo11n-seg.yaml")
    damaged = FOLDER / "damaged.pt"
    damaged.write_bytes((FOLDER / "seg.pt").read_bytes()[:10000])
    yield "damaged", message(make_yolo_segmenter, CONTEXT, model=str(damaged), **trusted)
    torch.save({"model": Hostile()}, damaged)
    yield "hostile", message(make_yolo_segmenter, CONTEXT, model=str(damaged), **trusted)
    yield "ran", (FOLDER / "ran").exists()
    other = FOLDER / "other.torchscript"
    torch.jit.trace(torch.nn.Identity(), torch.zeros(1)).save(str(other))
    yield "other", message(make_yolo_segmenter, CONTEXT, model=str(other))


ULTRALYTICS = import_ultralytics()
# What Ultralytics sets: with another number, its own results differ from ours in the last digits.
NUM_THREADS = ULTRALYTICS.utils.NUM_THREADS


def main():
    shown = pictures()
    report = {"sizes": [list(picture.size) for picture in shown]}
    build("yolo11n-pose.yaml", "pose.pt", names=NAMES)
    for section in (segmenters, keypoint_detectors, files, open_segmenters):
        report[section.__name__] = dict(section(shown))
    events = sys.modules.get("ultralytics.utils.events")
    report["telemetry"] = bool(events.events.enabled) or bool(ULTRALYTICS.settings["sync"])
    report["environment"] = {k: v for k, v in os.environ.items() if k.startswith(("YOLO_", "OMP"))}
    report["connections"] = CONNECTIONS
    (FOLDER / "report.json").write_text(json.dumps(report))


main()
