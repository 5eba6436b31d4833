"""Draws the beginning of a golden mail as docs/mail.svg, or with --check fails where the drawing is stale."""

import sys
from html import escape

import project

GOLDEN = project.ROOT / "crates/core/tests/pure/golden/snapshots/pure__golden__a_bad_run.snap"
DRAWING = project.ROOT / "docs" / "mail.svg"
END = "VIOLATIONS"
WIDTH, LINE, LEFT = 640, 18, 24
STYLE = """
    .paper { fill: #ffffff; stroke: #d0d7de; }
    .bar { fill: #f6f8fa; stroke: #d0d7de; }
    text { fill: #1f2328; font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; }
    .bold { font-weight: 600; }
    .verdict { font-weight: 600; fill: #cf222e; }
    .small { fill: #57606a; }
    @media (prefers-color-scheme: dark) {
      .paper { fill: #0d1117; stroke: #30363d; }
      .bar { fill: #161b22; stroke: #30363d; }
      text { fill: #e6edf3; }
      .verdict { fill: #ff7b72; }
      .small { fill: #9da7b3; }
    }
  """


def draw(golden: str) -> str:
    """The subject in a bar of its own, and the text down to the list of violations."""
    subject, text = golden.split("---\n", 2)[2].split("\n\n", 1)
    verdict, *lines = text[: text.index(f"\n{END}\n")].splitlines()
    styled = [(line, "bold" if line.isupper() and line[0] != " " else "plain") for line in lines]
    rows = [(verdict, "verdict"), *styled, ("", ""), ("…", "small")]
    height = 60 + LINE * (len(rows) + 1)
    texts = [f'  <text class="bold" x="{LEFT}" y="29">{escape(subject)}</text>']
    for index, (line, kind) in enumerate(rows):
        if line:
            texts.append(f'  <text class="{kind}" x="{LEFT}" y="{76 + LINE * index}">{escape(line)}</text>')
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" xml:space="preserve">',
        f"  <title>The beginning of a mail. {escape(subject)}</title>",
        f"  <style>{STYLE}</style>",
        f'  <rect class="paper" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>',
        f'  <rect class="bar" x="0.5" y="0.5" width="{WIDTH - 1}" height="46" rx="8"/>',
    ]
    return "\n".join([*drawn, *texts, "</svg>\n"])


if __name__ == "__main__":
    drawing = draw(GOLDEN.read_text())
    if sys.argv[1:] != ["--check"]:
        DRAWING.write_text(drawing)
    elif DRAWING.read_text() != drawing:
        sys.exit("error: docs/mail.svg is stale: run `make docs` and commit it")
