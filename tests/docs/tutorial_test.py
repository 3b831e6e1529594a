"""Proves that the tutorial of docs/sgl.md, and the first lines of
docs/diagnostics.md, do what they say when followed.

Walks through the page's fenced blocks in a fresh folder with nothing but `sgl`
on the PATH: an `sgl NAME.sgl` or `sgl and NAME.sgl` block is saved under its
name, `json request` as requests.jsonl, an `sh` block is run, and what it prints
must be the `text output`, `json output` or `json decision` block that follows.
`sh exits 1` is a command that ends so. What is followed ends at the first
heading that is a reference's.

usage: tutorial_test.py SGL PAGE [--update]
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

FENCE = re.compile(r"```(\S[^\n]*)\n(.*?)```\n", re.S)
# By page: the heading that ends what is followed, and its number of commands
# at least.
PAGES = {
    "diagnostics.md": ("## How to read the examples", 2),
    "sgl.md": ("## The command line", 5),
}
LEFT_OUT = re.compile(r', "policy": "[^"]*", "tzdata": "[^"]*"')


def run(command, folder, environment):
    done = subprocess.run(["bash", "-c", command], cwd=folder, text=True,
                          env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60)
    return LEFT_OUT.sub("", done.stdout), done.returncode


def main():
    sgl, page = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    is_updating = "--update" in sys.argv
    text = page.read_text(encoding="utf-8")
    heading, commands_min = PAGES[page.name]
    end = text.index(heading)
    commands, failures = 0, 0
    for match in FENCE.finditer(text[end:]):
        if match.group(1).split()[0] == "sh":
            failures += 1
            print(f"{page.name}: nothing runs this command below "
                  f"`{heading}`:\n{match.group(2)}", file=sys.stderr)
    with tempfile.TemporaryDirectory() as work:
        bin_folder = pathlib.Path(work, "bin")
        folder = pathlib.Path(work, "rules")
        bin_folder.mkdir()
        folder.mkdir()
        (bin_folder / "sgl").symlink_to(sgl)
        environment = dict(os.environ)
        environment["PATH"] = f"{bin_folder}:{environment['PATH']}"
        printed = None

        def block(match):
            nonlocal printed, commands, failures
            info, body = match.group(1), match.group(2)
            words = info.split()
            if words[0] == "sgl" and words[-1].endswith(".sgl"):
                (folder / words[-1]).write_text(body, encoding="utf-8")
            elif info == "json request":
                (folder / "requests.jsonl").write_text(body, encoding="utf-8")
            elif info in ("sh", "sh exits 1"):
                printed, status = run(body, folder, environment)
                commands += 1
                if status != (1 if info == "sh exits 1" else 0):
                    failures += 1
                    print(f"exit status {status}:\n{body}{printed}")
            elif words[-1] == "output" or (info == "json decision" and
                                           printed is not None):
                if is_updating and words[-1] == "output":
                    body = printed
                elif printed != body:
                    failures += 1
                    print(f"expected:\n{body}got:\n{printed}")
                printed = None
            return f"```{info}\n{body}```\n"

        tutorial = FENCE.sub(block, text[:end])
    if is_updating:
        page.write_text(tutorial + text[end:], encoding="utf-8")
    if commands < commands_min:
        failures += 1
        print(f"only {commands} commands found: was the page read?")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
