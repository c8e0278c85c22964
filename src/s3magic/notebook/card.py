"""The look of a progress block: figures in, HTML out.

Colours are JupyterLab's theme variables, or else VS Code's, or else ones that
suit the system's light or dark mode. Background and text come as a pair from
the same source, so that they never fail to contrast. Digits are tabular and
every row has its height, so nothing jitters and nothing jumps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3magic.transfer.figures import Figures, share
from s3magic.wording import filesize, markup, printable, shorten

if TYPE_CHECKING:
    from s3magic.transfer.progress import Active

__all__ = ["card"]

_LONGEST = 160  # characters of a name, more than the widest block has room for
_TAIL = 26  # characters at a name's end, which tells most, that stay when it is cut

_STYLE = """<style>
.s3m{--bg:var(--jp-layout-color1,var(--vscode-editor-background,#fff));
--fg:var(--jp-ui-font-color1,var(--vscode-editor-foreground,#1f2328));
--dim:var(--jp-ui-font-color2,var(--vscode-descriptionForeground,#59636e));
--line:var(--jp-border-color2,var(--vscode-widget-border,#d1d9e0));
--track:var(--jp-border-color2,var(--vscode-editorWidget-border,#dfe3e8));
--bar:var(--jp-brand-color1,var(--vscode-progressBar-background,#1976d2));
--bad:var(--jp-error-color1,var(--vscode-errorForeground,#d1242f));
box-sizing:border-box;width:0;min-width:100%;padding:9px 14px;
border:1px solid var(--line);border-radius:6px;
background:var(--bg);color:var(--fg);font-variant-numeric:tabular-nums;
font-family:var(--jp-ui-font-family,var(--vscode-font-family,system-ui,sans-serif))}
.s3m div{white-space:nowrap;overflow:hidden;text-overflow:ellipsis;font-size:12px}
.s3m .head{display:flex;height:26px;line-height:24px;padding-right:96px;font-size:13px;
color:var(--dim)}
.s3m .head b{margin-right:8px;color:var(--fg);font-weight:600}
.s3m .row{display:flex;align-items:center;height:20px;line-height:20px;color:var(--dim)}
.s3m .track{flex:1 1 auto;height:8px;border-radius:4px;background:var(--track)}
.s3m .track div{height:100%;border-radius:4px;background:var(--bar)}
.s3m .percent{flex:0 0 46px;text-align:right;font-size:13px;font-weight:600;color:var(--fg)}
.s3m .fact{flex:0 0 auto;margin-right:16px}
.s3m .bad{color:var(--bad)}
.s3m .name{display:flex;flex:1 1 0;min-width:0;font-size:inherit}
.s3m .name div{flex:0 0 auto;white-space:pre;font-size:inherit}
.s3m .name .start{flex:0 1 auto;min-width:0}
.s3m .row.slow .track{flex:0 1 110px;min-width:40px;height:4px;margin:0 12px;border-radius:2px}
.s3m .row.slow .size{flex:0 0 120px;text-align:right}
.s3m .track .wait{width:22%;
animation:s3m-wait 1.8s ease-in-out var(--s3m-phase,0s) infinite alternate}
@keyframes s3m-wait{from{margin-left:0}to{margin-left:78%}}
@media (prefers-reduced-motion:reduce){.s3m .track .wait{animation:none;width:100%;opacity:.4}}
@media (prefers-color-scheme:dark){body:not([data-jp-theme-light]):not([data-vscode-theme-kind])
.s3m{--bg:#1e2227;--fg:#e6e8eb;--dim:#a2abb5;--line:#3a4149;--track:#3a4149;--bar:#4aa3f0;
--bad:#ff7b72}}
</style>"""


def card(figures: Figures, rows: int) -> str:
    """Draw the block.

    Args:
        figures: What to say.
        rows: Lines to keep for the slowest, used or not.
    """
    slow = [_slow(active) for active in figures.slowest[:rows]]
    slow += ['<div class="row slow"></div>'] * (rows - len(slow))
    lines = (_head(figures), _bar(figures), _facts(figures), *slow)
    return f'{_STYLE}<div class="s3m">{"".join(lines)}</div>'


def _head(figures: Figures) -> str:
    what = _name(figures.name) if figures.name else markup(figures.counted)
    return f'<div class="head"><b>{markup(figures.doing)}</b>{what}</div>'


def _bar(figures: Figures) -> str:
    if figures.fraction is None:
        return '<div class="row"><div class="track"><div class="wait"></div></div></div>'
    return (
        f'<div class="row" role="progressbar" aria-valuenow="{figures.percent[:-1]}">'
        f"{_track(figures.fraction)}"
        f'<div class="percent">{figures.percent}</div></div>'
    )


def _facts(figures: Figures) -> str:
    # Each has room for the longest it can be, so that its neighbours stand still.
    facts = [
        f'<div class="fact" style="min-width:{width}ch">{text}</div>'
        for text, width in ((figures.size, 16), (figures.rate, 9), (figures.left, 10))
        if text or (width == 9 or figures.size)
    ]
    facts += [
        f'<div class="fact {look}">{text}</div>'
        for text, look in ((figures.skipped, ""), (figures.failed, "bad"))
        if text
    ]
    return f'<div class="row">{"".join(facts)}</div>'


def _slow(active: Active) -> str:
    size = filesize(active.done)
    if active.size:
        size += f" of {filesize(active.size)}"
    return (
        f'<div class="row slow">{_name(active.name)}'
        f'{_track(share(active))}<div class="size">{size}</div></div>'
    )


def _track(fraction: float) -> str:
    return f'<div class="track"><div style="width:{fraction * 100:.1f}%"></div></div>'


def _name(name: str) -> str:
    """Give a name as HTML that shows it literally, its middle cut out if there is no room."""
    text = printable(shorten(name, _LONGEST))
    start, end = text[:-_TAIL], text[-_TAIL:]
    return (
        f'<div class="name"><div class="start">{markup(start)}</div><div>{markup(end)}</div></div>'
    )
