"""Downloads: each file is fetched once, kept in a folder, and used only if its checksum is the expected one."""

from __future__ import annotations

import hashlib
from pathlib import Path

from versus.data.errors import DataError
from versus.data.specification import Url

_TIMEOUT = 60  # seconds without an answer


def fetch(url: str, checksum: str, file: str, folder: Path) -> Path:
    """Download the file at ``url`` to ``folder``, unless it is there already.

    Args:
        url: its address.
        checksum: ``<algorithm>:<digest in hexadecimal>``.
        file: its name in the folder.
        folder: folder of downloads; created if missing.

    Raises:
        DataError: if it cannot be downloaded, or its checksum differs.
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
        Their folder, in which they have the names given by the specification.

    Raises:
        DataError: as for `fetch`.
    """
    named = "\n".join(f"{name} {remote.sha256.lower()}" for name, remote in sorted(specification.files.items()))
    folder = cache / "url" / hashlib.sha256(named.encode()).hexdigest()[:16]
    for name, remote in specification.files.items():
        fetch(remote.url, f"sha256:{remote.sha256.lower()}", name, folder)
    return folder
