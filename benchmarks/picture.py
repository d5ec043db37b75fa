"""The README's picture: `python -m benchmarks.picture RUN_DIR` takes the top of a finished run's report.html.

Headless Chromium opens the page as `pocket-ticket report RUN_DIR` last wrote it.
"""

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

from PIL import Image

from compress.errors import PocketTicketError

PICTURE = Path(__file__).parents[1] / "docs" / "screenshots" / "report.png"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WIDTH, HEIGHT = 1000, 798
_FLAGS = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update "
    "--disable-sync --hide-scrollbars"
)


def picture(page: Path, file: Path) -> None:
    """Write the top of `page`, WIDTH × HEIGHT pixels, as PNG. Raises PocketTicketError without a browser or a page."""
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None or not page.is_file():
        missing = "there is no Chromium" if browser is None else "there is no report"
        raise PocketTicketError(missing, where=str(page), remedy="install chromium, and give a finished run's folder")
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder) / "shot.png"
        size = (f"--window-size={WIDTH},{HEIGHT}", f"--user-data-dir={folder}/profile", f"--screenshot={shot}")
        command = [browser, *_FLAGS.split(), *size, page.resolve().as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        Image.open(shot).convert("RGB").quantize(256).save(file, optimize=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.picture", description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, metavar="RUN_DIR")
    picture(parser.parse_args().run / "report.html", PICTURE)
