"""The look of the explorer: its style sheet, and the pieces of HTML that it shows.

Colours are JupyterLab's theme variables, else VS Code's, else ones that suit
the system's light or dark mode, as in `card.py`. Whatever comes from S3 is
escaped here.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from s3magic.wording import filesize, markup

if TYPE_CHECKING:
    from s3magic.notebook.browser.entries import Entry

__all__ = ["STYLE", "about", "facts", "icon", "link", "note", "preformatted", "wrong"]

STYLE = """<style>
.s3b{--bg:var(--jp-layout-color1,var(--vscode-editor-background,#fff));
--fg:var(--jp-ui-font-color1,var(--vscode-editor-foreground,#1f2328));
--dim:var(--jp-ui-font-color2,var(--vscode-descriptionForeground,#59636e));
--line:var(--jp-border-color2,var(--vscode-widget-border,#d1d9e0));
--soft:var(--jp-layout-color2,var(--vscode-list-hoverBackground,#f3f5f7));
--mark:var(--jp-brand-color1,var(--vscode-focusBorder,#1976d2));
--bad:var(--jp-error-color1,var(--vscode-errorForeground,#d1242f));
max-width:860px;border:1px solid var(--line);border-radius:8px;overflow:hidden;
background:var(--bg);color:var(--fg);font-variant-numeric:tabular-nums;font-size:13px;
font-family:var(--jp-ui-font-family,var(--vscode-font-family,system-ui,sans-serif))}
.s3b .widget-html-content,.s3b .widget-label{color:inherit;font-size:13px;line-height:20px}
.s3b .jupyter-button,.s3b .widget-upload{color:var(--fg);background:transparent;border:1px solid
transparent;border-radius:4px;box-shadow:none!important;font-size:13px;line-height:24px;
height:26px;margin:0;width:auto}
.s3b .jupyter-button:hover:enabled{background:var(--soft);box-shadow:none}
.s3b .jupyter-button:focus-visible,.s3b input:focus-visible{outline:2px solid var(--mark);
outline-offset:-2px}
.s3b .jupyter-button:disabled{opacity:.45}
.s3b input[type=text]{height:26px;border-radius:4px;font-size:13px;color:var(--fg);
background:var(--bg);border-color:var(--line)}
.s3b input[type=checkbox]{margin:0;width:14px;height:14px;accent-color:var(--mark)}
.s3b-top,.s3b-tools,.s3b-foot{padding:6px 10px;align-items:center}
.s3b-top{background:var(--soft);border-bottom:1px solid var(--line)}
.s3b-crumbs{flex:1 1 auto;min-width:0;overflow:hidden;align-items:center}
.s3b-crumbs .jupyter-button{padding:0 6px;min-width:0;flex:0 1 auto;overflow:hidden;
text-overflow:ellipsis}
.s3b-crumbs .jupyter-button:last-child{font-weight:600}
.s3b-crumbs .widget-html{flex:0 0 auto;margin:0;color:var(--dim)}
.s3b-head,.s3b-row{align-items:center;padding:0 10px;height:28px;overflow:hidden}
.s3b-head{border-bottom:1px solid var(--line);color:var(--dim)}
.s3b-head .jupyter-button{color:var(--dim);font-size:12px;padding:0 6px}
.s3b-row{border-bottom:1px solid color-mix(in srgb,var(--line) 45%,transparent)}
.s3b-row:hover{background:var(--soft)}
.s3b-row:has(input:checked){background:color-mix(in srgb,var(--mark) 12%,transparent)}
.s3b-row.s3b-here{box-shadow:inset 3px 0 var(--mark)}
.s3b-row .widget-checkbox,.s3b-head .widget-checkbox{width:24px;margin:0;height:28px}
.s3b-row .widget-checkbox label,.s3b-head .widget-checkbox label{display:flex;height:28px;
align-items:center;padding:0;width:24px}
.s3b-row .jupyter-button{flex:1 1 auto;min-width:0;text-align:left;padding:0 6px;
overflow:hidden;text-overflow:ellipsis;white-space:pre}
.s3b-row .jupyter-button:hover:enabled{background:transparent;text-decoration:underline}
.s3b-row .jupyter-button i{color:var(--dim);width:18px;margin-right:4px}
.s3b-row.s3b-folder .jupyter-button i{color:var(--mark)}
.s3b-row .widget-html{flex:0 0 auto;margin:0}
.s3b-row .widget-html-content{line-height:28px}
.s3b-facts{display:flex;color:var(--dim);white-space:nowrap}
.s3b-facts div:first-child{width:84px;text-align:right}
.s3b-facts div:last-child{width:150px;text-align:right}
.s3b-name{flex:1 1 auto;text-align:left!important}
.s3b-head .s3b-size{width:84px;text-align:right;padding-right:0}
.s3b-head .s3b-date{width:150px;text-align:right;padding-right:0}
.s3b-none{padding:22px 10px;text-align:center;color:var(--dim)}
.s3b-foot{color:var(--dim);min-height:36px}
.s3b-foot .widget-html{flex:1 1 auto;margin:0}
.s3b-tools{border-top:1px solid var(--line);flex-wrap:wrap;gap:6px}
.s3b-tools .jupyter-button,.s3b-ask .jupyter-button,.s3b-job .jupyter-button{
border-color:var(--line);padding:0 10px}
.s3b .s3b-icon,.s3b .widget-upload,.s3b .widget-checkbox span{font-size:0}
.s3b .s3b-icon{display:flex;align-items:center;justify-content:center;min-width:30px}
.s3b .s3b-icon i{font-size:13px;margin:0}
.s3b a{color:var(--mark)}
.s3b .widget-upload i{font-size:13px;margin-right:4px}
.s3b .widget-upload::after{content:"Upload";font-size:13px}
.s3b-ask .jupyter-button.mod-danger{border-color:var(--bad);color:var(--bad)}
.s3b-ask,.s3b-job{padding:8px 10px;border-top:1px solid var(--line);align-items:center;gap:6px}
.s3b-ask .widget-html,.s3b-job .widget-html{flex:1 1 auto;margin:0;min-width:0}
.s3b-preview{border-top:1px solid var(--line);padding:8px 10px;overflow:hidden}
.s3b-preview .widget-html{margin:0}
.s3b-preview img{max-width:100%;max-height:260px;width:auto;height:auto;border-radius:4px;
object-fit:contain;align-self:flex-start;margin-top:8px;background:var(--soft)}
.s3b-preview pre{margin:6px 0 0;padding:8px 10px;max-height:220px;overflow:auto;font-size:12px;
line-height:17px;border-radius:4px;background:var(--soft);color:var(--fg);white-space:pre;
font-family:var(--jp-code-font-family,ui-monospace,monospace)}
.s3b-preview .s3b-table{overflow:auto;max-height:240px;margin-top:6px}
.s3b-table table{border-collapse:collapse;font-size:12px;color:var(--fg)}
.s3b-table td,.s3b-table th{padding:2px 12px 2px 6px;text-align:right;white-space:nowrap}
.s3b-table th{color:var(--dim);font-weight:600}
.s3b-table tbody tr:nth-child(odd){background:var(--soft)}
.s3b-preview b{font-weight:600;overflow-wrap:anywhere}
.s3b-dim{color:var(--dim)}
.s3b-says{padding:0 10px}
.s3b-says .widget-html-content>div{padding:4px 0 8px;overflow-wrap:anywhere}
.s3b-bad{color:var(--bad)}
@media (prefers-color-scheme:dark){body:not([data-jp-theme-light]):not([data-vscode-theme-kind])
.s3b{--bg:#1e2227;--fg:#e6e8eb;--dim:#a2abb5;--line:#3a4149;--soft:#272c32;--mark:#4aa3f0;
--bad:#ff7b72}}
</style>"""

# Names of Font Awesome that versions 4 and 5 share.
_ICONS = {
    "image": ("png", "jpg", "jpeg", "gif", "webp", "bmp", "svg", "tif", "tiff"),
    "table": ("csv", "tsv", "parquet", "arrow", "feather", "orc", "xlsx", "jsonl", "ndjson"),
    "archive": ("zip", "gz", "bz2", "xz", "zst", "tar", "tgz", "7z"),
    "code": ("py", "ipynb", "json", "yaml", "yml", "toml", "xml", "html", "sql", "sh", "r"),
}
_KINDS = {ending: name for name, endings in _ICONS.items() for ending in endings}


def icon(entry: Entry) -> str:
    """Give the name of an entry's icon."""
    if entry.folder:
        return "folder" if entry.uri.key else "database"
    return _KINDS.get(entry.name.rpartition(".")[2].lower(), "file")


def facts(entry: Entry) -> str:
    """Give an entry's size and date, for its row."""
    size = "" if entry.size is None else filesize(entry.size)
    return f'<div class="s3b-facts"><div>{size}</div><div>{_moment(entry.stamp)}</div></div>'


def about(entry: Entry, kind: str = "") -> str:
    """Give what there is to say of an object."""
    known = [
        "" if entry.size is None else f"{entry.size:,} bytes",
        kind,
        _moment(entry.stamp, zone=True),
        entry.storage_class,
        f"ETag {entry.etag}" if entry.etag else "",
    ]
    told = " · ".join(markup(one) for one in known if one)
    return f'<b>{markup(entry.name)}</b><br><span class="s3b-dim">{told}</span>'


def preformatted(text: str) -> str:
    """Give a text as it is, line by line."""
    lines = text.replace("\r\n", "\n").expandtabs(4).split("\n")
    return f"<pre>{'<br>'.join(markup(line) for line in lines)}</pre>"


def link(url: str, name: str) -> str:
    """Give a link that opens elsewhere, and tells that place nothing of this one."""
    return (
        f'<div>A link to <a href="{markup(url)}" target="_blank" rel="noopener noreferrer">'
        f"{markup(name)}</a>, for an hour and for whoever has it:"
        f'<br><code style="user-select:all;overflow-wrap:anywhere">{markup(url)}</code></div>'
    )


def note(text: str) -> str:
    """Give a sentence."""
    return f'<div role="status">{markup(text)}</div>' if text else ""


def wrong(text: str) -> str:
    """Give a sentence that says what went wrong."""
    return f'<div role="alert" class="s3b-bad">{markup(text)}</div>'


def _moment(stamp: str | None, *, zone: bool = False) -> str:
    """Say when that was, in this machine's own time."""
    if stamp is None:
        return ""
    when = dt.datetime.fromisoformat(stamp).replace(tzinfo=dt.UTC).astimezone()
    return f"{when:%Y-%m-%d %H:%M:%S %Z}" if zone else f"{when:%Y-%m-%d %H:%M}"
