"""Made-up leaderboard sites: any texts, also those that no entry could carry past the checks."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace

import numpy as np

from chorus_bench.datasets.masks import encode_mask
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.leaderboard.page_pictures import heats_data, listed, masks_data
from chorus_bench.leaderboard.site import others
from chorus_bench.leaderboard.summary import summary_within
from chorus_bench.metrics.pap import SCORE_NAMES
from chorus_bench.metrics.ranking import rank_methods, rank_with_categories
from chorus_bench.metrics.resampling import bootstrap_intervals
from chorus_bench.report.board_measures import shown_measures
from chorus_bench.report.fields import SmallFields
from chorus_bench.report.overlays import Overlay
from chorus_bench.report.samples import ChosenSample
from chorus_bench.report.web import ASSETS, asset_file, body_data, render

MEANS = tuple(f"m{name}" for name in SCORE_NAMES)
CATEGORIES = (
    "backpack", "baseball bat", "bench", "bicycle", "frisbee", "handbag", "motorcycle",
    "skateboard", "skis", "snowboard", "sports ball", "suitcase", "tennis racket", "umbrella",
)  # fmt: skip
NAMES = (
    "CHORUS (reference)", "Ray hull", "Visual hull, 24 views", "Mean box", "Body-relative Gaussian",
    "Nearest training image", "Uniform shell",
)  # fmt: skip


def text64(values, dtype):
    return base64.b64encode(np.ascontiguousarray(values, dtype=dtype).tobytes()).decode()


class MadeUpSite:
    """Methods with random scores on made-up samples; `methods` may be changed before `write`."""

    def __init__(self, methods=7, samples_each=40, categories=CATEGORIES, *, seed=0, resamples=200):
        rng = np.random.default_rng(seed)
        self.categories, self.each = list(categories), samples_each
        slugs = [f"method-{n}" for n in range(methods)]
        hardness = rng.uniform(0.1, 0.5, len(categories))
        self.areas = {
            name: np.stack([np.full(samples_each, 50), rng.integers(0, 6, samples_each)], axis=1)
            for name in categories
        }
        noise = {name: rng.normal(0, 0.08, samples_each) for name in categories}
        self.tables = {
            slug: {
                name: (self._scores(rng, n, hard, noise[name]), self.areas[name])
                for name, hard in zip(categories, hardness, strict=True)
            }
            for n, slug in enumerate(slugs)
        }
        self.board = self._board(slugs, resamples)
        self.pictures, self.overlays, self.fields, self.entries = {}, {}, {}, {}

    def _scores(self, rng, number, hard, noise):
        level = hard * (1 - 0.13 * min(number, 4) - 0.004 * number + rng.normal(0, 0.07))
        plain = np.clip(level + noise + rng.normal(0, 0.05, self.each), 0, 1)
        return np.stack([plain, 0.9 * plain, 0.8 * plain + 0.02, 0.7 * plain], axis=1)

    def _board(self, slugs, resamples):
        rankings = {
            mean: rank_methods(self.tables, score=mean, resamples=resamples) for mean in MEANS
        }
        order = rankings["mPAP"].order()
        _, within = rank_with_categories(self.tables, resamples=resamples)
        self.within = within
        rows = [self._method(slugs, i, rankings, resamples) for i in order]
        pick = np.ix_(order, order)
        return {
            "id": "b0", "title": "simulated, default body, canonical track", "kind": "computed",
            "signature": "PAP|v1|split:simulated-test@0123456789abcdef|grid:48x3.0|body:default",
            "signature_parts": {"split": "simulated-test@0123456789abcdef", "body": "default@eafe"},
            "track": "canonical", "samples": len(self.categories) * self.each, "methods": rows,
            "categories": [self._category_json(name, rows, within[name]) for name in self.categories],
            "about": {"text": "Made-up numbers.", "page": "simulated_world.md"}, "few": None,
            "differences": {
                mean: {"low": text64(r.low[pick], "<f4"), "high": text64(r.high[pick], "<f4")}
                for mean, r in rankings.items()
            },
            "summary": {mean: self._summary(rows, r, order, mean) for mean, r in rankings.items()},
        }  # fmt: skip

    def _method(self, slugs, i, rankings, resamples):
        _overall, each = bootstrap_intervals(self.tables[slugs[i]], resamples=resamples)
        status = ("verified", "self-reported")[i % 2]
        return {
            "slug": slugs[i], "method": NAMES[i] if i < len(NAMES) else f"Variant {i}",
            "status": status, "date": f"2026-{1 + i % 12:02d}-{1 + i % 28:02d}",
            "submitted_by": ("Aalto group", "Lab of Vision", "K. Example")[i % 3],
            "training_data": "2,000 generated images a category",
            "saw_coco_val": ("no", "yes", "unknown")[i % 3], "track": "canonical",
            "sees_truth": False,
            "description": "A made-up method.\nIt exists only in this test.",
            "links": {"paper": "https://example.org/paper", "code": None, "submission": None},
            "page": f"methods/{slugs[i]}.html", "has_fields": False, "has_scores": True,
            "pictured": 0, "training_share": (1.0, 0.1, 0.01, None)[min(i, 3)], "truth": None,
            "scores": {mean: float(r.values[i]) for mean, r in rankings.items()},
            "intervals": {mean: r.intervals[i].as_list() for mean, r in rankings.items()},
            "rank": {mean: int(r.ranks[i]) for mean, r in rankings.items()},
            "last_rank": {mean: int(r.last_ranks[i]) for mean, r in rankings.items()},
            "closed": None, "verified": None, "repeat": None,
            "first_share": {mean: float(r.first_share[i]) for mean, r in rankings.items()},
            "categories": {
                name: self._category(self.tables[slugs[i]][name][0], each[name])
                | {
                    key: [int(getattr(r, f"{key}s")[i])
                          if (r := self.within[name].get(s)) else None for s in SCORE_NAMES]
                    for key in ("rank", "last_rank")
                }
                for name in self.categories
            },
            "categories_count": len(self.categories), "samples": len(self.categories) * self.each,
            "signature": "PAP|v1|...", "sha256": f"{i:064x}",
        }  # fmt: skip

    @staticmethod
    def _category(scores, intervals):
        """As the board has it: what has no sample has no score and no interval."""
        means = [None if np.isnan(mean) else mean for mean in scores.mean(axis=0).tolist()]
        bounds = [intervals.get(name) for name in SCORE_NAMES]
        return {
            **dict(zip(SCORE_NAMES, means, strict=True)),
            "low": [b and b.low for b in bounds],
            "high": [b and b.high for b in bounds],
            "missing": False,
            "closed": None,
        }

    def _category_json(self, name, rows, rankings):
        areas = self.areas[name]
        return {
            "name": name, "samples": self.each, "counted": int((areas[:, 0] > 0).sum()),
            "counted_hoa": int((areas.min(axis=1) > 0).sum()),
            "summary": summary_within(name, rows, self._reordered(rows, rankings)),
        }  # fmt: skip

    @staticmethod
    def _reordered(rows, rankings):
        return {
            score: ranking.reordered([ranking.methods.index(row["slug"]) for row in rows])
            for score, ranking in rankings.items()
        }

    def _summary(self, rows, ranking, order, mean):
        best = sorted(rows, key=lambda row: -row["scores"][mean])[:2]
        if len(best) < 2:
            return {"leader": best[0]["slug"], "next": None, "difference": None, "low": None,
                    "high": None, "gains": []}  # fmt: skip
        first, second = (ranking.methods.index(row["slug"]) for row in best)
        score = mean[1:]
        gains = [
            {"category": n, "difference": best[0]["categories"][n][score] - best[1]["categories"][n][score]}
            for n in self.categories
        ]  # fmt: skip
        gains = sorted((g for g in gains if g["difference"] > 0), key=lambda g: -g["difference"])
        return {
            "leader": best[0]["slug"], "next": best[1]["slug"],
            "difference": best[0]["scores"][mean] - best[1]["scores"][mean],
            "low": float(ranking.low[first, second]), "high": float(ranking.high[first, second]),
            "gains": gains[:3],
        }  # fmt: skip

    def scores_of(self, slug, score="PAP"):
        """Per-sample scores of a method, category after category."""
        column = SCORE_NAMES.index(score)
        return np.concatenate([self.tables[slug][name][0][:, column] for name in self.categories])

    def add_fields(self, slug, categories=("bicycle", "skateboard"), resolution=24):
        """Give a method blobs of probability: one in front of the person, one at the feet."""
        axis = (np.arange(resolution) + 0.5) / resolution * 3 - 1.5
        x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
        places = {"bicycle": (0.0, -0.2, 0.3, 0.45), "skateboard": (0.3, -0.85, 0.0, 0.25)}
        self.fields[slug] = {
            name: np.rint(
                200 * np.exp(-((x - a) ** 2 + (y - b) ** 2 + 3 * (z - c) ** 2) / (2 * s**2))
            ).astype(np.uint8)
            for name, (a, b, c, s) in places.items()
            if name in categories
        }
        self.row(slug)["has_fields"] = True

    def add_overlays(self, slug, category="bicycle", numbers=(0, 1, 2)):
        """Give a method pictures of a few samples: a person, an object, and heat on the object."""
        person, target = np.zeros((2, 60, 80), np.uint8)
        person[10:50, 30:40] = 1
        target[20:40, 45:65] = 1
        heat = np.zeros((32, 42), np.uint8)
        heat[11:22, 24:34] = 255
        masks = encode_mask(person), encode_mask(target)
        self.overlays[slug] = {
            ChosenSample(f"{category}/{n:03d}", category, "best", 0.5): Overlay(heat, 0.8, *masks)
            for n in numbers
        }
        self.row(slug)["pictured"] = len(numbers)

    def _pictured(self, slug):
        return SimpleNamespace(slug=slug, pictures=self.overlays[slug])

    def row(self, slug):
        return next(row for row in self.board["methods"] if row["slug"] == slug)

    def site(self, boards=()):
        return {"format": 2, "built": "2026-11-24", "version": "0.1.0",
                "score_names": list(SCORE_NAMES), "boards": [self.board, *boards],
                "notes": ["Made-up numbers."]}  # fmt: skip

    def write(self, folder, boards=()):
        """Write the whole site."""
        for name in ("assets", "data", "methods"):
            (folder / name).mkdir(parents=True)
        for name in ASSETS:
            (folder / "assets" / name).write_bytes(asset_file(name).read_bytes())
        site = self.site(boards)
        page = render("index.html.jinja", site=site, lost=0.01, measures={})
        (folder / "index.html").write_text(page, encoding="utf-8")
        (folder / "board.json").write_text(json.dumps(site))
        for name in ("board.csv", "categories.csv"):
            (folder / name).write_text("method\n")
        script(folder / "data" / "board.js", "board", site | {"measures": shown_measures(site["boards"])})  # fmt: skip
        script(folder / "data" / "samples-b0.js", 'sampleIds["b0"]', self._sample_ids())
        for row in self.board["methods"]:
            self._write_method(folder, site, row)
        if self.overlays:
            masks = masks_data([self._pictured(slug) for slug in self.overlays])
            script(folder / "data" / "masks-b0.js", 'masks["b0"]', masks)
        if self.fields:
            script(folder / "data" / "body.js", "body", body_data(load_body("default")))
        return folder

    def _sample_ids(self):
        areas = np.concatenate([self.areas[name] for name in self.categories])
        return {
            "ids": [f"{name}/{n:03d}" for name in self.categories for n in range(self.each)],
            "categories": np.repeat(np.arange(len(self.categories)), self.each).tolist(),
            "counted": (areas[:, 0] > 0).astype(int).tolist(),
            "counted_hoa": (areas[:, 1] > 0).astype(int).tolist(),
        }

    def _write_method(self, folder, site, row):
        slug = row["slug"]
        pictures = self.pictures.get(slug, [])
        data = {
            "scores": {
                name: text64(np.rint(65535 * self.scores_of(slug, name)), "<u2")
                for name in SCORE_NAMES
            },
            "curves": curves(row, "PAP"),
            "curves_hoa": curves(row, "PAP_hoa"),
        }
        script(folder / "data" / f"{slug}.js", f'methods["{slug}"]', data)
        if slug in self.overlays:
            heats = heats_data(self._pictured(slug))
            script(folder / "data" / f"{slug}-pictures.js", f'pictures["{slug}"]', heats)
            pictures = [*pictures, *listed(self._pictured(slug))]
        if slug in self.fields:
            values = self.fields[slug]
            fields = SmallFields(GridSpec(len(next(iter(values.values())))), values).data()
            script(folder / "data" / f"{slug}-fields.js", f'fields["{slug}"]', fields)
        nothing = dict.fromkeys(("authors", "affiliation", "license", "citation", "parameters", "verified", "recipe", "files"))  # fmt: skip
        page = render(
            "method.html.jinja", site=site, board=self.board, method=row, pictures=pictures, lost=0.01,
            entry=nothing | self.entries.get(slug, {}), measures=[], readings=[],
            among=others(self.board),
        )  # fmt: skip
        (folder / "methods" / f"{slug}.html").write_text(page, encoding="utf-8")


def curves(row, score):
    """Those of a method: the mean over the categories, and of each category."""
    return {"": curve(row["scores"][f"m{score}"] or 0.0)} | {
        name: curve(numbers[score] or 0.0) for name, numbers in row["categories"].items()
    }


def curve(score):
    """A falling precision over a rising recall whose area is about the score."""
    thresholds = np.linspace(0.01, 0.99, 99)
    recall = np.clip(1.0 - thresholds**1.5, 0, 1) * 0.9
    precision = np.clip(score * (0.6 + 1.2 * thresholds), 0, 1)
    return {
        "recall": text64(np.rint(65535 * recall), "<u2"),
        "precision": text64(np.rint(65535 * precision), "<u2"),
        "undefined_from": 90,
    }


def script(path, place, value):
    text = json.dumps(value).replace("</", "<\\/")
    start = "window.CHORUS_BENCH=window.CHORUS_BENCH||{};"
    if "[" in place:
        table = place.partition("[")[0]
        start += f"window.CHORUS_BENCH.{table}=window.CHORUS_BENCH.{table}||{{}};"
    path.write_text(f"{start}\nwindow.CHORUS_BENCH.{place}={text};\n", encoding="utf-8")
