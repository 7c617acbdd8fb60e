from __future__ import annotations

from itertools import product

import pytest

from responders.guard import Circumstances, foregone, judge

FLAGS = list(product((False, True), repeat=4))


@pytest.mark.parametrize(("automated", "repost", "edit", "routed"), FLAGS)
@pytest.mark.parametrize("style", ["none", "default"])
def test_what_is_foregone_is_what_the_guard_would_say(
    *, automated: bool, repost: bool, edit: bool, routed: bool, style: str
) -> None:
    said = foregone(automated=automated, repost=repost, edit=edit, routed=routed, style=style)
    circumstances = Circumstances(
        routed=routed, style=style, mode="send", kind="complaint", kinds=("complaint",), addressed="to_us",
        private=False, mentions_us=True, automated=automated, repost=repost, edit=edit,
    )  # fmt: skip
    verdict = judge(circumstances)
    assert said == (verdict if verdict.outcome == "suppress" else None)
