# SPDX-License-Identifier: MIT
# What run and units share: a bare system in a temporary directory, which goes with the script. Sourced by them.
exec </dev/null
name=$(basename -- "$0")
suite=bookworm mirror='' # else from where this machine has its own packages
MAKE_S=900

say() { echo "$name: $*"; }
die() { echo "$name: $*" >&2; exit 1; }

child=''
finish() {
	local status=$?
	trap '' INT TERM HUP
	trap - EXIT
	[[ ! $child ]] || { kill -KILL "$child" 2>/dev/null && wait "$child" 2>/dev/null; } || true
	[[ ! ${work-} ]] || rm -rf --one-file-system -- "$work"
	exit "$status"
}

# A signal to us arrives meanwhile: wait can be interrupted.
limited() { # SECONDS COMMAND…
	local status=0
	timeout --signal=KILL "$1" setpriv --pdeathsig KILL -- "${@:2}" &
	child=$!
	wait "$child" || status=$?
	child=''
	return "$status"
}

# In namespaces that end with what was started in them.
apart() { # SECONDS COMMAND…
	limited "$1" unshare --mount --pid --fork --kill-child --mount-proc "${@:2}"
}

# Makes $work/bare.
make_bare() { # PACKAGES with commas between
	[[ $EUID -eq 0 ]] || die "needs root"
	# The security archive is no whole one.
	[[ $mirror ]] || mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep -v security | head -n 1)
	[[ $mirror ]] || die "no mirror is known here; give one with --mirror"
	trap finish EXIT
	trap 'exit 1' INT TERM HUP
	work=$(mktemp -d "${TMPDIR:-/var/tmp}/parlor-bare.XXXXXX")
	say "$suite from $mirror, in $work"
	apart "$MAKE_S" debootstrap --variant=minbase --include="$1" "$suite" "$work/bare" "$mirror" >"$work/out" 2>&1 ||
		{ tail -n 20 "$work/out" >&2; die "no bare system"; }
}
