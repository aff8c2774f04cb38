"""Every module has one name, `stackweave....`, in the checkout and in the wheel."""

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "stackweave"
LINKED = ("actors", "core", "wire")
SHIPPED = (".py", ".css", ".html", ".js", ".json", ".xz", ".typed")

WALK = """
import importlib, os, pkgutil, sys
import stackweave
for module in pkgutil.walk_packages(stackweave.__path__, "stackweave."):
    if module.name != "stackweave.__main__":
        importlib.import_module(module.name)
bare = [name for name in ("actors", "core", "wire") if name in sys.modules]
assert not bare, f"imported by a bare name: {bare}"
names = {}
for name, module in sys.modules.items():
    path = getattr(module, "__file__", None)
    if path and name != "__main__":
        names.setdefault(os.path.realpath(path), set()).add(module.__spec__.name)
root = os.path.realpath(sys.argv[1])
twice = [both for path, both in names.items() if len(both) > 1 and path.startswith(root)]
assert not twice, f"one file, two modules: {twice}"
print(sum(path.startswith(root + os.sep + "core") for path in names))
"""


def shipped_files(package: Path) -> set[str]:
    """What a wheel of the package must hold, as paths below the import root."""
    linked = [path for name in LINKED for path in (package / name).rglob("*")]
    own = [path for path in package.rglob("*") if path.is_file()]
    return {
        str(path.relative_to(package.parent))
        for path in own + linked
        if path.suffix in SHIPPED and "__pycache__" not in path.parts
    }


@pytest.mark.parametrize("name", LINKED)
def test_the_layers_are_links_to_the_real_folders(name: str) -> None:
    link = PACKAGE / name
    assert link.is_symlink()
    assert not link.readlink().is_absolute()
    assert link.resolve() == ROOT / name


def test_no_module_has_two_names() -> None:
    # from the checkout's root, where a bare `import core` would work too
    walk = subprocess.run(
        [sys.executable, "-c", WALK, str(ROOT)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert walk.returncode == 0, walk.stderr
    assert int(walk.stdout) == len(
        [path for path in (ROOT / "core").rglob("*.py") if "__pycache__" not in path.parts]
    )


def test_the_walk_sees_a_second_name() -> None:
    planted = WALK.replace("import stackweave\n", "import stackweave, core\n", 1)
    walk = subprocess.run(
        [sys.executable, "-c", planted, str(ROOT)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert walk.returncode != 0
    assert "bare name" in walk.stderr


def test_a_wheel_made_through_an_sdist_holds_every_layer(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    skip = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__")
    shutil.copytree(ROOT, tree, symlinks=True, ignore=skip)
    build = subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(tmp_path / "dist"), str(tree)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert build.returncode == 0, build.stdout + build.stderr
    [wheel] = (tmp_path / "dist").glob("*.whl")
    held = {name for name in ZipFile(wheel).namelist() if not name.split("/")[0].endswith("-info")}
    assert held == shipped_files(tree / "src" / "stackweave")
