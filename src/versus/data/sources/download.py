"""Downloads: each file once, kept in a folder, and used only if its checksum is the one that was asked for."""

from __future__ import annotations

import hashlib
from pathlib import Path

from versus.data.errors import DataError
from versus.data.specification import Url

_TIMEOUT = 60  # seconds without an answer


def fetch(url: str, checksum: str, file: str, folder: Path) -> Path:
    """The file at ``url``, downloaded to ``folder`` unless it is there already.

    Args:
        url: where it is.
        checksum: ``<algorithm>:<digest in hexadecimal>``.
        file: name it gets.
        folder: where downloads are kept; made if it is not there.

    Raises:
        DataError: if it cannot be had, or has another checksum.
    """
    import pooch

    pooch.get_logger().setLevel("WARNING")
    downloader = pooch.HTTPDownloader(progressbar=False, timeout=_TIMEOUT)
    try:
        return Path(pooch.retrieve(url, checksum, fname=file, path=folder, downloader=downloader))
    except OSError as error:
        raise DataError(f"{url}: cannot be downloaded: {error}") from None
    except ValueError as error:
        if "hash" not in str(error):
            raise
        raise DataError(
            f"{url}: the file there has another checksum than the {checksum} that params.yaml gives; it has changed or "
            f"the download was tampered with ({error})"
        ) from None


def fetch_all(specification: Url, cache: Path) -> Path:
    """Download all files of a specification.

    Returns:
        The folder that they are in, under the names that the specification gives them.

    Raises:
        DataError: as `fetch` does.
    """
    named = "\n".join(f"{name} {remote.sha256.lower()}" for name, remote in sorted(specification.files.items()))
    folder = cache / "url" / hashlib.sha256(named.encode()).hexdigest()[:16]
    for name, remote in specification.files.items():
        fetch(remote.url, f"sha256:{remote.sha256.lower()}", name, folder)
    return folder
