#!/usr/bin/env python3
"""Makes pages of traces, and steps through each in headless Chromium by its keys, light and dark, wide and as on a phone: fails
where the console says something, a gradient shown is not the one noted, or a contrast can't be read.

usage: tests/trace/run.py FACTORIZE WRITE_TRACES [FOLDER]     the pages are left in the folder
"""
import concurrent.futures
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from browser import checked


def main():
    factorize, write_traces = sys.argv[1:3]
    folder = pathlib.Path(sys.argv[3] if len(sys.argv) > 3 else tempfile.mkdtemp()).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run([factorize, "notebook", "--recorded", "--trace", folder / "notebook.html"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([write_traces, folder], check=True)
    failures = 0
    # Steps, and whether the graph is folded at first.
    expected = {"notebook": (6, False), "second gradient": (None, False), "in place": (4, False), "large": (None, True)}
    seen = [(name, width, dark) for name in expected for width, dark in ((1400, False), (1400, True), (500, True))]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        looks = pool.map(lambda each: checked(folder / f"{each[0]}.html", HERE / "check.js", *each[1:]), seen)
        for (name, width, dark), found in zip(seen, looks):
            steps, folded = expected[name]
            wrong = found["wrong"]
            if steps not in (None, found["steps"]) or found["steps"] < 4:
                wrong.append(f"there are {found['steps']} steps")
            if found["folded"] != folded or (folded and found["drawn"] != found["nodes"]):
                wrong.append(f"folded: {found['folded']}, {found['drawn']} of {found['nodes']} Nodes are drawn when it is turned over")
            if found["dark"] != dark:
                wrong.append(f"it is {'light' if dark else 'dark'}")
            for each in wrong[:10]:
                print(f"{name}.html, {width} wide, {'dark' if dark else 'light'}: {each}")
            failures += len(wrong)
    print(f"{len(expected)} pages, {failures} failures")
    return 1 if failures else 0


sys.exit(main())
