#!/usr/bin/env bash
# Runs the checks of this folder on the machine's GPU: ./run.sh [part…]. `./run.sh --help` tells the rest.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=${PYTHON:-python3}
if ! command -v "$python" >/dev/null 2>&1; then
    echo "error: there is no \`$python\`; set PYTHON to the Python that has torch 2.11" >&2
    exit 2
fi
export PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
exec "$python" "$here/run.py" "$@"
