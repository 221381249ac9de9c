#!/usr/bin/env bash
# Prints the path of a Python that has the packages of test/golden/requirements.txt, in a virtual environment outside the
# clone that later runs find again. Prints nothing where there is no Python or no package can be had: exit code 0 all the
# same, since the tests that need one are skipped without.
set -uo pipefail

requirements="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/test/golden/requirements.txt"
python3="$(command -v python3)" || { echo 'No python3 here.' >&2; exit 0; }
# Of another version of Python, or with other packages, it is another environment.
key="$({ "$python3" --version; cat "$requirements"; } | cksum | cut -d' ' -f1)"
folder="${XDG_CACHE_HOME:-$HOME/.cache}/hadamard-python-$key"

if [ ! -e "$folder/complete" ]; then
  rm -rf "$folder"
  { "$python3" -m venv "$folder" && "$folder/bin/pip" install --quiet --only-binary :all: --requirement "$requirements"; } >&2 ||
    { rm -rf "$folder"; echo 'No environment for Python can be made here.' >&2; exit 0; }
  touch "$folder/complete"
fi
echo "$folder/bin/python"
