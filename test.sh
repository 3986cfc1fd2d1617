#!/usr/bin/env bash
# Builds everything and runs every test, or one suite. The last line is always: N passed, M failed, K skipped
# ./test.sh Simulation --seed N [--replay] and its like run histories in place of tests, see docs/simulation.md.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"

usage() {
    echo "usage: ./test.sh [SUITE [options of dotnet test]]"
    echo "suites:"
    local project
    for project in tests/*/*.csproj; do
        echo "  $(basename "$(dirname "$project")")"
    done
}

projects=()
what=ControlPlane.sln
if [ $# -eq 0 ]; then
    projects=(tests/*/*.csproj)
else
    case $1 in
        -h | --help)
            usage
            exit 0
            ;;
    esac
    for project in tests/*/*.csproj; do
        name=$(basename "$(dirname "$project")")
        if [ "${name,,}" = "${1,,}" ]; then
            projects+=("$project")
            what=$project
        fi
    done
    if [ "${#projects[@]}" -eq 0 ]; then
        echo "test.sh: no suite is called $1" >&2
        usage >&2
        exit 2
    fi
    shift
fi

# shellcheck source=build/install.sh
. build/install.sh
require_dotnet
install_system_packages tests
echo "building"
if ! build "$what"; then
    echo "the build failed"
    echo "0 passed, 0 failed, 0 skipped"
    exit 1
fi

# Histories of the simulation: their own program tells them, and its exit code is the verdict.
if [ "${#projects[@]}" -eq 1 ] && [ "${projects[0]}" = tests/Simulation/Simulation.Tests.csproj ]; then
    case ${1:-} in
        --seed | --seeds | --from | --tape)
            exec dotnet artifacts/bin/Simulation.Tests/release/ControlPlane.Simulation.Tests.dll "$@"
            ;;
    esac
fi

passed=0 failed=0 skipped=0 crashed=() failures=()

# count FILE NAME: one number of a trx file's Counters; 0 if the file or the number is missing.
count() {
    local number
    number=$(tr '\n' ' ' <"$1" | sed -n "s/.*<Counters [^>]*\b$2=\"\([0-9]*\)\".*/\1/p")
    echo "${number:-0}"
}

# tell_failures FILE: of a suite's output, each failed test with the first lines of its message and stack.
tell_failures() {
    awk '/^  Failed / { left = 30 } left > 0 { print; left-- }' "$1"
}

for project in "${projects[@]}"; do
    name=$(basename "$(dirname "$project")")
    results=artifacts/test-results/$name
    rm -rf "$results"
    mkdir -p "$results"
    echo "== $name"
    status=0
    export CONTROLPLANE_FIGURES=$PWD/$results/figures.txt
    dotnet test "$project" --no-build -c Release --results-directory "$results" \
        --logger "trx;LogFileName=$name.trx" --logger "console;verbosity=minimal" \
        --blame-hang-timeout 10m --blame-hang-dump-type none "$@" </dev/null 2>&1 | tee "$results/output.txt" || status=$?

    if [ -f "$CONTROLPLANE_FIGURES" ]; then
        cat "$CONTROLPLANE_FIGURES"
    fi

    ok=0 bad=0 total=0
    if [ -f "$results/$name.trx" ]; then
        total=$(count "$results/$name.trx" total)
        ok=$(count "$results/$name.trx" passed)
        for outcome in failed error timeout aborted; do
            bad=$((bad + $(count "$results/$name.trx" "$outcome")))
        done
    fi
    if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
        # A suite that dies, or hangs, reports no failed test: it counts as one, so that nobody reads "0 failed".
        crashed+=("$name")
        bad=1
        total=$((total + 1))
    fi
    # A long log is read from its end: what failed is told there once more.
    if [ "$bad" -gt 0 ]; then
        failures+=("$results/output.txt")
    fi
    passed=$((passed + ok))
    failed=$((failed + bad))
    skipped=$((skipped + total - ok - bad))
done

for file in ${failures[@]+"${failures[@]}"}; do
    tell_failures "$file"
done
if [ "${#crashed[@]}" -gt 0 ]; then
    echo "ended without a result: ${crashed[*]}"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$((passed + failed))" -gt 0 ]
