from pathlib import Path

import pytest

from versus.tracking import destination


def test_the_default_store_lies_at_the_root_by_absolute_path(tmp_path: Path) -> None:
    found = destination.find(tmp_path, {})
    assert found.uri == f"sqlite:///{tmp_path.as_posix()}/mlflow.db"
    assert found.sqlite_file == tmp_path / "mlflow.db"
    assert found.artifacts == (tmp_path / "mlruns").as_uri()
    assert found.experiment("digits") == "digits"


def test_workspaces_share_the_store_of_the_repository_whose_code_they_run(tmp_path: Path) -> None:
    workspace = tmp_path / "runs" / "examples"
    workspace.mkdir(parents=True)
    for code, root in (("../..", tmp_path), (".", workspace)):
        (workspace / "dvc.yaml").write_text(f"vars:\n  - code: {code}   # where src/ and stages/ lie\nstages: {{}}\n")
        assert destination.find(workspace, {}).sqlite_file == root / "mlflow.db"


def test_a_workspace_of_an_installed_package_has_a_store_of_its_own(tmp_path: Path) -> None:
    package, workspace = tmp_path / "site-packages" / "versus", tmp_path / "runs" / "data"
    for folder in (package / "project", workspace):
        folder.mkdir(parents=True)
    (package / "__init__.py").touch()
    text = "vars:\n  - code: ../../site-packages/versus/project   # where the stages lie\nstages: {}\n"
    (workspace / "dvc.yaml").write_text(text)
    assert destination.find(workspace, {}).sqlite_file == workspace / "mlflow.db"


def test_experiments_of_dvc_log_to_the_repository_they_came_from(tmp_path: Path) -> None:
    temporary = tmp_path / ".dvc" / "tmp" / "exps" / "tmp1234"
    assert destination.find(temporary, {}).sqlite_file == tmp_path / "mlflow.db"


@pytest.mark.parametrize(
    ("given", "file"),
    [("sqlite:///other.db", "other.db"), ("sqlite:///a/b.db", "a/b.db"), ("sqlite:////x/y.db", "/x/y.db")],
)
def test_a_relative_sqlite_path_is_relative_to_the_root(tmp_path: Path, given: str, file: str) -> None:
    assert destination.find(tmp_path, {"MLFLOW_TRACKING_URI": given}).sqlite_file == tmp_path / file


def test_a_server_decides_about_artifacts_itself(tmp_path: Path) -> None:
    found = destination.find(tmp_path, {"MLFLOW_TRACKING_URI": "http://localhost:5000"})
    assert (found.sqlite_file, found.artifacts) == (None, None)


def test_the_experiment_name_is_a_prefix_and_no_data_set_collides_with_the_comparison(tmp_path: Path) -> None:
    found = destination.find(tmp_path, {"MLFLOW_EXPERIMENT_NAME": "team"})
    assert found.experiment("digits") == "team-digits"
    assert destination.find(tmp_path, {}).comparison == "versus-comparison"


@pytest.mark.parametrize(
    "environment",
    [
        {"MLFLOW_TRACKING_URI": "https://anna:c4nary%40pass@tracking.example:5000/path"},
        {"MLFLOW_TRACKING_URI": "postgresql://anna:c4nary%40pass@db/mlflow"},
        {"MLFLOW_TRACKING_URI": "http://anna:c4nary@pass@[broken"},
        {"MLFLOW_TRACKING_PASSWORD": "c4nary@pass"},
        {"AWS_SECRET_ACCESS_KEY": "c4nary@pass"},
    ],
)
def test_secrets_are_blacked_out_wherever_they_stand(environment: dict[str, str]) -> None:
    texts = [f"failed: {value} (c4nary@pass)" for value in environment.values()] + ["c4nary%40pass", "x c4nary@pass y"]
    for text in texts:
        assert "c4nary" not in destination.redact(text, environment).replace("***", "")


def test_credentials_of_unknown_uris_go_too_and_the_rest_stays() -> None:
    text = "see https://u:p@ss@host:80/a?b=c and mail me@example.org"
    assert destination.redact(text, {}) == "see https://***@host:80/a?b=c and mail me@example.org"


def test_parts_of_a_password_that_was_not_quoted_go_too() -> None:
    environment = {"MLFLOW_TRACKING_URI": "http://anna:c4nary/rest-of-it@host:9"}
    assert (
        destination.redact("cannot resolve 'c4nary', path /rest-of-it", environment)
        == "cannot resolve '***', path /***"
    )
