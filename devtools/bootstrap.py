"""Makes `.venv` and installs what requirements-dev.txt pins. Run by the machine's own Python: no imports of ours.

Quick when nothing changed (a digest says so). uv, from the same pins, installs in seconds; where it does not work, pip
does the same. Every file is checked against the hashes in the requirements.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = ROOT / "requirements-dev.txt"
STAMP = VENV / "installed"
SUPPORTED = ((3, 11), (3, 12))


def main() -> int:
    if sys.version_info[:2] not in SUPPORTED:
        return fail(f"Python 3.11 or 3.12 is needed, and {sys.executable} is {sys.version.split()[0]}.")
    digest = hashlib.sha256(REQUIREMENTS.read_bytes() + os.fsencode(ROOT)).hexdigest()
    if STAMP.exists() and STAMP.read_text() == digest and works():
        return 0
    say("Installing into .venv ...")
    os.environ["PIP_USER"] = "no"
    if not works() and not make_venv():
        return 1
    STAMP.unlink(missing_ok=True)
    if not (install_with_uv() or install_with_pip()):
        return fail("Installing failed: the lines above say why. `make setup` tries again.")
    STAMP.write_text(digest)
    return 0


def works() -> bool:
    """Whether the environment is whole, here (it breaks when its folder is moved), and of a supported Python."""
    code = "import sys; print(sys.version_info[:2] in ((3, 11), (3, 12)), sys.prefix)"
    try:
        answer = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return answer.stdout.strip() == f"True {VENV}" and (VENV / "bin" / "pip").exists()


def make_venv() -> bool:
    shutil.rmtree(VENV, ignore_errors=True)
    result = subprocess.run([sys.executable, "-m", "venv", VENV], capture_output=True, text=True, check=False)
    if result.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        version = "{}.{}".format(*sys.version_info[:2])
        fail(
            f"{result.stdout}{result.stderr}\n{sys.executable} cannot make a virtual environment. "
            f"On Debian or Ubuntu: apt install python{version}-venv."
        )
    return result.returncode == 0


def install_with_uv() -> bool:
    """uv by pip with its pinned hash, everything else by uv. False when either does not work on this machine."""
    with tempfile.TemporaryDirectory() as folder:
        pinned = Path(folder) / "uv.txt"
        pinned.write_text(block("uv"))
        if not pip("-r", str(pinned), quiet=True):
            return False
    environment = {**os.environ, **uv_environment()}
    command = [str(VENV / "bin" / "uv"), "pip", "sync", "-q", "--python", str(PYTHON)]
    command += ["--require-hashes", str(REQUIREMENTS)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        say(f"uv could not install ({last_line(done.stderr)}): trying pip, which takes longer.")
    return done.returncode == 0


def uv_environment() -> dict[str, str]:
    """uv does not read pip's configuration: hand over its indexes and certificates, and a cache that can be written."""
    # Which index has a version is pip's question too; what it may contain is settled by the hashes.
    environment = {"UV_INDEX_STRATEGY": "unsafe-best-match"}
    names = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "find-links": "UV_FIND_LINKS"}
    names["cert"] = "SSL_CERT_FILE"  # a company's own authority
    for option, value in pip_settings().items():
        if option in names and names[option] not in os.environ:
            environment[names[option]] = value
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    if "UV_CACHE_DIR" not in os.environ and not can_write(cache):
        environment["UV_CACHE_DIR"] = str(ROOT / "var" / "cache" / "uv")
    return environment


def pip_settings() -> dict[str, str]:
    """pip's configuration, its environment variables last: they win there as well."""
    command = [str(PYTHON), "-m", "pip", "config", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    settings = [line.partition("=")[::2] for line in listed.splitlines()]
    settings.sort(key=lambda setting: setting[0].startswith(":env:"))
    return {name.partition(".")[2]: value.strip("'\"") for name, value in settings}


def can_write(folder: Path) -> bool:
    while not folder.exists():
        folder = folder.parent
    return os.access(folder, os.W_OK)


def install_with_pip() -> bool:
    return pip("-r", str(REQUIREMENTS))


def pip(*arguments: str, quiet: bool = False) -> bool:
    command = [str(PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes", *arguments]
    return subprocess.run(command, capture_output=quiet, check=False).returncode == 0


def block(package: str) -> str:
    """One package's lines of the requirements: its version and its hashes."""
    lines = REQUIREMENTS.read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"{package}=="))
    end = next((n for n in range(start + 1, len(lines)) if not lines[n].startswith(" ")), len(lines))
    return "\n".join(line for line in lines[start:end] if "#" not in line).rstrip("\\ ") + "\n"


def last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no message"])[-1].strip()


def say(message: str) -> None:
    print(message, flush=True)


def fail(message: str) -> int:
    print(f"setup: {message.strip()}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
