#!/usr/bin/env python3
"""House rules that no compiler or formatter checks.

usage: tools/dev/tidy.py            (from anywhere in the checkout)

Reads the files that git tracks and prints `file:line: rule: what is wrong`.
Exits 1 when it printed anything. Exceptions stand in ALLOWED, each with its
reason.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Which folder may include which (a folder may always include itself).
LAYERS = {
    "base": set(),
    "proto": {"base"},
    "policy": {"base"},
    "storage": {"base"},
    "engine": {"base", "proto", "policy", "storage"},
    "tools": {"base", "proto", "policy", "storage", "engine", "tests"},
    "tests": {"base", "proto", "policy", "storage", "engine", "tools"},
    "bench": {"base", "proto", "policy", "storage", "engine", "tests"},
}
# Files above the layers' rules, each with its reason.
ALLOWED_INCLUDES = {
    # Tests of a layer share the fixture that starts a database.
    ("storage", "tests/support"),
    ("engine", "tests/support"),
}
BANNED = [
    (re.compile(r"\bstd::string_view\b"), "use absl::string_view",
     # simdjson speaks the standard's type; the file converts at that border.
     re.compile(r"^policy/eval/json\.cc$")),
    (re.compile(r"\babsl::(optional|variant|any)\b"), "use std::", None),
    (re.compile(r"\busing namespace\b"), "name what is used", None),
    (re.compile(r"(?<![\w.])assert\("), "use SGL_CHECK", None),
    (re.compile(r"\b(TODO|FIXME|XXX|HACK)\b"), "do it, or say what is", None),
    (re.compile(r"(^|[^\w])(try\s*\{|throw\b|catch\s*\()"),
     "exceptions stop at storage/guard",
     # The wall, the test that throws at it, and what ends the process.
     re.compile(r"^storage/guard(_test)?\.|_main\.cc$")),
    (re.compile(r"\bstd::cout\b"), "only tools print to stdout",
     re.compile(r"^(tools|tests|bench|engine)/")),
    (re.compile(r"\b(sleep_for|SleepFor|usleep|time\.sleep)\b"),
     "wait for a signal",
     # Pauses between bounded tries on another process's progress.
     re.compile(r"^storage/(private_postgres|migrator)\.cc$")),
]
LINE_COLUMNS_MAX = 80
FUNCTION_LINES_MAX = 70
# Functions that may be longer, each with its reason.
LONG_FUNCTIONS = {}


def tracked():
    out = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True,
                         capture_output=True, text=True).stdout
    return [line for line in out.splitlines() if (ROOT / line).is_file()]


class Tidy:
    def __init__(self):
        self.findings = []

    def report(self, path, line, rule, text):
        self.findings.append(f"{path}:{line}: {rule}: {text}")

    def check_source(self, path):
        lines = (ROOT / path).read_text(encoding="utf-8").split("\n")
        top = path.split("/")[0]
        for number, line in enumerate(lines, 1):
            if len(line) > LINE_COLUMNS_MAX and "http" not in line:
                self.report(path, number, "line-length",
                            f"{len(line)} columns, at most {LINE_COLUMNS_MAX}")
            code = re.sub(r'"(\\.|[^"\\])*"', '""', line)
            code = re.sub(r"//.*", "", code)
            subject = line if "T" "ODO" in line else code
            for pattern, advice, allowed in BANNED:
                if allowed and allowed.search(path):
                    continue
                if pattern.search(subject):
                    self.report(path, number, "banned",
                                f"`{pattern.search(subject).group().strip()}`: "
                                f"{advice}")
            include = re.match(r'#include "(\w+)/([^"]*)"', line)
            if include and include.group(1) in LAYERS:
                self.check_include(path, number, top, include)
        self.check_guard(path, lines)
        if path.endswith(".cc"):
            self.check_functions(path, lines)
        if not lines[0].startswith(("//", "#")):
            self.report(path, 1, "purpose", "the file does not say what it is")

    def check_include(self, path, number, top, include):
        other = include.group(1)
        if other == top or other in LAYERS.get(top, LAYERS):
            return
        target = f"{other}/{include.group(2)}"
        if any(top == who and target.startswith(what)
               for who, what in ALLOWED_INCLUDES) and "_test" in path:
            return
        self.report(path, number, "layers", f"{top} may not include {other}")

    def check_guard(self, path, lines):
        if not path.endswith(".h"):
            return
        guard = re.sub(r"[^A-Z0-9]", "_", path.upper()) + "_"
        if f"#ifndef {guard}" not in lines:
            self.report(path, 1, "guard", f"the include guard is not {guard}")

    def check_functions(self, path, lines):
        start = None
        for number, line in enumerate(lines, 1):
            # clang-format puts a function's closing brace in column 1, and
            # namespaces' closing braces carry a comment.
            if line and not line.startswith((" ", "}", "#", "//", "namespace")):
                start = start or number
            if line == "" and start and not lines[number - 2].startswith(" "):
                start = None
            if line in ("}", "};") and start:
                length = number - start + 1
                name = lines[start - 1].strip()
                if (line == "}" and length > FUNCTION_LINES_MAX and
                        (path, name) not in LONG_FUNCTIONS):
                    self.report(path, start, "function-length",
                                f"{length} lines, at most "
                                f"{FUNCTION_LINES_MAX}")
                start = None

    def check_build_files(self, paths):
        for path in paths:
            if not path.endswith(".cc"):
                continue
            folder = pathlib.PurePath(path).parent
            while not (ROOT / folder / "BUILD.bazel").exists():
                folder = folder.parent
            name = str(pathlib.PurePath(path).relative_to(folder))
            build = (ROOT / folder / "BUILD.bazel").read_text()
            if f'"{name}"' not in build:
                self.report(path, 1, "build", f"{folder}/BUILD.bazel does not "
                            "name it")

    def check_markdown(self, path, paths):
        text = (ROOT / path).read_text(encoding="utf-8")
        prose = re.sub(r"^```.*?^```", lambda m: "\n" * m.group().count("\n"),
                       text, flags=re.S | re.M)
        titles = re.findall(r"^# ", prose, flags=re.M)
        if len(titles) != 1:
            self.report(path, 1, "title", f"{len(titles)} titles, want one")
        for number, line in enumerate(prose.split("\n"), 1):
            for link in re.findall(r"\]\(([^)#]+)[^)]*\)", line):
                if re.match(r"\w+:", link):
                    continue
                if not (ROOT / pathlib.PurePath(path).parent / link).exists():
                    self.report(path, number, "link", f"`{link}` is not there")


    def check_attacks(self, path):
        """Each attack names tests, and each test named is there."""
        text = (ROOT / path).read_text(encoding="utf-8")
        within = False
        for number, line in enumerate(text.split("\n"), 1):
            if not line.startswith("|"):
                within = False
            elif line.startswith("| attack |"):
                within = True
            elif within and not line.startswith("|---"):
                tests = re.findall(r"`([\w/]+\.(?:cc|py|test))(?::(\w+))?`",
                                   line.rsplit("|", 2)[1])
                if not tests:
                    self.report(path, number, "attack", "it names no test")
                for file, name in tests:
                    self.check_named_test(path, number, file, name)

    def check_named_test(self, path, number, file, name):
        if not (ROOT / file).is_file():
            self.report(path, number, "attack", f"`{file}` is not there")
            return
        text = (ROOT / file).read_text(encoding="utf-8")
        if name and not re.search(
                rf"^TEST(_[FP])?\(\w+,\s*{name}\)|^    def {name}\(", text,
                flags=re.M):
            self.report(path, number, "attack",
                        f"`{file}` has no test {name}")


def main():
    tidy = Tidy()
    paths = tracked()
    for path in paths:
        if path.endswith((".cc", ".h")):
            tidy.check_source(path)
        elif path.endswith(".md"):
            tidy.check_markdown(path, paths)
    tidy.check_attacks("docs/security.md")
    tidy.check_build_files(paths)
    for finding in tidy.findings:
        print(finding)
    return 1 if tidy.findings else 0


if __name__ == "__main__":
    sys.exit(main())
