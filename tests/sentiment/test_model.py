"""The learned model: what is hashed, what its file holds, and that a batch is no other than its texts."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from config.folding import fold
from config.schema import Brand
from sentiment import model as module
from sentiment.answers import Answers, Judge
from sentiment.api import ADDRESSED, HARMS, KINDS, LABELS, Circumstances
from sentiment.features import TURNS, WORDS, Bag, hashed
from sentiment.model import OUTPUTS, shipped
from sentiment.reader import FastReader
from sentiment.signals import WIDTH

READER = FastReader(Brand(name="Acme"))
TEXTS = st.one_of(
    st.text(max_size=80),
    st.text(st.sampled_from("ab z'.,!?退款没到はいบวก😡\u200b\ufe0f\n\ud800é"), max_size=40),
    st.sampled_from(["", " ", "refund", "退款", "where's my parcel", "x" * 900]),
)
EXTREME = [
    "",
    " ",
    "\n" * 50,
    "\ud800\udfff",
    "\x00",
    "😡" * 400,
    "👍",
    "a" * 50_000,
    "退" * 50_000,
    "no refund. " * 5000,
]


def features(bag: Bag, at: int) -> list[int]:
    """Those of one text; how they are ordered makes no difference to a sum."""
    start = int(bag.starts[at])
    return sorted(bag.rows[start : start + int(bag.counts[at])].tolist())


@given(st.lists(TEXTS, min_size=1, max_size=6))
@example(["", "退款", ""])
@example(["\ud800", "a", "b c"])
@settings(max_examples=150, deadline=None)
def test_a_text_is_hashed_alike_alone_and_in_any_batch(texts: list[str]) -> None:
    together = hashed(texts)
    for at, text in enumerate(texts):
        alone = hashed([text])
        for one, all_of_them, size in zip(alone, together, (WORDS, TURNS), strict=True):
            found = features(one, 0)
            assert found == features(all_of_them, at)
            assert found
            assert 0 <= found[0] <= found[-1] < size


@given(st.lists(TEXTS, max_size=6))
@settings(max_examples=100, deadline=None)
def test_a_batch_is_read_like_its_texts_one_by_one(texts: list[str]) -> None:
    folded = [fold(text) for text in texts]
    together = READER.read_many([(one, Circumstances()) for one in folded])
    for one, reading in zip(folded, together, strict=True):
        alone = READER.read(one, Circumstances())
        assert (reading.language, reading.addressed, reading.why) == (alone.language, alone.addressed, alone.why)
        for name in ("compound", "negative", "urgent", "needs_answer"):
            assert getattr(reading, name) == pytest.approx(getattr(alone, name), abs=2e-4)


@pytest.mark.parametrize("text", EXTREME, ids=range(len(EXTREME)))
def test_extreme_texts_are_read(text: str) -> None:
    reading = READER.read(fold(text), Circumstances())
    assert reading.label in LABELS
    assert all(0 <= number <= 1 for number in (reading.negative, reading.urgent, reading.needs_answer))
    assert -1 <= reading.compound <= 1


def test_no_texts_have_no_answers() -> None:
    assert Judge(shipped()).answers([], [], []) == []
    assert READER.read_many([]) == []


def test_the_outputs_lie_side_by_side() -> None:
    places = [place for part in OUTPUTS.values() for place in range(part.start, part.stop)]
    assert places == list(range(len(places)))
    assert OUTPUTS["kind"].stop - OUTPUTS["kind"].start == len(KINDS)
    assert OUTPUTS["harm"].stop - OUTPUTS["harm"].start == len(HARMS)
    assert OUTPUTS["addressed"].stop - OUTPUTS["addressed"].start == len(ADDRESSED)


def test_the_file_holds_what_the_outputs_say() -> None:
    model = shipped()
    answers = max(part.stop for part in OUTPUTS.values())
    given_width = model.words.shape[1] + model.turns.shape[1] + WIDTH
    assert (model.words.shape[0], model.turns.shape[0]) == (WORDS, TURNS)
    assert model.words.dtype == model.turns.dtype == np.dtype(np.int8)
    assert model.hidden.shape == (given_width, model.hidden_bias.shape[0])
    assert model.out.shape == (model.hidden_bias.shape[0], answers)
    assert model.skip.shape == (given_width, answers)
    assert model.out_bias.shape == (answers,)
    for array in (model.words_scale, model.turns_scale, model.hidden, model.out, model.skip, model.out_bias):
        assert np.isfinite(array).all()
    assert len(model.about["harm_from"]) == len(HARMS)  # type: ignore[arg-type]  # JSON


def test_each_harm_has_its_probability() -> None:
    [answer] = Judge(shipped()).answers(["my card was stolen"], [[0.0] * WIDTH], ["en"])
    assert isinstance(answer, Answers)
    assert len(answer.every_harm) == len(HARMS)
    for harm, probability in answer.harms.items():
        assert answer.every_harm[HARMS.index(harm)] == pytest.approx(probability)


class Loud:
    """Shows whether it was unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return pytest.fail, ("a pickle was opened",)


def test_a_pickle_in_the_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with np.load(Path(module.__file__).parent / "data" / "model.npz", allow_pickle=False) as found:
        arrays = {name: found[name] for name in found.files}
    arrays["out_bias"] = np.array([Loud()], dtype=object)
    np.savez(tmp_path / "model.npz", **arrays)
    monkeypatch.setattr(module, "files", lambda _: tmp_path)
    with pytest.raises(ValueError, match="allow_pickle"):
        module._loaded("model.npz")


def test_what_trains_is_not_in_the_wheel() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert "sentiment" in wheel["packages"]
    assert "sentiment/training" in wheel["exclude"]
