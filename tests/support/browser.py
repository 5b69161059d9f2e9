"""Loads pages in headless Chromium."""
import json
import pathlib
import re
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def checked(page, check, width, dark):
    """What page.js and the script `check` found in a page, that a browser of that width shows."""
    script = (HERE / "page.js").read_text() + check.read_text()
    with tempfile.TemporaryDirectory() as profile:
        copy = pathlib.Path(profile) / page.name
        copy.write_text(page.read_text().replace("<head>", f"<head>\n<script>{script}</script>", 1))
        flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}", f"--window-size={width},1000",
                 "--virtual-time-budget=5000", "--dump-dom"]
        if dark:
            flags.append("--blink-settings=preferredColorScheme=0")
        dump = subprocess.run(["chromium", *flags, copy.as_uri()], check=True, capture_output=True, text=True, timeout=120).stdout
    found = re.search(r'<pre id="checked">(.*?)</pre>', dump, re.S)
    assert found, f"{page}: the check did not come to its end"
    return json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
