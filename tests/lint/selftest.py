#!/usr/bin/python3
"""Shows that each rule of lint can fail: plants a violation in a copy and expects it named."""

import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROOMS = ["base", "manifests", "registry", "bundle", "cmd"]
LONG = "void base_long(void)\n{\n" + "\t;\n" * 60 + "}\n"

# File to add, its text, the word of the rule that must answer.
PLANTED = [
    ("base/x.c", '#include "manifests/digest.h"\n', "arrow"),
    ("base/x.c", '#include "cmd/verb.h"\n', "arrow"),
    ("manifests/x.c", '#include "registry/http.h"\n', "arrow"),
    ("manifests/x.c", '#include "bundle/reader.h"\n', "arrow"),
    ("registry/x.c", '#include "bundle/reader.h"\n', "arrow"),
    ("bundle/x.h", '#pragma once\n#include "registry/pull.h"\n', "arrow"),
    ("bundle/x.c", '#include "cmd/verb.h"\n', "arrow"),
    ("registry/x.c", "#include <curl/curl.h>\n", "foreign"),
    ("bundle/x.c", "#include <jansson.h>\n", "foreign"),
    ("manifests/x.c", "#include <yaml.h>\n", "foreign"),
    ("manifests/x.c", "#  include <archive_entry.h>\n", "foreign"),
    ("cmd/x.c", "#include <openssl/evp.h>\n", "foreign"),
    ("base/x.c", "#include <zlib.h>\n", "foreign"),
    ("base/x.c", LONG, "long"),
    ("cmd/export.c", "\n" * 121, "file"),
    ("cmd/push.c", "\n" * 121, "file"),
    ("cmd/main.c", "\n" * 121, "file"),
    ("base/x.c", "#ifdef NEVER\n#endif\n", "conditional"),
    ("base/x.h", "#pragma once\n # if 0\n#endif\n", "conditional"),
    ("base/x.c", "void x(void)\n{\n\tOWNED(drop_fd) int fd = -1;\n\tgoto out;\nout:\n\t;\n}\n", "goto"),
    ("base/x.c", "void x(void)\n{\n\texit(1);\n}\n", "exit"),
    ("base/x.c", "static int counter;\n", "global"),
    ("base/x.c", "char buffer[10];\n", "global"),
    ("base/utils.c", "", "name"),
    ("cmd/common.h", "#pragma once\n", "name"),
    ("base/x.h", "struct x;\n", "once"),
    ("docs/THREATS.md", "| 1 | a | b | `e2e/test_x.py::test_absent` |\n", "threat"),
    ("docs/THREATS.md", "| 1 | a | b | `unit/base/x.c::absent` |\n", "threat"),
    ("docs/THREATS.md", "| 1 | a | b | none yet |\n", "threat"),
    ("docs/THREATS.md", "| 1 | a | b | `e2e/test_x.py::test_there`, and more |\n", "threat"),
    ("docs/THREATS.md", "| 1 | a | `base/gone.c` | `e2e/test_x.py::test_there` |\n", "threat"),
    ("tests/x.py", 'PLACE = "' + "/" + 'work/registry"\n', "path"),
]


def rules(folder):
    command = [sys.executable, str(ROOT / "tests/lint/rules.py"), str(folder)]
    return subprocess.run(command, capture_output=True, text=True)


def answered(name, text, word):
    """Whether the rules name the planted file, by that rule alone."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for room in ROOMS:
            (root / room).mkdir()
        (root / "docs").mkdir()
        (root / "tests/e2e").mkdir(parents=True)
        (root / "tests/e2e/test_x.py").write_text("def test_there():\n    pass\n")
        (root / "docs/THREATS.md").write_text("| 1 | a | b | `e2e/test_x.py::test_there` |\n")
        if rules(root).returncode != 0:
            return False
        (root / name).write_text(text)
        run = rules(root)
        lines = run.stdout.splitlines()
        return run.returncode == 1 and len(lines) == 1 and lines[0].startswith(f"{name}:") and f" {word}: " in lines[0]


def main():
    missed = [(name, word) for name, text, word in PLANTED if not answered(name, text, word)]
    for name, word in missed:
        print(f"selftest: the rule \"{word}\" did not answer to what was planted in {name}")
    print(f"lint selftest: {len(PLANTED) - len(missed)} passed, {len(missed)} failed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
