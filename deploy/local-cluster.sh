#!/usr/bin/env bash
# Three nodes, a PostgreSQL of their own and two hosts on this machine, by one command; Ctrl-C, or "down", takes them away.
set -euo pipefail

usage() {
    echo "usage: deploy/local-cluster.sh [up|down] [--data DIR] [--driver linux|simulated]"
}

refuse() {
    echo "local-cluster.sh: $1" >&2
    usage >&2
    exit 2
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
verb=up
data=$root/data/local-cluster
driver=simulated
if [ "$(uname -s)" = Linux ] && [ "$(id -u)" -eq 0 ]; then
    driver=linux
fi
case ${1:-} in
    up | down)
        verb=$1
        shift
        ;;
esac
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help)
            usage
            exit 0
            ;;
        --data | --driver)
            [ -n "${2:-}" ] || refuse "$1 needs a value"
            case $1 in
                --data) data=$2 ;;
                --driver) driver=$2 ;;
            esac
            shift 2
            ;;
        *) refuse "unknown option $1" ;;
    esac
done
case $data in
    /*) ;;
    *) data=$PWD/$data ;;
esac
case $driver in
    linux | simulated) ;;
    *) refuse "--driver is linux or simulated" ;;
esac

binaries=
for folder in /usr/lib/postgresql/*/bin; do
    if [ -x "$folder/initdb" ]; then
        binaries=$folder
    fi
done

# PostgreSQL refuses to run as root: then it runs as the user that its package made.
as_postgres() {
    if [ "$(id -u)" -eq 0 ]; then
        runuser -u postgres -- "$@"
    else
        "$@"
    fi
}

# Starts a process again whenever it ends by itself, until it is stopped with code 0: exit code 75 asks for just that.
watch_over() {
    local name=$1
    shift
    (
        child=
        trap 'kill -TERM "$child" 2>/dev/null; wait "$child" 2>/dev/null; exit 0' TERM
        while true; do
            "$@" >>"$data/$name.log" 2>&1 </dev/null &
            child=$!
            status=0
            wait "$child" || status=$?
            [ "$status" -ne 0 ] || exit 0
            sleep 1
        done
    ) &
    echo $! >"$data/$name.pid"
}

down() {
    local name pid
    for name in agents node3 node2 node1; do
        [ -f "$data/$name.pid" ] || continue
        pid=$(cat "$data/$name.pid")
        if kill -TERM "$pid" 2>/dev/null; then
            for _ in $(seq 300); do
                kill -0 "$pid" 2>/dev/null || break
                sleep 0.1
            done
        fi
        rm -f "$data/$name.pid"
    done
    if [ -d "$data/postgres/data" ]; then
        as_postgres "$binaries/pg_ctl" -D "$data/postgres/data" -m fast -w stop >/dev/null 2>&1 || true
    fi
    if [ "$driver" = linux ]; then
        for name in hv01 hv02; do
            ip netns del "lc-$name" 2>/dev/null || true
        done
    fi
    rm -rf "$data"
}

[ -n "$binaries" ] || refuse "needs PostgreSQL: apt-get install postgresql"
if [ "$verb" = down ]; then
    down
    echo "nothing of it is left"
    exit 0
fi
[ ! -e "$data" ] || refuse "$data is there already; take it away with: deploy/local-cluster.sh down"

cd "$root"
# shellcheck source=../build/install.sh
. build/install.sh
require_dotnet
[ "$driver" = simulated ] || install_system_packages
echo "building"
build src/Host
build src/Cli

mkdir -p "$data/postgres"
chmod 755 "$data"
[ "$(id -u)" -ne 0 ] || chown postgres "$data/postgres"
trap down EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
as_postgres "$binaries/initdb" -D "$data/postgres/data" -A trust -U postgres -E UTF8 >/dev/null
as_postgres "$binaries/pg_ctl" -D "$data/postgres/data" -w -l "$data/postgres/log" \
    -o "-p 5433 -c listen_addresses=127.0.0.1 -c unix_socket_directories=$data/postgres -c max_connections=200" start >/dev/null </dev/null

host=artifacts/bin/Host/release/controlplane.dll
dotnet "$host" pki init "$data/authority" >/dev/null
for n in 1 2 3; do
    mkdir -p -m 700 "$data/node$n"
    dotnet "$host" pki node "$data/authority" "node$n" "$data/node$n/certificates" >/dev/null
done
sockets=
for n in 1 2 3; do
    sockets=$sockets${sockets:+,}$data/node$n/agent.sock
    watch_over "node$n" dotnet "$host" node --port "808$n" --data "$data/node$n" --cluster "127.0.0.1:809$n" \
        --certificates "$data/node$n/certificates" --postgres "Host=127.0.0.1;Port=5433;Username=postgres;Database=postgres"
    if [ "$n" = 1 ]; then
        # All nodes know the same tokens: the first one makes them.
        until [ -f "$data/node1/tokens.json" ] && [ -f "$data/node1/page.key" ]; do sleep 0.2; done
        cp "$data/node1/tokens.json" "$data/node1/page.key" "$data/node1/admin.token" "$data/node2/" 2>/dev/null
        cp "$data/node1/tokens.json" "$data/node1/page.key" "$data/node1/admin.token" "$data/node3/" 2>/dev/null
    fi
done
CONTROLPLANE__namespacePrefix=lc- watch_over agents dotnet "$host" agent --data "$data/agents" --driver "$driver" \
    --hosts hv01,hv02 --nodes "$sockets"

for n in 1 2 3; do
    for _ in $(seq 300); do
        if [ "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:808$n/readyz" || true)" = 200 ]; then
            break
        fi
        sleep 0.2
    done
done
cat <<TEXT
three nodes on http://127.0.0.1:8081, :8082 and :8083, hosts hv01 and hv02 ($driver); logs in $data
try, in another terminal:
  ./cpctl --server http://127.0.0.1:8082 --token-file $data/node1/admin.token cluster show
  ./cpctl --server http://127.0.0.1:8083 --token-file $data/node1/admin.token host list
  pkill -9 -f 'node --port 8081'     # its entities move to the others; it is started again and joins
Ctrl-C takes all of it away
TEXT
while true; do sleep 3600 & wait $!; done
