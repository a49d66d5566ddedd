"""Docstrings are written to be read in a terminal; Sphinx reads reStructuredText."""

import re

_FIELD = re.compile(r"^(Shapes?|Dtypes?|Gradient|Raises|Source|Units?): ")
#: code, and the name of an argument in emphasis
_MARKUP = re.compile(r"(`+.+?`+|(?<![\w*])\*[A-Za-z]\w*\*(?![\w*]))")
_SPECIAL = re.compile(r"[*|]|(?<=\w)_(?!\w)")


def to_rst(lines):
    """Return the lines of a docstring as reStructuredText.

    A paragraph that begins with ``Shapes:``, ``Raises:`` and the like becomes a list of fields;
    what is text to a reader, as ``(N, *)`` or ``zero_``, stays text.
    """
    result, in_field, in_example = [], False, False
    for line in lines:
        if not line.strip():
            in_field = in_example = False
        elif line.lstrip().startswith(">>>"):
            in_example = True
        if in_example or not line.strip():
            result.append(line)
            continue
        line = _escape(line)
        if _FIELD.match(line):
            if result and result[-1].strip() and not in_field:
                result.append("")
            line, in_field = ":" + line, True
        elif in_field:
            line = "    " + line
        result.append(line)
    return result


def _escape(line):
    """Escape what reStructuredText would take for markup, outside of markup."""
    parts = _MARKUP.split(line)
    parts[::2] = [_SPECIAL.sub(r"\\\g<0>", part) for part in parts[::2]]
    return "".join(parts)
