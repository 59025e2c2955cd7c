"""The texts of the card of the extended COCO-EFT split."""

from __future__ import annotations

from dataclasses import replace

from chorus_bench.datasets.coco_eft.makers import Makers
from chorus_bench.datasets.recipe import CardText

_CHORUS = """\
@inproceedings{han2023chorus,
  title = {{CHORUS}: Learning Canonicalized {3D} Human-Object Spatial Relations from Unbounded
           Synthesized Images},
  author = {Han, Sookwan and Joo, Hanbyul},
  booktitle = {Proceedings of the IEEE/CVF International Conference on Computer Vision (ICCV)},
  year = {2023}
}"""

_EFT = """\
@inproceedings{joo2021eft,
  title = {Exemplar Fine-Tuning for {3D} Human Model Fitting Towards In-the-Wild {3D} Human Pose
           Estimation},
  author = {Joo, Hanbyul and Neverova, Natalia and Vedaldi, Andrea},
  booktitle = {International Conference on 3D Vision (3DV)},
  year = {2021}
}"""

_COCO = """\
@inproceedings{lin2014coco,
  title = {Microsoft {COCO}: Common Objects in Context},
  author = {Lin, Tsung-Yi and Maire, Michael and Belongie, Serge and Hays, James and
            Perona, Pietro and Ramanan, Deva and Doll{\\'a}r, Piotr and Zitnick, C. Lawrence},
  booktitle = {European Conference on Computer Vision (ECCV)},
  year = {2014}
}"""

_SUMMARY = """\
Person-object pairs of COCO 2014 val with a body pose, a perspective camera and the masks of
both: the test split on which Projective Average Precision (PAP) scores 3D fields of human-object
spatial relations. One row is one pair; pixel ~ K (R x + t), x in metres in the body frame with
zero global orientation."""

_CONSTRUCTION = """\
Fits are taken in the order of their image names. A fit gives a row for each object category
(all of COCO's but person) for which

1. the image has exactly one person annotation and exactly one of the category (crowds count);
2. the boxes overlap: intersection over the area of the smaller one is at least 0.5;
3. a perspective camera fits the 24 body points with a loss of at most 1.0 px (Frobenius norm of
   the (24, 2) residual over 24).

Poses are axis-angle in radians; the shape is kept and not used by PAP. Masks are COCO's own, as
run-length encodings. Cameras are data: they are not fitted again for scoring, because the fit
stops early and thousands of steps drift by rounding."""

_MASKS = "- Masks, boxes, ids: COCO annotations, CC BY 4.0, COCO Consortium."

_POSES = "- Poses, shapes, cameras: derived from the EFT fits, CC BY-NC 4.0."

_REST = """\
- Pictures, where they are embedded: each under its photographer's license on Flickr, named in the
  columns `license` and `license_url`. COCO does not own them. Check before you redistribute them.
- The rows contain nothing of a body model. Scoring needs a body (SMPL, under its own license)."""

_OTHERS_POSES = """\
- Poses, shapes, cameras: derived from the fits '{name}', which must not be taken for EFT's; they
  are under the license of their makers. What is known of them: {known_by}."""

TEXT = CardText(
    title="Extended COCO-EFT",
    summary=_SUMMARY,
    construction=_CONSTRUCTION,
    license="cc-by-nc-4.0",
    license_note="\n".join((_MASKS, _POSES, _REST)),
    citation="\n\n".join((_CHORUS, _EFT, _COCO)),
    tags=("human-object-interaction", "3d", "smpl", "coco", "chorus-bench"),
)


def card_text(makers: Makers) -> CardText:
    """Return the card's texts: those of COCO-EFT for EFT's fits only."""
    if makers.eft:
        return TEXT
    poses = _OTHERS_POSES.format(name=makers.name, known_by=makers.known_by)
    return replace(
        TEXT,
        title=f"Extended COCO with the fits '{makers.name}', not EFT's",
        license="other",
        license_note="\n".join((_MASKS, poses, _REST)),
        citation="\n\n".join((_CHORUS, _COCO)),
    )
