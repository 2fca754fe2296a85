import pytest
from pydantic import TypeAdapter, ValidationError

from versus.data.file_specification import paths
from versus.data.specification import AnySpecification, DatasetSpecification, FileSpecification

CSV = {"source": "csv", "path": "a.csv", "target": "y"}
URL = {"source": "url", "url": "https://example.org/b.csv", "sha256": "0" * 64}
BAD = [
    ({"source": "cvs", "path": "a"}, "does not match any of the expected tags"),
    ({"source": "csv", "path": "a.csv"}, r"target\n  Field required"),
    ({**CSV, "traget": "y"}, r"traget\n  Extra inputs are not permitted"),
    ({**CSV, "repeats": 2.5}, r"repeats\n  Input should be a valid integer"),
    ({**CSV, "repeats": "2"}, r"repeats\n  Input should be a valid integer"),
    ({**CSV, "header": "no"}, r"header\n  Input should be a valid boolean"),
    ({**CSV, "test_fraction": 1.0}, r"test_fraction\n  Input should be less than 1"),
    ({**CSV, "delimiter": ", "}, r"delimiter\n  String should have at most 1 character"),
    ({**CSV, "drop": ["a"], "categorical": ["a"]}, "a stands in more than one of categorical, numeric, drop and dates"),
    ({"source": "npz", "path": "a", "test_x": "b"}, "test_x and test_y go together"),
    ({**URL, "content": {**CSV, "path": "c.csv"}}, "content reads c.csv, and files has b.csv"),
    ({**URL, "sha256": "123", "content": CSV}, "String should match pattern"),
    ({"source": "url", "url": URL["url"], "content": CSV}, r"sha256\n  Field required"),
    ({**URL, "url": "ftp://example.org/b.csv", "content": CSV}, "String should match pattern"),
    ({"source": "embedded", "name": "mnist"}, "Input should be 'synthetic', 'moons'"),
    ({"source": "documents", "path": "a", "text": "b"}, "text and target go together"),
    ({"source": "documents", "path": "a", "token_pattern": "[a"}, "token_pattern: unterminated character set"),
    ({"source": "documents", "path": "a", "token_pattern": "(a)|b"}, "token_pattern has 1 groups"),
    ({"source": "conll", "path": "a", "tag": 0}, r"tag\n  Input should be greater than or equal to 1"),
    ({"source": "openml", "name": "iris"}, r"version\n  Field required"),
]


@pytest.mark.parametrize(("given", "message"), BAD, ids=[message[:30] for _, message in BAD])
def test_what_is_wrong_is_named(given, message):
    with pytest.raises(ValidationError, match=message):
        TypeAdapter(AnySpecification).validate_python(given)


def test_files_and_other_sources_stand_in_sections_of_their_own():
    TypeAdapter(FileSpecification).validate_python(CSV)
    with pytest.raises(ValidationError):
        TypeAdapter(DatasetSpecification).validate_python(CSV)


def test_paths_are_all_the_files_a_specification_names():
    found = TypeAdapter(AnySpecification).validate_python({**CSV, "test_path": "b.csv"})
    assert paths(found) == ("a.csv", "b.csv")


def test_a_specification_survives_the_way_through_json():
    adapter = TypeAdapter(AnySpecification)
    found = adapter.validate_python({**URL, "content": {**CSV, "path": "b.csv", "label_map": {"1": None}}})
    assert adapter.validate_python(found.model_dump(exclude_defaults=True)) == found
