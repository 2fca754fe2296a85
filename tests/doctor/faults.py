"""What the doctor finds in a workspace, for its tests."""

from versus.pipeline.doctor.examination import examine
from versus.pipeline.doctor.finding import Finding
from versus.workspace import Workspace


def found(workspace: Workspace, at_work: bool = False) -> list[Finding]:
    """The faults of the workspace; those of the machine that the tests run on are not its own."""
    return [
        f for f in examine(workspace, at_work) if "are installed than" not in f.problem and "MB are" not in f.problem
    ]


def the_only(workspace: Workspace) -> Finding:
    findings = found(workspace)
    assert len(findings) == 1, findings
    return findings[0]


def mend(workspace: Workspace) -> str:
    """Apply the fix of the only fault, after which there is none; what was done."""
    fix = the_only(workspace).fix
    assert fix is not None
    done = fix()
    assert found(workspace) == []
    return done
