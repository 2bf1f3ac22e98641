#!/usr/bin/python3
"""The checks that keep the tree what its README says it is.

Usage: lint.py CHECK SOURCE_DIR FLOORS_FILE
Each check prints one line per finding, `file:line: what is wrong and what to do`, and exits 1 if
there is any. FLOORS_FILE holds one line `folder=module,module` per folder, written by CMake from
the DEPS lists.
"""
import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path()
FINDINGS = []
CODE = ("lib", "daemon", "ctl")


def find(path, line, text):
    FINDINGS.append(f"{path}:{line}: {text}" if line else f"{path}: {text}")


def files(folders, *suffixes):
    """Source files below the folders, relative to the top, without builds and caches."""
    for folder in folders:
        for directory, names, entries in os.walk(TOP / folder):
            names[:] = sorted(n for n in names if n not in ("build", "__pycache__", ".git", ".cache"))
            for entry in sorted(entries):
                if not suffixes or entry.endswith(suffixes):
                    yield (Path(directory) / entry).relative_to(TOP)


def lines(path):
    text = (TOP / path).read_text(encoding="utf-8")
    return list(enumerate(text.splitlines(), 1))


# ---- floors ------------------------------------------------------------------------------------
FLOOR = {"base": 1, "crypto": 2, "domain": 2, "keytree": 3, "rootslot": 3, "blob": 3, "translog": 3,
         "catalog": 3, "policy": 3, "bus": 3, "modelfile": 3, "certificate": 4, "lifecycle": 5,
         "view": 5}
CTL_NEVER = {"keytree", "rootslot", "blob", "catalog", "lifecycle"}
# Headers of other people's libraries, and the only folders that may know them.
OUTSIDE = {
    r"systemd/": ("lib/bus/", "daemon/"),
    r"sqlite3\.h": ("lib/catalog/",),
    r"openssl/": ("lib/crypto/", "lib/rootslot/", "lib/base/"),
    r"sodium(\.h|/)": ("lib/base/", "lib/crypto/", "lib/rootslot/"),
    r"archive(_entry)?\.h": ("ctl/",),
    r"fuse(_lowlevel)?\.h": ("lib/view/",),
    r"tss2/": ("lib/rootslot/",),
    r"spdlog/": ("lib/base/log", "daemon/"),
    r"cxxopts\.hpp": ("ctl/", "daemon/"),
    r"toml\+\+/": ("lib/base/", "lib/policy/", "daemon/"),
}
# Not in both compilers' standard libraries, or too dear for a header.
BANNED = {"expected", "format", "source_location", "ranges", "regex"}
ONLY_IN_CPP = r"(nlohmann/json\.hpp|toml\+\+/|cxxopts\.hpp|spdlog/)"


def read_floors(path):
    floors = {}
    for row in Path(path).read_text().splitlines():
        if "=" in row:
            folder, deps = row.split("=", 1)
            floors[folder] = [d for d in deps.split(",") if d]
    return floors


def check_floor_declarations(floors):
    for folder, deps in floors.items():
        module = folder.removeprefix("lib/")
        for dep in deps:
            if dep not in FLOOR:
                find(folder + "/CMakeLists.txt", 0, f"depends on '{dep}', which is no module")
            elif folder.startswith("lib/"):
                here = FLOOR.get(module)
                if here is None:
                    find(folder, 0, "is on no floor: add it to aierase-architecture(7) and lint.py")
                elif FLOOR[dep] > here or (FLOOR[dep] == here and here >= 2):
                    find(folder + "/CMakeLists.txt", 0,
                         f"floor {here} may not depend on '{dep}' of floor {FLOOR[dep]}")

    def reach(deps, seen):
        for dep in deps:
            if dep not in seen:
                seen.add(dep)
                reach(floors.get("lib/" + dep, []), seen)
        return seen
    for dep in sorted(reach(floors.get("ctl", []), set()) & CTL_NEVER):
        find("ctl/CMakeLists.txt", 0, f"aierase may never link '{dep}': it holds no keys")


def folder_of(path):
    return f"lib/{path.parts[1]}" if path.parts[0] == "lib" else path.parts[0]


def check_include(path, number, target, quoted, floors):
    folder = folder_of(path)
    if not quoted:
        if target in BANNED:
            find(path, number, f"<{target}> is not in both compilers, or costs too much: see the "
                 "architecture page")
        for pattern, allowed in OUTSIDE.items():
            if re.match(pattern, target) and not str(path).startswith(allowed):
                find(path, number, f"<{target}> is known to {', '.join(allowed)} alone")
        if path.suffix == ".h" and re.match(ONLY_IN_CPP, target):
            find(path, number, f"<{target}> belongs in .cpp files: it costs seconds per includer")
        return
    top = target.split("/")[0]
    if "/" not in target:
        find(path, number, f'"{target}": write includes as "<module>/<file>.h"')
    elif top in FLOOR:
        if f"lib/{top}" != folder and top not in floors.get(folder, []):
            find(path, number, f'"{target}": {folder} does not have {top} in its DEPS')
    elif top in ("daemon", "ctl") and top != folder:
        find(path, number, f'"{target}": {folder} may not look into {top}/')
    elif top in ("tests", "support"):
        find(path, number, f'"{target}": a product file may not include a test\'s')


def architecture_table():
    """Rows `.It Sy lib/base Ta 1 Ta -` of the floors table in aierase-architecture(7)."""
    table = {}
    page = "man/aierase-architecture.7"
    for _, row in lines(page):
        match = re.match(r"\.It Pa (\S+) Ta \d Ta (.+)$", row)
        if match:
            deps = match.group(2).strip()
            table[match.group(1).rstrip("/")] = [] if deps == "none" else deps.split()
    return page, table


def check_floors(floors_file):
    floors = read_floors(floors_file)
    check_floor_declarations(floors)
    for path in files(CODE, ".cpp", ".h"):
        for number, row in lines(path):
            match = re.match(r'\s*#\s*include\s+(["<])([^">]+)[">]', row)
            if match:
                check_include(path, number, match.group(2), match.group(1) == '"', floors)
    page, table = architecture_table()
    for folder in sorted(set(floors) | set(table)):
        if folder not in table:
            find(page, 0, f"the floors table lacks {folder} (DEPS: {' '.join(floors[folder]) or 'none'})")
        elif folder not in floors:
            find(page, 0, f"the floors table names {folder}, which the build does not have")
        elif sorted(table[folder]) != sorted(floors[folder]):
            find(page, 0, f"the floors table gives {folder} {table[folder]}, its DEPS are {floors[folder]}")


# ---- secrets -----------------------------------------------------------------------------------
def check_secrets(_):
    allowed = {}
    list_file = "tests/lint/secrets.txt"
    for number, row in lines(list_file):
        row = row.split("#")[0].strip()
        if row:
            allowed[row] = number
    using = set()
    for path in files(CODE, ".cpp", ".h"):
        for number, row in lines(path):
            code = row.split("//")[0]
            if re.search(r"(\.|->)\s*(reveal|fill)\s*\((?!std::byte)", code):
                using.add(str(path))
                if str(path) not in allowed:
                    find(path, number, f"looks into secrets; if it must, add it to {list_file} with "
                         "the reason")
    for path, number in allowed.items():
        if path not in using:
            find(list_file, number, f"{path} does not look into secrets any more: drop the line")


# ---- limits ------------------------------------------------------------------------------------
def evaluate(expression):
    expression = re.sub(r"(?<=\d)'(?=\d)", "", expression)
    expression = re.sub(r"(?<=\d)U?L?L\b", "", expression)
    tree = ast.parse(expression.strip(), mode="eval")
    allowed = (ast.Expression, ast.BinOp, ast.Constant, ast.LShift, ast.Mult, ast.Add, ast.Sub)
    if not all(isinstance(node, allowed) for node in ast.walk(tree)):
        raise ValueError(expression)
    return eval(compile(tree, "limits.h", "eval"))  # constants and + - * << only


UNITS = {"KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40}


def number_in_page(text):
    match = re.search(r"(\d[\d,]*)(?:\s*(?:\\&|\\ |~)?\s*(KiB|MiB|GiB|TiB))?", text)
    if not match:
        return None
    return int(match.group(1).replace(",", "")) << UNITS.get(match.group(2), 0)


def check_limits(_):
    """Rows `.It what Ta value Ta reason` under LIMITS in aierase(1), in the order of limits.h."""
    header, page = "lib/base/limits.h", "man/aierase.1"
    constants = []
    for number, row in lines(header):
        match = re.match(r"inline constexpr [\w:]+ (k\w+) = ([^;]+);", row)
        if match:
            constants.append((match.group(1), evaluate(match.group(2)), number))
    rows, inside = [], False
    for number, row in lines(page):
        if row.startswith(".Sh "):
            inside = row.strip() == ".Sh LIMITS"
        match = re.match(r"\.It (.+?) Ta (.+?)(?: Ta .*)?$", row)
        if inside and match:
            value = number_in_page(match.group(2))
            if value is not None:
                rows.append((match.group(1), value, number))
    if not rows:
        find(page, 0, "has no table under LIMITS with rows `.It what Ta value Ta reason`")
        return
    for (name, value, at), (what, written, number) in zip(constants, rows):
        if value != written:
            find(page, number, f"'{what}' says {written}, {name} at {header}:{at} is {value} "
                 "(same order in both)")
    if len(rows) != len(constants):
        find(page, 0, f"LIMITS has {len(rows)} rows, {header} has {len(constants)} limits")


# ---- words -------------------------------------------------------------------------------------
TOP_LEVEL = {"CMakeLists.txt", "CMakePresets.json", "daemon", "ctl", "lib", "policies", "units",
             "tests", "man", "README.md"}
WORDS = {
    r"wip(e|es|ed|ing)": "say erase, destroy or zeroize",
    r"shred\w*": "say erase", r"nuk(e|es|ed)": "say erase",
    r"secure(ly)?[ -]delet(e|es|ed|ion)": "say erase", r"master[ -]keys?": "say root secret or KEK",
    r"white-?list\w*": "say allow-list", r"sanitiz(e|ed|ing|ation)|sanitis(e|ed|ing|ation)":
    "it means data cleaning in EN 304 223: say erase",
    r"utils?|helpers?": "say what it does",
}
UNFINISHED = r"\bT[O]DO\b|\bF[I]XME\b|\bX[X]X\b|\bH[A]CK\b|DISA[B]LED_|GTEST_[S]KIP\(\)(?! << )"
MACHINE = r"(^|[^A-Za-z0-9_.-])/w[o]rk/|\.p[y]env|(deb|security)\.d[e]bian\.(org|net)"
# The title of the standard, and compilers' own names for their checkers.
QUOTED = r"Guidelines for Media Sanitization|-fsanitize\S*|no_sanitize\S*|AddressSanitizer"


def check_map():
    """README.md names every folder that a newcomer meets."""
    text = (TOP / "README.md").read_text(encoding="utf-8")
    text = text[text.index("## Map"):]
    folders = [p.name for base in ("lib", "tests") for p in (TOP / base).iterdir()
               if p.is_dir() and not p.name.startswith((".", "__")) and any(p.iterdir())]
    for folder in sorted(folders):
        if not re.search(rf"\b{folder}\b", text):
            find("README.md", 0, f"the map does not name {folder}")


def check_words(_):
    check_map()
    for entry in sorted(os.listdir(TOP)):
        if not entry.startswith(".") and entry not in TOP_LEVEL and entry not in ("build",):
            find(entry, 0, "the top level has room for nothing else: see the map in README.md")
    forbidden = [(re.compile(rf"(?<![\w-])(?:{word})(?![\w-])", re.I), hint) for word, hint in WORDS.items()]
    product = list(files(CODE + ("man", "policies", "units")))
    for path in product + list(files(("tests", ".ci"))) + [Path("README.md"), Path("CMakeLists.txt")]:
        if path.parts[:2] == ("tests", "vectors") or "corpus" in path.parts:
            continue
        if re.search(r"util|helper", path.name, re.I):
            find(path, 0, "name the file for what it does")
        try:
            rows = lines(path)
        except UnicodeDecodeError:
            find(path, 0, "is not UTF-8 text; data belongs in tests/vectors")
            continue
        if path.parts[0] in CODE and path.suffix in (".cpp", ".h") and len(rows) > 500:
            find(path, 0, f"has {len(rows)} lines: beyond 500 it holds two things, part them")
        own = path.parts[:2] == ("tests", "lint")
        for number, row in rows:
            if re.search(UNFINISHED, row):
                find(path, number, "unfinished or skipped: finish it")
            if re.search(MACHINE, row):
                find(path, number, "names a build machine")
            if own:
                continue
            text = re.sub(QUOTED, "", row)
            for pattern, hint in forbidden:
                match = pattern.search(text)
                if match:
                    find(path, number, f"'{match.group(0)}' is outside the vocabulary: {hint}")
            match = re.search(r"\b[A-Z]\w*(Manager|Helper|Utils?)\b", text)
            if match and path.suffix in (".cpp", ".h"):
                find(path, number, f"'{match.group(0)}': name the type for what it does")


# ---- format, man, scripts ----------------------------------------------------------------------
def run(command):
    return subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)


def need(program):
    if shutil.which(program):
        return True
    find("tests/lint", 0, f"{program} is not installed: tests/packages test installs it")
    return False


def check_format(_):
    paths = [str(p) for p in files(CODE + ("tests",), ".cpp", ".h")]
    if need("clang-format") and paths:
        done = run(["clang-format", "--dry-run", "-Werror", "--style=file", *paths])
        seen = set()
        for row in done.stderr.splitlines():
            match = re.match(r"(\S+?):(\d+):\d+: error", row)
            if match and match.group(1) not in seen:
                seen.add(match.group(1))
                find(match.group(1), match.group(2), "run clang-format -i on it")
        if done.returncode and not seen:
            find("clang-format", 0, done.stderr.strip()[:500])


def pages():
    return [p for p in files(("man",)) if re.fullmatch(r".+\.[1-8]", p.name)]


def check_man(_):
    own = {p.name for p in pages()}
    if not need("mandoc") or not own:
        return
    done = run(["mandoc", "-Tlint", "-W", "warning", *[str(p) for p in pages()]])
    for row in done.stdout.splitlines():
        find("mandoc", 0, row.removeprefix("mandoc: "))
    check_bus_page()
    stems = {re.sub(r"\.\d$", "", name) for name in own}
    for path in pages():
        for number, row in lines(path):
            match = re.match(r"\.(?:It )?Xr (\S+) (\d)", row)
            if match and match.group(1) in stems and f"{match.group(1)}.{match.group(2)}" not in own:
                find(path, number, f"{match.group(1)}({match.group(2)}) does not exist")
            if match and match.group(1).startswith(("aierase", "org.aierase")) \
                    and match.group(1) not in stems:
                find(path, number, f"{match.group(1)}({match.group(2)}) does not exist")


def check_bus_page():
    """org.aierase1(5) names whatever the interface XML has."""
    page = "man/org.aierase1.5"
    words = set(re.findall(r"\w+", (TOP / page).read_text(encoding="utf-8")))
    for path in files(("lib/bus/interfaces",), ".xml"):
        for number, row in lines(path):
            match = re.search(r'<(method|signal|property) name="(\w+)"', row)
            if match and match.group(2) not in words:
                find(page, 0, f"lacks the {match.group(1)} {match.group(2)} of {path}:{number}")


def check_scripts(_):
    for path in list(files(("tests", "units", ".ci"))):
        with open(TOP / path, "rb") as source:
            first = source.readline()
        if not first.startswith(b"#!"):
            continue
        if not os.access(TOP / path, os.X_OK):
            find(path, 1, "has an interpreter line but is not executable")
        if b"bash" in first or first.rstrip().endswith(b"/sh"):
            shell = "bash" if b"bash" in first else "sh"
            done = run([shell, "-n", str(path)])
            for row in done.stderr.splitlines():
                find(path, 0, row)
        elif b"python3" in first:
            try:
                compile((TOP / path).read_bytes(), str(path), "exec")
            except SyntaxError as error:
                find(path, error.lineno, str(error))


CHECKS = {"floors": check_floors, "secrets": check_secrets, "limits": check_limits,
          "words": check_words, "format": check_format, "man": check_man, "scripts": check_scripts}

if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in CHECKS:
        sys.exit(f"usage: lint.py {'|'.join(CHECKS)} SOURCE_DIR FLOORS_FILE")
    TOP = Path(sys.argv[2]).resolve()
    try:
        CHECKS[sys.argv[1]](sys.argv[3])
    except FileNotFoundError as error:
        find(error.filename, 0, "does not exist")
    print("\n".join(FINDINGS) if FINDINGS else f"lint.{sys.argv[1]}: nothing found")
    sys.exit(1 if FINDINGS else 0)
