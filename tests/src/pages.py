"""Opens pages in a headless Chromium: `pages.py AXE PAGE...`, with AXE the file `axe.min.js` of axe-core.

Prints what axe-core finds, and which elements reach beyond a width of 390 or 1280 pixels; exit status 1 if there is anything. A page is
copied beside itself for the while, without the policy that keeps scripts out.
"""

import html
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

RUN_AXE = """<script>%s</script><script>
window.addEventListener('load', async () => {
    const found = await axe.run(document, { resultTypes: ['violations'] });
    const line = v => `${v.id} (${v.impact}), ${v.nodes.length} times, first ${v.nodes[0].target.join(' ')}`;
    const out = document.createElement('pre');
    out.textContent = '<<' + JSON.stringify(found.violations.map(line)) + '>>';
    document.body.appendChild(out);
});
</script>"""

FRAMES = """<body style="margin: 0">%s<script>
const clipped = ['auto', 'scroll', 'hidden', 'clip'];
window.addEventListener('load', () => setTimeout(() => {
    const found = [];
    for (const frame of document.querySelectorAll('iframe')) {
        const [page, view] = [frame.contentDocument, frame.contentWindow];
        const held = element => {
            for (let p = element.parentElement; p && p !== page.documentElement; p = p.parentElement)
                if (clipped.includes(view.getComputedStyle(p).overflowX)) return true;
            return false;
        };
        if (page.documentElement.scrollWidth <= +frame.width) continue;
        const wide = [...page.querySelectorAll('body *')].find(e => e.getBoundingClientRect().right > +frame.width + 1 && !held(e));
        found.push(`${page.documentElement.scrollWidth} px at a width of ${frame.width}: ${wide?.tagName} ${wide?.getAttribute('class')}`);
    }
    document.body.insertAdjacentHTML('beforeend', '<pre></pre>');
    document.querySelector('pre').textContent = '<<' + JSON.stringify(found) + '>>';
}, 1500));
</script></body>"""


def opened(page, name, text):
    """What the page `text`, laid beside `page`, says of itself."""
    beside = page.with_name(name + page.name)
    beside.write_text(text)
    try:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
            command += ["--allow-file-access-from-files", "--window-size=1280,900", "--virtual-time-budget=15000", "--dump-dom"]
            command += [f"--user-data-dir={profile}", beside.as_uri()]
            seen = subprocess.run(command, capture_output=True, text=True, timeout=120).stdout
    finally:
        beside.unlink()
    said = re.search(r"<pre>&lt;&lt;(\[.*?\])&gt;&gt;</pre>", seen, re.S)
    return json.loads(html.unescape(said.group(1))) if said else ["the page said nothing"]


def check(page, axe):
    text = re.sub(r"<meta[^>]*Content-Security-Policy[^>]*>", "", page.read_text())
    frames = "".join(f'<iframe src="{page.name}" width="{width}" height="800"></iframe>' for width in (390, 1280))
    return opened(page, "axe-", text.replace("</body>", RUN_AXE % axe + "</body>")) + opened(page, "frames-", FRAMES % frames)


if __name__ == "__main__":
    axe, *pages = sys.argv[1:]
    axe, bad = Path(axe).read_text(), 0
    for page in map(Path, pages):
        for finding in check(page.resolve(), axe):
            bad += 1
            print(f"{page}: {finding}")
    print(f"{len(pages)} pages, {bad} findings")
    sys.exit(bool(bad))
