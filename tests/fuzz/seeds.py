#!/usr/bin/env python3
"""Writes the fuzzers' seed inputs: each block of the golden cases a file.

usage: tests/fuzz/seeds.py FOLDER     (from the top of the checkout)

FOLDER/seeds/{format,policy,request} are made anew.
"""
import hashlib
import pathlib
import shutil
import sys

REQUESTS_OF_THE_PLATFORM = 400


def blocks(path):
    """Yields (verb, input) of a golden file."""
    lines = path.read_text(encoding="utf-8",
                           errors="surrogateescape").split("\n")
    at = 0
    while at < len(lines):
        verb = lines[at]
        at += 1
        if not verb or verb.startswith("#"):
            continue
        begin = at
        while at < len(lines) and lines[at] != "----":
            at += 1
        yield verb.split(" ")[0], "\n".join(lines[begin:at]) + "\n"
        # The expected output ends at a blank line, or at doubled delimiters.
        at += 1
        if at < len(lines) and lines[at] == "----":
            while at + 1 < len(lines) and lines[at:at + 2] != ["----"] * 2:
                at += 1
            at += 2
        while at < len(lines) and lines[at]:
            at += 1


def write(folder, text):
    data = text.encode("utf-8", "surrogateescape")
    name = hashlib.sha256(data).hexdigest()[:16]
    (folder / name).write_bytes(data)


def main():
    seeds = pathlib.Path(sys.argv[1]) / "seeds"
    shutil.rmtree(seeds, ignore_errors=True)
    for name in ("format", "policy", "request"):
        (seeds / name).mkdir(parents=True)
    for path in sorted(pathlib.Path("tests/language/cases").rglob("*.test")):
        for verb, text in blocks(path):
            if verb == "eval":
                for line in text.splitlines():
                    write(seeds / "request", line)
            else:
                write(seeds / "policy", text)
                write(seeds / "format", text)
    for path in pathlib.Path("policy/library").glob("*.sgl"):
        write(seeds / "policy", path.read_text(encoding="utf-8"))
        write(seeds / "format", path.read_text(encoding="utf-8"))
    requests = pathlib.Path("tests/data/atlas/atlas_requests.jsonl")
    lines = requests.read_text(encoding="utf-8").splitlines()
    for line in lines[:REQUESTS_OF_THE_PLATFORM]:
        write(seeds / "request", line)


if __name__ == "__main__":
    main()
