#!/usr/bin/env python3
"""Makes tests/golden/coco_ap.json: an annotated data set, detections, and COCO's figures as pycocotools 2.0 has them.

    coco_golden.py [--seed N] [--images N] OUT.json

Needs numpy and pycocotools. The file is a COCO annotation file with two more keys: `detections`, rows of image, category,
score, left, top, width, height; and `figures`, overall, by category and of subsets, null where nothing was to be found.
The data is random but for the seed, and has what evaluators differ in: equal scores, boxes whose overlap or area is
exactly at a bound, crowds, images and categories without annotations, more than 100 detections of a category in an image.
"""
import argparse
import contextlib
import json
import os
import random

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

CATEGORIES = {1: "person", 2: "bicycle", 3: "car", 6: "bus", 8: "truck", 18: "dog", 24: "zebra", 38: "kite"}
NEVER_ANNOTATED = 24
ONLY_IN_CROWDS = 38
NOT_LISTED = 99
SUBSETS = [[1], [3, 6, 8], [18, 24], [24, 38], [3, 3, 99]]
NAMES = ["ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large",
         "ar1", "ar10", "ar100", "ar_small", "ar_medium", "ar_large"]
WIDTH, HEIGHT = 640, 480


def a_box(rng):
    """Whole pixels, so that overlaps fall on the thresholds, or tenths of them."""
    side = rng.choice([(3, 30), (10, 32), (32, 96), (40, 90), (96, 300)])
    width, height = rng.choice([(32, 32), (96, 96), (rng.randint(*side), rng.randint(*side)),
                                (rng.randint(*side), rng.randint(*side)),
                                (round(rng.uniform(*side), 1), round(rng.uniform(*side), 1))])
    return [rng.randint(0, WIDTH - int(width) - 1), rng.randint(0, HEIGHT - int(height) - 1), width, height]


def jittered(rng, box):
    left, top, width, height = box
    kind = rng.random()
    if kind < 0.25:
        return box
    if kind < 0.45:  # Overlaps of exactly 1/2, 3/4, 9/10 and such.
        return [left, top, width, round(height * rng.choice([0.5, 0.55, 0.75, 0.8, 0.9]), 2)]
    far = rng.choice([0.02, 0.1, 0.2])
    shift = lambda size: round(rng.uniform(-far, far) * size, 1)
    return [round(left + shift(width), 1), round(top + shift(height), 1),
            round(width + shift(width), 1), round(height + shift(height), 1)]


def data_set(rng, how_many):
    ids = rng.sample(range(1, 10 * how_many), how_many)
    images = [{"id": i, "file_name": f"{i}.jpg", "width": WIDTH, "height": HEIGHT} for i in ids]
    annotations, detections = [], []
    score = lambda: rng.choice([round(rng.random(), 1), round(rng.random(), 2), 0.5])
    listed = [c for c in CATEGORIES if c != NEVER_ANNOTATED]
    for image in ids[how_many // 8:]:
        for _ in range(rng.randint(0, 9)):
            category = rng.choice(listed + [1, 1, 3])
            crowd = category == ONLY_IN_CROWDS or rng.random() < 0.1
            box = [rng.randint(0, 200), rng.randint(0, 200), 300, 200] if crowd else a_box(rng)
            area = round(box[2] * box[3] * rng.choice([1, 1, 0.7]), 1)
            annotations.append({"id": len(annotations) + 1, "image_id": image, "category_id": category, "bbox": box,
                                "area": area, "iscrowd": int(crowd)})
            for _ in range(rng.choice([0, 1, 1, 1, 2, 3])):
                seen = category if rng.random() < 0.9 else rng.choice(list(CATEGORIES) + [NOT_LISTED])
                detections.append([image, seen, score(), *jittered(rng, box)])
    for image in ids:
        for _ in range(rng.choice([0, 0, 1, 3])):
            detections.append([image, rng.choice(list(CATEGORIES)), score(), *a_box(rng)])
    for at in range(140):
        box = a_box(rng)
        detections.append([ids[-1], 1, round(rng.random(), 1), *box])
        if at % 5 == 0:
            annotations.append({"id": len(annotations) + 1, "image_id": ids[-1], "category_id": 1, "bbox": box,
                                "area": round(box[2] * box[3], 2), "iscrowd": 0})
    rng.shuffle(annotations)
    rng.shuffle(detections)
    categories = [{"id": i, "name": name} for i, name in CATEGORIES.items()]
    return {"images": images, "annotations": annotations, "categories": categories, "detections": detections}


def figures(truth, found, categories):
    evaluation = COCOeval(truth, found, "bbox")
    evaluation.params.catIds = categories
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return {name: None if value < 0 else round(float(value), 9) for name, value in zip(NAMES, evaluation.stats)}


def add_figures(data):
    truth = COCO()
    truth.dataset = json.loads(json.dumps(data))
    truth.createIndex()
    found = truth.loadRes([{"image_id": i, "category_id": c, "score": s, "bbox": box}
                           for i, c, s, *box in data["detections"]])
    ids = sorted(category["id"] for category in data["categories"])
    data["figures"] = {
        "overall": figures(truth, found, ids),
        "categories": {str(one): figures(truth, found, [one]) for one in ids},
        "subsets": [{"of": subset, "figures": figures(truth, found, subset)} for subset in SUBSETS],
    }


def as_text(data):
    """One record a line."""
    dump = lambda value: json.dumps(value, separators=(",", ":"))
    lists = [f'"{key}":[\n' + ",\n".join(map(dump, data[key])) + "\n]"
             for key in ["images", "categories", "annotations", "detections"]]
    return "{" + ",\n".join(lists) + f',\n"figures":{dump(data["figures"])}}}\n'


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seed", type=int, default=2017)
    options.add_argument("--images", type=int, default=40)
    options.add_argument("out")
    chosen = options.parse_args()
    data = data_set(random.Random(chosen.seed), chosen.images)
    with open(os.devnull, "w") as quiet, contextlib.redirect_stdout(quiet):
        add_figures(data)
    with open(chosen.out, "w") as out:
        out.write(as_text(data))


if __name__ == "__main__":
    main()
