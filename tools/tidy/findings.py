# SPDX-License-Identifier: Apache-2.0
"""What a rule reports."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Finding:
    """One broken rule at one place. `line` counts from 1."""

    path: str
    line: int
    rule: str
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"


def line_of(text, offset):
    """The line number, from 1, of the character at `offset`."""
    return text.count("\n", 0, offset) + 1
