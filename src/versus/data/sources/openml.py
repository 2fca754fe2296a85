"""Data sets of openml.org, by name and version, through its REST API.

Interface: https://www.openml.org/apis (JSON). scikit-learn's ``fetch_openml`` needs pandas and reports faults of a file
without line numbers; here the ARFF file is read like a user's own.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

from versus.data.columns import RawTable
from versus.data.errors import DataError
from versus.data.sources import arff, download
from versus.data.specification import OpenML

_TIMEOUT = 60  # seconds without an answer


def load(specification: OpenML, cache: Path) -> RawTable:
    """Load a table and its OpenML description; both are kept in ``cache``, so the next call needs no network.

    Raises:
        DataError: if the server cannot be reached, has no such data set, or the checksum of its file differs.
    """
    name = f"{specification.name}-{specification.version}"
    folder = cache / "openml"
    found = _description(specification, folder / f"{name}.json")
    if str(found.get("format", "")).lower() != "arff":
        raise DataError(f"OpenML's {name} is in the format {found.get('format')!r}; dense ARFF is read")
    file = download.fetch(str(found["url"]), f"md5:{found['md5_checksum']}", f"{name}.arff", folder)
    raw = arff.parse({f"openml {name}": file}, specification.missing)
    unused = [*_names(found.get("row_id_attribute")), *_names(found.get("ignore_attribute"))]
    target = _names(found.get("default_target_attribute"))
    about = {
        "description": f"{found['name']}, version {found['version']}, of openml.org (number {found['id']})",
        "licence": str(found.get("licence", "none stated")),
        "citation": str(found.get("citation", "none stated")),
        "md5": str(found["md5_checksum"]),
    }
    return replace(raw, target=target[0] if len(target) == 1 else None, unused=unused, about=about)


def _description(specification: OpenML, kept: Path) -> dict[str, Any]:
    """Fetch OpenML's description of the data set: column roles and file address."""
    if not kept.is_file():
        server = f"{specification.server}/api/v1/json/data"
        listed = _get(
            f"{server}/list/data_name/{specification.name}/data_version/{specification.version}", specification
        )
        entries = listed.get("data", {}).get("dataset", [])
        if not entries:
            raise DataError(_unknown(specification))
        found = _get(f"{server}/{int(entries[0]['did'])}", specification)["data_set_description"]
        for key in ("id", "name", "version", "url", "md5_checksum"):
            if key not in found:
                raise DataError(f"{server}: the description of {specification.name!r} lacks {key!r}")
        kept.parent.mkdir(parents=True, exist_ok=True)
        aside = kept.with_suffix(".part")
        aside.write_text(json.dumps(found), encoding="utf-8")
        aside.replace(kept)
    description: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
    return description


def _get(url: str, specification: OpenML) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except urllib.error.HTTPError as error:
        if error.code in (404, 412):  # 412 is OpenML's "no results"
            raise DataError(_unknown(specification)) from None
        raise DataError(f"{url}: the server answers {error.code} {error.reason}") from None
    except (OSError, json.JSONDecodeError) as error:
        raise DataError(f"{url}: cannot be downloaded: {error}") from None


def _unknown(specification: OpenML) -> str:
    return (
        f"OpenML at {specification.server} has no active data set {specification.name!r} of version "
        f"{specification.version}; its page there shows both"
    )


def _names(found: Any) -> list[str]:
    """Split column names, which OpenML gives as one name, several with commas, or a list."""
    if isinstance(found, list):
        return [str(name) for name in found]
    return [name.strip() for name in str(found).split(",") if name.strip()] if found else []
