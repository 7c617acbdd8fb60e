"""Generic names at the root are paid for in the open: what must hold so that nothing clashes."""

from __future__ import annotations

import ast
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ["config", "connectors", "sentiment", "responders", "routing", "feed", "heedful"]
LIVES_BESIDE = {"calendar"}
"""`routing.calendar`: imported by its full name only; the standard one is not used."""
FORBIDDEN = {"utils", "util", "helpers", "helper", "manager", "base", "core", "models", "common", "misc"}


def modules() -> list[Path]:
    return [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]


@pytest.mark.parametrize("package", PACKAGES)
def test_our_packages_are_ours_alone(package: str) -> None:
    assert set(packages_distributions().get(package, [])) <= {"heedful"}
    found = sys.modules.get(package) or __import__(package)
    assert Path(str(found.__file__)).parent == ROOT / package


@pytest.mark.parametrize("package", PACKAGES)
def test_a_top_level_package_holds_a_docstring_and_nothing_else(package: str) -> None:
    tree = ast.parse((ROOT / package / "__init__.py").read_text("utf-8"))
    assert ast.get_docstring(tree)
    assert len(tree.body) == 1


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").exists()


def test_no_module_is_named_like_the_standard_library() -> None:
    names = {path.stem if path.stem != "__init__" else path.parent.name for path in modules()}
    assert (names & set(sys.stdlib_module_names)) - LIVES_BESIDE == set()
    assert not any((ROOT / f"{name}.py").exists() for name in sys.stdlib_module_names)


def test_no_module_is_a_drawer_for_everything() -> None:
    assert {path.stem for path in modules()} & FORBIDDEN == set()


def test_every_folder_of_tests_is_a_package() -> None:
    folders = {path.parent for path in (ROOT / "tests").rglob("*.py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_files_stay_small() -> None:
    long = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in modules()}
    assert {name: lines for name, lines in long.items() if lines > 400} == {}


def test_functions_stay_small() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno + 1 > 60
    ]
    assert long == []
