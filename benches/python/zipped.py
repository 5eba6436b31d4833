"""Prints how many bytes a file takes in a zip with nothing else in it, under the name that Lambda wants.

Usage: `zipped.py FILE NAME`.
"""

import io
import sys
import zipfile


def main() -> None:
    """Compresses as much as zip can."""
    file, name = sys.argv[1:]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.write(file, name)
    print(buffer.tell())


if __name__ == "__main__":
    main()
