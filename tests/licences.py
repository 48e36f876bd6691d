#!/usr/bin/env python3
"""Holds every crate and npm package of the lock files against the licences in deny.toml, and their sources against the
registries. Lists what does not fit, and ends with 1 then.
"""
import json
import pathlib
import re
import subprocess
import sys

try:
    import tomllib
except ModuleNotFoundError:  # Python before 3.11; pip brings its own
    from pip._vendor import tomli as tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"


def fits(expression, allowed):
    """Whether an SPDX expression (https://spdx.github.io/spdx-spec/, annex D) can be met; `/` is its old form of OR."""
    words = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))

    def alternatives():
        met = conjunction()
        while words and words[0] == "OR":
            words.pop(0)
            other = conjunction()
            met = met or other
        return met

    def conjunction():
        met = term()
        while words and words[0] == "AND":
            words.pop(0)
            other = term()
            met = met and other
        return met

    def term():
        word = words.pop(0)
        if word == "(":
            met = alternatives()
            words.pop(0)
            return met
        if words and words[0] == "WITH":
            word = " ".join([word, words.pop(0), words.pop(0)])
        return word in allowed

    return alternatives()


def crates():
    command = ["cargo", "metadata", "--locked", "--format-version", "1"]
    told = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    for package in told["packages"]:
        if package["source"] is None:
            continue
        if package["source"] != REGISTRY:
            yield f"{package['name']} {package['version']}", package["license"], f"comes from {package['source']}"
        yield f"{package['name']} {package['version']}", package["license"], None


def modules():
    """Of packages for other systems the lock file has only the name; each is a part of one that is listed with its licence."""
    lock = json.loads((ROOT / "ui/package-lock.json").read_text())
    for path, package in lock["packages"].items():
        is_elsewhere = package.get("optional") and "license" not in package and ("os" in package or "cpu" in package)
        if path and not package.get("link") and not is_elsewhere:
            yield f"{path} {package.get('version')}", package.get("license"), None


def main():
    allowed = set(tomllib.loads((ROOT / "deny.toml").read_text())["licenses"]["allow"])
    assert fits("(MIT OR GPL-3.0) AND Zlib", {"MIT", "Zlib"}) and not fits("MIT AND GPL-3.0", {"MIT"})
    seen, wrong = 0, []
    for name, licence, objection in [*crates(), *modules()]:
        seen += 1
        if objection:
            wrong.append(f"{name}: {objection}")
        elif not licence:
            wrong.append(f"{name}: names no licence")
        elif not fits(licence, allowed):
            wrong.append(f"{name}: {licence}")
    for line in wrong:
        print(line)
    if wrong:
        print("Leave it out, or add its licence to deny.toml after reading it.", file=sys.stderr)
        sys.exit(1)
    print(f"{seen} packages, all under licences that deny.toml allows")


main()
