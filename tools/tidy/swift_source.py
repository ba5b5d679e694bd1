# SPDX-License-Identifier: Apache-2.0
"""Just enough Swift: code without comments and string contents, and where functions begin and end."""

import dataclasses
import re


OPENING_QUOTE = re.compile(r'(#*)("""|")')
RAW_IDENTIFIER = re.compile(r"`[^`\n]*`")


def blank(source):
    """`source` with comments and the contents of string literals replaced by spaces.

    Lines and columns stay where they were. Code inside an interpolation stays visible.
    """
    return _Blanker(source).run()


class _Blanker:
    """Walks the source once, with a stack of the literals and interpolations it is inside of."""

    def __init__(self, source):
        self.source = source
        self.out = list(source)
        self.index = 0
        self.stack = [_Code()]

    def run(self):
        while self.index < len(self.source):
            state = self.stack[-1]
            if isinstance(state, _Literal):
                self._step_in_literal(state)
            else:
                self._step_in_code(state)
        return "".join(self.out)

    def _erase(self, count):
        for _ in range(min(count, len(self.source) - self.index)):
            if self.out[self.index] != "\n":
                self.out[self.index] = " "
            self.index += 1

    def _step_in_literal(self, literal):
        escape = "\\" + "#" * literal.hashes
        if self.source.startswith(literal.end, self.index):
            self.index += len(literal.end)
            self.stack.pop()
        elif self.source.startswith(escape + "(", self.index):
            self._erase(len(escape) + 1)
            self.stack.append(_Code(depth=1))
        elif self.source.startswith(escape, self.index):
            self._erase(len(escape) + 1)
        elif self.source[self.index] == "\n" and not literal.spans_lines:
            self.stack.pop()  # An unterminated literal: the compiler will say so.
        else:
            self._erase(1)

    def _step_in_code(self, state):
        if self.source.startswith("//", self.index):
            end = self.source.find("\n", self.index)
            self._erase((len(self.source) if end < 0 else end) - self.index)
        elif self.source.startswith("/*", self.index):
            self._erase_comment()
        elif identifier := RAW_IDENTIFIER.match(self.source, self.index):
            self.index = identifier.end()  # It may hold quotes and parentheses.
        elif quote := OPENING_QUOTE.match(self.source, self.index):
            self.index = quote.end()
            self.stack.append(_Literal(len(quote[1]), quote[2]))
        else:
            self._count_parenthesis(state, self.source[self.index])
            self.index += 1

    def _erase_comment(self):
        depth = 0
        while self.index < len(self.source):
            if self.source.startswith("/*", self.index):
                depth += 1
                self._erase(2)
            elif self.source.startswith("*/", self.index):
                depth -= 1
                self._erase(2)
                if depth == 0:
                    return
            else:
                self._erase(1)

    def _count_parenthesis(self, state, character):
        if len(self.stack) == 1:
            return
        if character == "(":
            state.depth += 1
        elif character == ")":
            state.depth -= 1
            if state.depth == 0:
                self.out[self.index] = " "
                self.stack.pop()


@dataclasses.dataclass
class _Code:
    """The file itself, or an interpolation that ends when its parentheses are closed."""

    depth: int = 0


@dataclasses.dataclass
class _Literal:
    """A string literal: `#"..."#` has one hash, and three quotes span lines."""

    hashes: int
    quote: str

    @property
    def end(self):
        return self.quote + "#" * self.hashes

    @property
    def spans_lines(self):
        return self.quote == '"""'


@dataclasses.dataclass(frozen=True)
class Function:
    """A function, initialiser, subscript or computed property with a body."""

    name: str
    first_line: int
    last_line: int

    @property
    def line_count(self):
        return self.last_line - self.first_line + 1


DECLARATION = re.compile(
    r"(?<![\w.`])(?:func\s+(`[^`]+`|[^\s(<]+)|(init)[?!]?\s*[(<]|(deinit)\b|(subscript)\s*[(<]"
    r"|var\s+(\w+)\s*:[^={}\n]*(?=\{))")
# A declaration goes on over a line break when the next line starts with one of these.
CONTINUES_WITH = re.compile(r"\s*(?:->|\{|where\b|throws\b|rethrows\b|async\b|\)|,|&)")


def functions(code):
    """The functions in `code`, which must be blanked."""
    found = []
    for match in DECLARATION.finditer(code):
        start = match.start()
        opening = _body_start(code, match.end())
        if opening is None:
            continue
        closing = _matching_brace(code, opening)
        name = next(group for group in match.groups() if group)
        first = code.count("\n", 0, start) + 1
        found.append(Function(name, first, code.count("\n", 0, closing) + 1))
    return found


def _body_start(code, index):
    """The offset of the `{` that opens the body, or None for a requirement without one."""
    depth = 1 if code[index - 1] == "(" else 0
    while index < len(code):
        character = code[index]
        if character in "([":
            depth += 1
        elif character in ")]":
            if depth == 0:
                return None
            depth -= 1
        elif depth == 0 and character == "{":
            return index
        elif depth == 0 and character in "};":
            return None
        elif depth == 0 and character == "\n":
            line_start = code.rfind("\n", 0, index) + 1
            line = code[line_start:index]
            rest = code[index + 1:].lstrip("\n")
            if not CONTINUES_WITH.match(rest) and not (
                    line.rstrip().endswith((",", "->", "where", "&"))):
                return None
        index += 1
    return None


def _matching_brace(code, opening):
    depth = 0
    for index in range(opening, len(code)):
        if code[index] == "{":
            depth += 1
        elif code[index] == "}":
            depth -= 1
            if depth == 0:
                return index
    return len(code) - 1
