"""One short script per DVC stage: read params and files, call the library, write files."""

import sys
from pathlib import Path

# Run the code that DVC fingerprints: src beside this folder comes before any installed versus.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))
