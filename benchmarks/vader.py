"""vaderSentiment's own score: the package against ours, on the same generated texts, in turns.

`python -m benchmarks.vader` prints the ratio. The memo of words is warmed on other texts than the measured ones.
"""

from __future__ import annotations

import random
import statistics
from dataclasses import dataclass
from time import process_time

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from sentiment.data import lines
from sentiment.vader import Vader

__all__ = ["Ratio", "compare", "mixes"]

TEXTS, ROUNDS = 4_000, 5
BOUND = 4.0
"""At least so many times as fast as the package."""

TURNS = ["not", "never", "isn't", "can't", "no", "without", "very", "so", "really", "kind of", "but", "least", "hardly"]
EMOJI = ["😡", "😊", "❤", "👍", "🎉", "😭"]
ENDS = ["", "", "", ".", "!", "!!!", "?", "..."]


@dataclass(frozen=True, slots=True)
class Ratio:
    """Medians of the rounds: how many times as fast, and microseconds a text. `differing` must be 0."""

    times: float
    package_us: float
    ours_us: float
    differing: int


def mixes(count: int, seed: int) -> list[str]:
    """Texts as long as a post: plain words, a few with a mood, now and then negation, capitals or an emoji."""
    chance = random.Random(seed)
    plain, moody = lines("words_en.txt"), sorted(word for word in Vader().lexicon if word.isalpha())
    texts: list[str] = []
    for _ in range(count):
        words = [chance.choice(plain) for _ in range(chance.randint(10, 24))]
        for _ in range(chance.choice((0, 0, 1, 1, 1, 2, 2, 3))):
            word = chance.choice(moody)
            turn = [chance.choice(TURNS)] if chance.random() < 0.3 else []
            at = chance.randrange(len(words))
            words[at:at] = [*turn, word.upper() if chance.random() < 0.05 else word]
        if chance.random() < 0.05:
            words.append(chance.choice(EMOJI))
        texts.append(" ".join(words) + chance.choice(ENDS))
    return texts


def compare(count: int = TEXTS, rounds: int = ROUNDS) -> Ratio:
    """The package and ours in turns over the same texts, so that both have the same machine."""
    package, ours = SentimentIntensityAnalyzer(), Vader()
    for text in mixes(5 * count, seed=1):
        ours.compound(text)
    texts = mixes(count, seed=2)
    differing = sum(ours.polarity_scores(text) != package.polarity_scores(text) for text in texts)
    pairs = [(_seconds(package, texts), _own_seconds(ours, texts)) for _ in range(rounds)]
    return Ratio(
        times=statistics.median(theirs / mine for theirs, mine in pairs),
        package_us=statistics.median(theirs for theirs, _ in pairs) / count * 1e6,
        ours_us=statistics.median(mine for _, mine in pairs) / count * 1e6,
        differing=differing,
    )


def _seconds(package: SentimentIntensityAnalyzer, texts: list[str]) -> float:
    start = process_time()
    for text in texts:
        package.polarity_scores(text)
    return process_time() - start


def _own_seconds(ours: Vader, texts: list[str]) -> float:
    start = process_time()
    for text in texts:
        ours.compound(text)
    return process_time() - start


def main() -> int:
    ratio = compare()
    print(
        f"{ratio.times:.2f} times as fast as the package (at least {BOUND:g}): "
        f"{ratio.ours_us:.1f} against {ratio.package_us:.1f} µs a text, {ratio.differing} of {TEXTS} differing"
    )
    return 0 if ratio.times >= BOUND and not ratio.differing else 1


if __name__ == "__main__":
    raise SystemExit(main())
