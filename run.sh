#!/usr/bin/env bash
# Starts one node with its hosts on this machine. Ctrl-C stops it in order.
set -euo pipefail

usage() {
    echo "usage: ./run.sh [--port N] [--data DIR] [--driver linux|simulated]"
}

refuse() {
    echo "run.sh: $1" >&2
    usage >&2
    exit 2
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
port=8080
data=$root/data
driver=
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help)
            usage
            exit 0
            ;;
        --port | --data | --driver)
            [ -n "${2:-}" ] || refuse "$1 needs a value"
            case $1 in
                --port) port=$2 ;;
                --data) data=$2 ;;
                --driver) driver=$2 ;;
            esac
            shift 2
            ;;
        *) refuse "unknown option $1" ;;
    esac
done
[[ $port =~ ^[0-9]{1,5}$ ]] && [ "$((10#$port))" -ge 1 ] && [ "$((10#$port))" -le 65535 ] || refuse "--port is from 1 to 65535"
case $driver in
    linux | simulated) said= ;;
    "")
        if [ "$(uname -s)" = Linux ] && [ "$(id -u)" -eq 0 ]; then
            driver=linux
            said=" (you are root on Linux)"
        else
            driver=simulated
            said=" (real ones need root on Linux)"
        fi
        ;;
    *) refuse "--driver is linux or simulated" ;;
esac
case $data in
    /*) ;;
    *) data=$PWD/$data ;;
esac

cd "$root"
# shellcheck source=build/install.sh
. build/install.sh
require_dotnet
if [ "$driver" = linux ]; then
    install_system_packages
fi
echo "building"
build src/Host
build src/Cli

case $driver in
    linux) kind="real hosts hv01 and hv02, each a network namespace with a kernel bridge" ;;
    simulated) kind="simulated hosts hv01 and hv02" ;;
esac
server=
if [ "$port" != 8080 ]; then
    server=" --server http://127.0.0.1:$port"
fi
token=
if [ "$data" != "$root/data" ]; then
    token=" --token-file $data/admin.token"
fi
cat <<TEXT
starting on http://127.0.0.1:$port with $kind$said; journal in $data
try, in another terminal:
  ./cpctl$server$token status
  ./cpctl$server$token host list
  ./cpctl$server$token watch
TEXT

# exec: signals go straight to the node, and its exit code is ours.
exec dotnet artifacts/bin/Host/release/controlplane.dll all --port "$port" --data "$data" --driver "$driver"
