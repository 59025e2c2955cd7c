"""A posed submission made of a canonical one: the bridge between the two tracks.

Every sample of a split gets the field of its category in its own posed space, on the protocol's
probe grid. There the evaluation reads the same voxel for the same probe point, so the four numbers
of every sample are those of the canonical submission, to the last bit.

Source: docs/protocol.md P12 and P13.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from chorus_bench.array_types import Float32
from chorus_bench.datasets.bodies import BodySource, body_for
from chorus_bench.datasets.eval_split import EvalSample, EvalSplit, load_split
from chorus_bench.engines.devices import check_geometry_device
from chorus_bench.engines.threads import in_order, thread_count
from chorus_bench.errors import InputError
from chorus_bench.evaluation.arguments import opened_submission
from chorus_bench.evaluation.conditioned import own_type
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.geometry.skinning import warp_backward
from chorus_bench.io.files import check_new_folder
from chorus_bench.io.locks import only_writer
from chorus_bench.metrics.protocol import OFFICIAL
from chorus_bench.names import given_categories
from chorus_bench.progress import ProgressLike, reported
from chorus_bench.submission import Submission, write_posed_submission
from chorus_bench.submission.write import SUBMISSION, DType


def pose_submission(
    submission: str | Path | Submission,
    split: str | Path | EvalSplit,
    output: str | Path,
    *,
    body: BodySource = None,
    categories: str | list[str] | None = None,
    own_types: bool = False,
    dtype: DType = "float32",
    workers: int | None = None,
    overwrite: bool = False,
    device: str = "cpu",
    progress: ProgressLike = None,
) -> Path:
    """Write a posed submission with the field of each sample of a split.

    Args:
        submission: of the canonical track; a folder, an archive, a name, or an open one.
        split: the test split; see `load_split`.
        output: the folder to write.
        body: the body of the split's poses; by default the free body.
        categories: only these; by default all that submission and split share.
        own_types: pose the field of each sample's own type of interaction (P36), as far as the
            submission has one.
        dtype: how the values are stored; only ``float32`` gives exactly the canonical scores.
        workers: number of threads; by default one per processor.
        overwrite: replace a submission that is there.
        device: where the spaces are warped, see `warp_backward`; the same bits.
        progress: called with (samples done, samples in all); by default a bar in terminals and
            notebooks, False for none.

    Returns:
        ``output``.

    Raises:
        InputError: a posed submission, no common category, another body than the split's, a
            folder that exists, or a device that is not there.
    """
    check_geometry_device(device)
    target, loaded = Path(output), load_split(split)
    model = body_for(loaded.body, body, f"split '{loaded.name}'")
    with only_writer(target), opened_submission(submission) as opened:
        check_new_folder(target, overwrite=overwrite, kind=SUBMISSION)
        samples = _samples(opened, loaded, given_categories(categories))
        fields: dict[str, dict[str, bytes]] = {}
        jobs = in_order(_Posing(opened, model, own_types, device), samples, thread_count(workers))
        with reported(progress, "Posing fields") as report:
            report(0, len(samples))
            for number, (sample, packed) in enumerate(jobs, start=1):
                fields.setdefault(sample.category, {})[sample.sample_id] = packed
                report(number, len(samples))
        return write_posed_submission(
            target,
            method=opened.method,
            fields={name: _Packed(members) for name, members in fields.items()},
            grid=OFFICIAL.grid,
            overwrite=overwrite,
            format="npz",
            dtype=dtype,
            **opened.metadata,
        )


def _samples(
    submission: Submission, split: EvalSplit, wanted: tuple[str, ...] | None
) -> tuple[EvalSample, ...]:
    """Return the samples of the categories that submission and split share."""
    if submission.track != "canonical":
        raise InputError(
            "a submission of the posed track",
            where=submission.path,
            expected="one of the canonical track, which is then posed for every sample",
        )
    shared = set(submission.categories) & set(split.counts if wanted is None else wanted)
    if not shared:
        raise InputError(
            "no category in common",
            where=f"{submission.path} and split '{split.name}'",
            expected=f"one of: {', '.join(sorted(split.counts))}",
            fix="give the split that the submission is for",
        )
    return split.select(sorted(shared))


@dataclass(frozen=True)
class _Posing:
    """Poses the field of a sample; returns its values compressed."""

    submission: Submission
    body: BodyModel
    own_types: bool
    device: str
    grid: GridSpec = OFFICIAL.grid

    def __call__(self, sample: EvalSample) -> bytes:
        skinning = OFFICIAL.skinning
        points = warp_backward(self.body, sample.pose, self.grid, skinning, device=self.device)
        return zlib.compress(self._field(sample).at(points).tobytes(), 1)

    def _field(self, sample: EvalSample) -> OccupancyGrid:
        if self.own_types:
            kinds = self.submission.interactions(sample.category)
            number = own_type(kinds, sample.label)
            if number is not None:
                return self.submission.interaction_field(sample.category, kinds[number].name)
        return self.submission.field(sample.category)


@dataclass(frozen=True)
class _Packed(Mapping[str, Float32]):
    """Sample id -> field; compressed in memory, because the writer asks twice."""

    members: Mapping[str, bytes]

    def __getitem__(self, sample_id: str) -> Float32:
        values = np.frombuffer(zlib.decompress(self.members[sample_id]), dtype=np.float32)
        return values.reshape(OFFICIAL.grid.shape)

    def __iter__(self) -> Iterator[str]:
        return iter(self.members)

    def __len__(self) -> int:
        return len(self.members)
