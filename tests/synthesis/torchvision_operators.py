"""Makes torchvision usable beside a torch that it was not built for; imported before torchvision.

The torchvision of the package index brings compiled operators for another build of torch, and
without them it does not even import. Of these operators YOLO's models need one, which is written
out here; the other is only named at import.
"""

import torch

_LIBRARY = torch.library.Library("torchvision", "DEF")
for _name in ("nms", "qnms"):
    _LIBRARY.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


def _nms(boxes, scores, threshold):
    """Non-maximum suppression: the boxes to keep, best first."""
    order = scores.argsort(descending=True, stable=True)
    left, top, right, bottom = boxes.unbind(1)
    area = (right - left) * (bottom - top)
    kept = []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(best)
        width = torch.minimum(right[best], right[rest]) - torch.maximum(left[best], left[rest])
        height = torch.minimum(bottom[best], bottom[rest]) - torch.maximum(top[best], top[rest])
        shared = width.clamp(min=0) * height.clamp(min=0)
        order = rest[shared / (area[best] + area[rest] - shared) <= threshold]
    return torch.stack(kept) if kept else torch.zeros(0, dtype=torch.int64)


def install():
    """Register the operators, if torchvision cannot bring its own."""
    _LIBRARY.impl("nms", _nms, "CPU")
    import torchvision.extension

    torchvision.extension._has_ops = lambda: True
