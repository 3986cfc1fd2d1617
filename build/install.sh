# shellcheck shell=bash
# What run.sh, test.sh and cpctl share, and the one place with install steps: packages of the system, packages of .NET,
# a quiet build. Sourced from the root of the repository.

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

# Runs a command and keeps its output to itself; all of it comes out, on standard error, only if the command fails.
quietly() {
    local log status=0
    log=$(mktemp)
    "$@" >"$log" 2>&1 </dev/null || status=$?
    if [ "$status" -ne 0 ]; then
        cat "$log" >&2
    fi
    rm -f "$log"
    return "$status"
}

# The programs that the tests call: of the Linux driver, which itself calls the kernel alone, and the server of the tests on
# PostgreSQL. Without them all else works.
install_system_packages() {
    [ "$(uname -s)" = Linux ] || return 0
    local missing=()
    local -A provider=([ip]=iproute2 [ping]=iputils-ping [strace]=strace)
    if [ "${1:-}" = tests ]; then
        # Cuts between the nodes of a cluster.
        provider+=([nft]=nftables [setpriv]=util-linux)
    fi
    local program
    for program in "${!provider[@]}"; do
        if ! PATH="$PATH:/usr/sbin:/sbin" command -v "$program" >/dev/null; then
            missing+=("${provider[$program]}")
        fi
    done
    # Its programs are not on the path. The cluster that the package would make is not used: tests start servers of their own.
    if [ "${1:-}" = tests ] && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
        missing+=(postgresql-15 postgresql-client-15)
    fi
    [ "${#missing[@]}" -gt 0 ] || return 0

    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        echo "installing ${missing[*]}" >&2
        export DEBIAN_FRONTEND=noninteractive
        if quietly apt-get update && quietly apt-get install -y --no-install-recommends "${missing[@]}"; then
            return 0
        fi
    fi
    echo "missing: ${missing[*]} (needed for real Linux hosts and for tests only; install them as root)" >&2
}

require_dotnet() {
    if ! command -v dotnet >/dev/null || ! dotnet --version >/dev/null 2>&1; then
        echo "missing: the .NET SDK that global.json names ($(sed -n 's/.*"version": *"\([^"]*\)".*/\1/p' global.json) or a later feature band)" >&2
        return 1
    fi
}

# restore PROJECT: up to three tries. A package source that fills itself on demand can answer "not found" the first time;
# the client remembers that answer, so its cache is cleared before the next try.
restore() {
    local try
    for try in 1 2; do
        if dotnet restore "$1" >/dev/null 2>&1 </dev/null; then
            return 0
        fi
        echo "restore of $1: try $try failed, trying again" >&2
        dotnet nuget locals http-cache --clear >/dev/null 2>&1 || true
        sleep 5
    done
    quietly dotnet restore "$1"
}

# build PROJECT: Release, quietly.
build() {
    restore "$1" && quietly dotnet build "$1" -c Release --no-restore -v quiet
}
