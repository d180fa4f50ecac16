"""The walls that imports alone do not show (ARCHITECTURE.md): SQL, HTTP, late imports, pickles, and what a web command loads."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = [path for room in ("app", "models", "worker") for path in sorted((ROOT / room).rglob("*.py"))]
READERS_OF_PICKLES = {"pickle", "joblib", "dill", "yaml"}


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imported(tree: ast.AST) -> set[str]:
    """The top names of everything a file imports, wherever it does."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_routes_hold_no_sql() -> None:
    for path in (ROOT / "app").rglob("*routes.py"):
        names = imported(tree_of(path))
        assert not {name for name in names if name.startswith("sqlalchemy") and name != "sqlalchemy.orm.Session"} - {
            "sqlalchemy.orm"
        }, f"{shown(path)} speaks SQL"


def test_queries_hold_no_http() -> None:
    for path in (ROOT / "app").rglob("*queries.py"):
        names = imported(tree_of(path))
        assert not {name for name in names if name.split(".")[0] in ("fastapi", "starlette")}, (
            f"{shown(path)} speaks HTTP"
        )


def test_every_import_stands_at_the_top_of_its_file() -> None:
    for path in SOURCES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                late = [inner for inner in ast.walk(node) if isinstance(inner, ast.Import | ast.ImportFrom)]
                assert not late, f"{shown(path)}:{node.lineno} {node.name} imports late"


def test_nothing_reads_pickles() -> None:
    for path in SOURCES:
        tree = tree_of(path)
        assert not {name.split(".")[0] for name in imported(tree)} & READERS_OF_PICKLES, (
            f"{shown(path)} can read pickles"
        )
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                call = ast.unparse(node.func)
                allowed = shown(path) == "worker/networks/weights.py" and "weights_only=True" in ast.unparse(node)
                assert call not in ("torch.load", "torch.jit.load", "torch.export.load") or allowed, (
                    f"{shown(path)} loads a pickle"
                )
                assert "allow_pickle=True" not in ast.unparse(node), f"{shown(path)} loads a pickle"


def test_every_file_says_what_it_holds() -> None:
    for path in SOURCES:
        assert ast.get_docstring(tree_of(path)), f"{shown(path)} has no docstring"


@pytest.mark.parametrize(
    "start", ["import app.main", "import waterhole; waterhole.load_settings()", "import models.importing"]
)
def test_a_web_command_loads_neither_torch_nor_faiss(start: str) -> None:
    look = f"import sys; {start}; print([name for name in ('torch', 'faiss', 'dbos', 'PIL') if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", look], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
