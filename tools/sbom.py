"""Writes what the function is made of, as CycloneDX JSON: target/sbom/macie-compliance.cdx.json.

cargo-cyclonedx takes the whole workspace, whose other members add features and with them crates. Here are those that
the function is built from, compared with what cargo says and with the checksums of Cargo.lock. There is no time and no
random number in it, so that two of the same sources are equal.
"""

import json
import os
import subprocess
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import install
import project

NAME = "macie-compliance"
# It is built from the same crates for both, or there would have to be two lists.
TARGETS = ["aarch64-unknown-linux-gnu", "x86_64-unknown-linux-gnu"]

# A crate by name and version.
Crate = tuple[str, str]


def main() -> None:
    """Writes it, and fails when it is not what cargo builds."""
    install.main("cargo-cyclonedx")
    wanted, other = map(crates, TARGETS)
    if wanted != other:
        raise project.Failure(f"the two processors differ in {sorted(wanted ^ other)}")
    bom = generate()
    refs = {part["bom-ref"]: crate(part) for part in bom["components"]}
    bom["components"] = [part for part in bom["components"] if crate(part) in wanted]
    bom["dependencies"] = [
        {**entry, "dependsOn": [ref for ref in entry.get("dependsOn", []) if refs.get(ref) in wanted]}
        for entry in bom["dependencies"]
        if entry["ref"] not in refs or refs[entry["ref"]] in wanted
    ]
    check(bom["components"], wanted)
    path = project.target_directory() / "sbom" / f"{NAME}.cdx.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(bom, indent=2, ensure_ascii=False) + "\n")
    project.say(f"{os.path.relpath(path, project.ROOT)}: {len(bom['components'])} crates")


def crates(target: str) -> set[Crate]:
    """The crates that cargo builds the function from, as `cargo tree` tells."""
    tree = ["tree", "--locked", "--edges", "normal", "--target", target, "--package", NAME]
    lines = cargo([*tree, "--prefix", "none", "--format", "{p}"], project.ROOT).splitlines()
    named = {(words[0], words[1].removeprefix("v")) for words in map(str.split, lines)}
    return {one for one in named if one[0] != NAME}


def generate() -> dict[str, Any]:
    """What cargo-cyclonedx tells, without the place where it ran."""
    with tempfile.TemporaryDirectory(prefix="sbom-", dir=project.TOOLS) as scratch:
        # It writes beside the manifest of every member, so it is given manifests of its own.
        place = Path(scratch)
        project.copy_sources(place)
        options = ["--format", "json", "--spec-version", "1.5", "--target", TARGETS[0], "--no-build-deps", "--quiet"]
        cargo(["cyclonedx", *options], place, SOURCE_DATE_EPOCH="0")
        text = (place / f"{NAME}.cdx.json").read_text()
        bom = json.loads(text.replace(f"path+file://{place}", "path+file://"))
    del bom["metadata"]["timestamp"]
    return bom


def crate(component: dict[str, Any]) -> Crate:
    """The crate that a component is."""
    return component["name"], component["version"]


def check(components: list[dict[str, Any]], wanted: set[Crate]) -> None:
    """Fails when a crate is missing, is there twice, or has another checksum than in Cargo.lock."""
    locked = tomllib.loads((project.ROOT / "Cargo.lock").read_text())["package"]
    checksums = {crate(package): package.get("checksum") for package in locked}
    listed = {crate(one): [digest["content"] for digest in one.get("hashes", [])] for one in components}
    if len(components) != len(listed) or listed.keys() != wanted:
        raise project.Failure(f"the SBOM and cargo differ in {sorted(listed.keys() ^ wanted) or 'a crate told twice'}")
    # A crate of the project itself has none.
    wrong = [name for name, digests in listed.items() if digests != [one for one in [checksums[name]] if one]]
    if wrong:
        raise project.Failure(f"the checksums in the SBOM are not those of Cargo.lock: {wrong}")


def cargo(arguments: list[str], place: Path, **more: str) -> str:
    """What cargo answers."""
    done = subprocess.run(
        ["cargo", *arguments],
        cwd=place,
        env=project.environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise project.Failure(f"`cargo {' '.join(arguments)}` failed: {done.stderr.strip()}")
    return done.stdout


if __name__ == "__main__":
    project.run(main)
