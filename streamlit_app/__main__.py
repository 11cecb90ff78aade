"""`python -m streamlit_app`: the app's server, with the options of `streamlit run`.

What the explorer takes long to load is loaded beside, while the server starts and waits for its first page.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from streamlit.web import cli

APP = Path(__file__).resolve().parent / "app.py"


def main() -> None:
    """Serve until told to end."""
    threading.Thread(target=_load, name="loading", daemon=True).start()
    sys.argv = ["streamlit", "run", str(APP), *sys.argv[1:]]
    cli.main()


def _load() -> None:
    import duckdb  # noqa: F401
    from pyarrow import feather  # noqa: F401

    from tidemark.cubes.compiled import compile_kernels

    compile_kernels()


if __name__ == "__main__":
    main()
