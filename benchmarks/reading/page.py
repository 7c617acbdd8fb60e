"""The tables inside a page: each between `<!-- benchmark: NAME -->` and `<!-- /benchmark -->`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from benchmarks.reading.tables import Table, markdown

__all__ = ["BLOCK", "rewritten"]

BLOCK = re.compile(r"<!-- benchmark: (\w+) -->\n.*?<!-- /benchmark -->", re.DOTALL)


def rewritten(page: str, tables: Sequence[Table], notes: Mapping[str, str]) -> str:
    """The page with new tables and notes; what was not measured this time keeps what it says.

    Raises ValueError where the page names a block that is neither table nor note.
    """
    new = {**notes, **{table.name: markdown(table) for table in tables if table.rows}}
    known = {*new, *(table.name for table in tables)}

    def block(found: re.Match[str]) -> str:
        name = found[1]
        if name not in known:
            raise ValueError(f"no table `{name}`; there are {', '.join(sorted(known))}")
        return f"<!-- benchmark: {name} -->\n{new[name]}\n<!-- /benchmark -->" if name in new else found[0]

    return BLOCK.sub(block, page)
