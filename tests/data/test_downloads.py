"""Data from a URL and from OpenML, against a server on loopback."""

import gzip
import hashlib
import json

import numpy as np
import pytest

from tests.data.conftest import Desk, Server
from versus.data.errors import DataError

TABLE = b"x,y\n" + b"1,a\n2,b\n" * 6


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_one_file_is_downloaded_once(desk: Desk, server: Server):
    (server.folder / "t.csv").write_bytes(TABLE)
    spec = {
        "source": "url",
        "url": f"{server.address}/t.csv",
        "sha256": sha256(TABLE).upper(),
        "content": {"source": "csv", "target": "y", "repeats": 2, "folds": 2, "seed": 3},
    }
    found = desk.prepare(**spec)
    assert found.X.shape == (12, 1)
    assert found.about["splits"]["repeats"] == 2
    assert found.about["files"] == [
        {"path": "t.csv", "bytes": len(TABLE), "sha256": sha256(TABLE), "url": f"{server.address}/t.csv"}
    ]
    desk.prepare(**spec)
    assert server.asked == ["/t.csv"]


def test_several_files_go_to_the_reader_together(desk: Desk, server: Server):
    head = bytes([0, 0, 8, 3, 0, 0, 0, 9, 0, 0, 0, 2, 0, 0, 0, 2])
    images = gzip.compress(head + bytes(range(36)), mtime=0)
    labels = bytes([0, 0, 8, 1, 0, 0, 0, 9]) + bytes([0, 1, 2] * 3)
    files = {}
    for name, content in (("images.gz", images), ("labels", labels)):
        (server.folder / name).write_bytes(content)
        files[name] = {"url": f"{server.address}/{name}", "sha256": sha256(content)}
    found = desk.prepare(source="url", files=files, content={"source": "idx", "path": "images.gz", "labels": "labels"})
    np.testing.assert_array_equal(found.X.reshape(-1), np.arange(36))


def test_another_checksum_is_refused_and_nothing_kept(desk: Desk, server: Server):
    (server.folder / "t.csv").write_bytes(TABLE)
    spec = {"source": "url", "url": f"{server.address}/t.csv", "content": {"source": "csv", "target": "y"}}
    with pytest.raises(DataError, match=r"t.csv: the file there has another checksum than the sha256:0000"):
        desk.prepare(**spec, sha256="0" * 64)
    assert not [path for path in desk.folder.rglob("*.csv") if server.folder not in path.parents]
    desk.prepare(**spec, sha256=sha256(TABLE))


def test_what_cannot_be_downloaded_is_named(desk: Desk, server: Server):
    spec = {"source": "url", "sha256": "0" * 64, "content": {"source": "csv", "target": "y"}}
    with pytest.raises(DataError, match=r"none.csv: cannot be downloaded: 404"):
        desk.prepare(**spec, url=f"{server.address}/none.csv")
    with pytest.raises(DataError, match=r"http://127.0.0.1:9/t.csv: cannot be downloaded"):
        desk.prepare(**spec, url="http://127.0.0.1:9/t.csv")


ARFF = b"@relation r\n@attribute id numeric\n@attribute x real\n@attribute 'kind' {a,b}\n@data\n" + b"".join(
    b"%d,%d,%s\n" % (i, i * i, b"ab"[i % 2 : i % 2 + 1]) for i in range(30)
)


def offer(server: Server, content: bytes = ARFF, **changes: object) -> None:
    """Answer as OpenML's REST interface does, for data set 61, named small, version 2."""
    api = server.folder / "api/v1/json/data"
    listing = api / "list/data_name/small/data_version/2"
    listing.parent.mkdir(parents=True)
    listing.write_text(json.dumps({"data": {"dataset": [{"did": 61, "name": "small", "version": 2}]}}))
    description = {
        "id": "61",
        "name": "small",
        "version": "2",
        "format": "ARFF",
        "licence": "Public",
        "url": f"{server.address}/data/v1/download/61/small.arff",
        "default_target_attribute": "kind",
        "row_id_attribute": "id",
        "md5_checksum": hashlib.md5(ARFF).hexdigest(),
        **changes,
    }
    (api / "61").write_text(json.dumps({"data_set_description": description}))
    (server.folder / "data/v1/download/61").mkdir(parents=True)
    (server.folder / "data/v1/download/61/small.arff").write_bytes(content)


def test_openml_by_name_and_version(desk: Desk, server: Server):
    offer(server)
    spec = {"source": "openml", "name": "small", "version": 2, "server": server.address}
    found = desk.prepare(**spec)
    assert [column.name for column in found.schema.columns] == ["x"]
    assert (found.schema.target, found.schema.classes) == ("kind", ("a", "b"))
    assert found.about["licence"] == "Public"
    assert len(server.asked) == 3
    again = desk.prepare(**spec)
    np.testing.assert_array_equal(again.X, found.X)
    assert len(server.asked) == 3  # the second time nothing is asked for


def test_openml_with_another_target(desk: Desk, server: Server):
    offer(server, default_target_attribute="kind,x", row_id_attribute=None)
    spec = {"source": "openml", "name": "small", "version": 2, "server": server.address}
    with pytest.raises(DataError, match=r"openml small-2: names no single target column; say which with `target:`"):
        desk.prepare(**spec)
    found = desk.prepare(**spec, target="x", task="regression")
    assert found.schema.y.task == "regression"


def test_openml_faults_are_named(desk: Desk, server: Server):
    offer(server, content=ARFF + b"31,0,a\n")
    with pytest.raises(DataError, match=r"has no active data set 'large' of version 2"):
        desk.prepare(source="openml", name="large", version=2, server=server.address)
    with pytest.raises(DataError, match=r"small.arff: the file there has another checksum than the md5:"):
        desk.prepare(source="openml", name="small", version=2, server=server.address)
    with pytest.raises(DataError, match=r"cannot be downloaded"):
        desk.prepare(source="openml", name="small", version=3, server="http://127.0.0.1:9")


def test_openml_in_another_format_is_refused(desk: Desk, server: Server):
    offer(server, format="Sparse_ARFF")
    with pytest.raises(DataError, match=r"small-2 is in the format 'Sparse_ARFF'; dense ARFF is read"):
        desk.prepare(source="openml", name="small", version=2, server=server.address)
