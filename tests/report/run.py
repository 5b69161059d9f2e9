#!/usr/bin/env python3
"""Makes reports of fits, a search, an evaluation and a comparison, and loads each in headless Chromium, light and dark, wide and
as on a phone: fails where the console says something, a chart has no points, or a contrast can't be read.

usage: tests/report/run.py FACTORIZE [FOLDER]     the pages are left in the folder
"""
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from browser import checked

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DATA = ROOT / "tests/data"


def factorize(program, *arguments):
    subprocess.run([program, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)


def main():
    program, failures = sys.argv[1], 0
    folder = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else tempfile.mkdtemp()).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    model, ratings = folder / "model", DATA / "ratings.csv"
    factorize(program, "fit", ratings, "--holdout", 0.1, "--validation", 0.1, "--quiet", "--out", model, "--report", folder / "fit.html")
    factorize(program, "fit", ratings, "--tune", "--budget", 2, "--quiet", "--report", folder / "tune.html")
    factorize(program, "fit", DATA / "volcano.csv", "--rank", 5, "--optimizer", "sgd", "--quiet", "--report", folder / "whole.html")
    factorize(program, "evaluate", model, model / "holdout.csv", "--report", folder / "evaluate.html")
    factorize(program, "compare", model, model, "--report", folder / "compare.html")
    # Charts and heat maps of each.
    expected = {"fit": (5, 3), "tune": (6, 3), "whole": (5, 3), "evaluate": (4, 3), "compare": (4, 0)}
    for name, (charts, heats) in expected.items():
        for width, dark in ((1200, False), (1200, True), (500, True)):
            found = checked(folder / f"{name}.html", ROOT / "tests/report/check.js", width, dark)
            wrong = found["wrong"]
            if (found["charts"], found["heats"]) != (charts, heats):
                wrong.append(f"there are {found['charts']} charts and {found['heats']} heat maps; expected {charts} and {heats}")
            if found["dark"] != dark:
                wrong.append(f"it is {'light' if dark else 'dark'}")
            for each in wrong:
                print(f"{name}.html, {width} wide, {'dark' if dark else 'light'}: {each}")
            failures += len(wrong)
    print(f"{len(expected)} pages, {failures} failures")
    return 1 if failures else 0


sys.exit(main())
