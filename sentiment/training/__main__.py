"""How the shipped model is made: `python -m sentiment.training STEP --data FOLDER --work FOLDER`.

Steps follow each other: teacher, pool, label, student, export. Each leaves a file in the work folder and is passed
over where that is there; labels go on where they were stopped. README.md beside this file tells more.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sentiment.training import data, pool
from sentiment.training.corpus import calibrates, development, training, unlabelled
from sentiment.training.export import auc, calibrated, odds, rounded, write
from sentiment.training.inputs import seen
from sentiment.training.labels import label, labelled
from sentiment.training.syllabus import syllabus
from sentiment.training.twin import Twin, model_file, pieces

_VERSION = "2"


class _Given(NamedTuple):
    folders: Sequence[Path]
    work: Path
    few: int | None

    def __truediv__(self, name: str) -> Path:
        return self.work / name

    def needs(self, name: str, step: str) -> Path:
        """What an earlier step left. Raises ValueError where it did not."""
        if not (self / name).exists():
            raise ValueError(f"{self / name} is missing: first run `python -m sentiment.training {step}`")
        return self / name


def _teacher(given: _Given) -> None:
    """Both stages, and a checkpoint behind each."""
    from sentiment.training.teacher import ANSWERS_STAGE, MOODS_STAGE, Teacher, lessons  # needs torch

    sets = data.trained(given.folders)
    teacher = Teacher(model_file(), len(sets))
    for stage, name in ((MOODS_STAGE, "moods.pt"), (ANSWERS_STAGE, "teacher.pt")):
        if (given / name).exists():
            teacher.load(given / name)
            continue
        chance = random.Random(0)  # noqa: S311  the same each time
        teacher.learn(lessons(stage, sets, training(), chance), stage, chance, given.few)
        teacher.save(given / name)


def _pool(given: _Given) -> None:
    written = [pool.Item(pool.WRITTEN, text) for text in unlabelled()]
    single = [*written, *pool.words(pieces(model_file())), *pool.dictionary()]
    apart = [each.text for each in development()]
    pool.write(given / "pool.jsonl", pool.pool(data.trained(given.folders), training(), apart, single))


def _label(given: _Given) -> None:
    items = pool.read(given.needs("pool.jsonl", "pool"))
    twin = Twin(model_file(), given.needs("teacher.pt", "teacher"))
    print(label(twin, items, given / "labels.npy", given.few), "texts labelled")  # noqa: T201


def _student(given: _Given) -> None:
    from sentiment.training.student import learnt  # needs torch

    items = pool.read(given.needs("pool.jsonl", "pool"))
    labels = labelled(given.needs("labels.npy", "label"), len(items))
    found = syllabus(items, labels, data.trained(given.folders), training())
    if given.few is not None:
        found = found.drawn(given.few)
    print(len(found.texts), "texts")  # noqa: T201
    arrays = learnt(seen(found.texts), found)
    np.savez(given / "student.part.npz", **arrays)  # type: ignore[arg-type]  # the stub takes them for its own flags
    (given / "student.part.npz").rename(given / "student.npz")


def _export(given: _Given) -> None:
    with np.load(given.needs("student.npz", "student")) as arrays:
        model = rounded(dict(arrays), {})
    held = [each for each in training() if calibrates(each.text)]
    model = calibrated(model, _VERSION, held)
    write(model, given / "model.npz")
    apart = development()
    negative = odds(model, apart)["negative"]
    for name, prefix in (("English", "en"), ("Chinese", "zh")):
        some = np.asarray([each.language.startswith(prefix) for each in apart])
        truth = [each.negative for each in apart if each.language.startswith(prefix)]
        print(f"{name}: AUC of negative on the development split {auc(truth, negative[some]):.3f}")  # noqa: T201
    print(f"{given / 'model.npz'}: copy it to sentiment/data, then run `python -m sentiment.training.calm`")  # noqa: T201


_STEPS: Mapping[str, tuple[Callable[[_Given], None], str]] = {
    "teacher": (_teacher, "teacher.pt"),
    "pool": (_pool, "pool.jsonl"),
    "label": (_label, ""),
    "student": (_student, "student.npz"),
    "export": (_export, "model.npz"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """One step; 1 where its input is missing or wrong."""
    parser = argparse.ArgumentParser(prog="python -m sentiment.training", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("step", choices=_STEPS)
    parser.add_argument("--data", type=Path, action="append", required=True, help="where the sets lie; may be repeated")
    parser.add_argument("--work", type=Path, required=True, help="where each step leaves its file")
    parser.add_argument("--few", type=int, help="only so many batches or texts, to see that it works")
    given = parser.parse_args(arguments)
    step, leaves = _STEPS[given.step]
    if leaves and (given.work / leaves).exists():
        print(f"{given.work / leaves} is there; remove it to make it anew")  # noqa: T201
        return 0
    given.work.mkdir(parents=True, exist_ok=True)
    try:
        step(_Given(given.data, given.work, given.few))
    except ValueError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    sys.exit(main())
