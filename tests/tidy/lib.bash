# What the checks of this folder share: where the tree is, its files, and how a finding is said. Sourced, not run.
# PARLOR_TREE: another tree than this one; ./bites checks the checks with it.
set -euo pipefail
repo=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
cd -- "${PARLOR_TREE:-$repo}"

# The tree's own files of these kinds, sorted. By find, since a tree without .git is checked too.
files() { # EXTENSION…
	local extension names=()
	for extension; do names+=(-o -name "*.$extension"); done
	find . \( -name .git -o -name build -o -name node_modules \) -prune -o -type f \( "${names[@]:1}" \) -printf '%P\n' | LC_ALL=C sort
}

# 77 is "skipped" to CTest.
skip() { echo "skipped: $*"; exit 77; }
die() { echo "$*" >&2; exit 1; }
