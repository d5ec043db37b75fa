"""The versions of what this environment has of the project's dependencies, one a line: `python -m benchmarks.lock`."""

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution

ROOT = "pocket-ticket"


def dependencies(name: str, extras: tuple[str, ...] = ("test", "docs")) -> Iterator[str]:
    """The names of the installed packages that a package depends on, and those that they depend on."""
    from packaging.requirements import Requirement

    seen: set[str] = set()
    waiting = [(name, extras)]
    while waiting:
        package, wanted = waiting.pop()
        try:
            found = distribution(package)
        except PackageNotFoundError:  # for another system or another Python
            continue
        for text in found.requires or ():
            requirement = Requirement(text)
            marker, key = requirement.marker, re.sub(r"[-_.]+", "-", requirement.name).lower()
            if marker and not any(marker.evaluate({"extra": extra}) for extra in ("", *wanted)):
                continue
            if key not in seen:
                seen.add(key)
                waiting.append((key, tuple(requirement.extras)))
    yield from sorted(seen)


def main() -> None:
    """Print the lock."""
    print("# written by `make lock`; use it with pip install -c tested-versions.txt")
    for name in dependencies(ROOT):
        try:
            print(f"{name}=={distribution(name).version.partition('+')[0]}")
        except PackageNotFoundError:
            continue


if __name__ == "__main__":
    main()
