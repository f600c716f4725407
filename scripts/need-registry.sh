#!/usr/bin/env bash
# Makes sure that a registry is there for the tests; installs it from the system's packages when it is missing and that is allowed.
set -euo pipefail
command -v docker-registry >/dev/null && exit 0
command -v registry >/dev/null && exit 0
as_root=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "docker-registry is missing, and installing it needs root" >&2; exit 3; }
  as_root=(sudo -n)
fi
if command -v apt-get >/dev/null; then
  # Only the program is wanted: nothing is to be started when it is installed.
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env RUNLEVEL=1 apt-get install -y -qq docker-registry
elif command -v dnf >/dev/null; then
  "${as_root[@]}" dnf install -y -q docker-distribution
elif command -v brew >/dev/null; then
  brew install --quiet distribution
else
  echo "docker-registry is missing, and no package manager known here can install it" >&2
  exit 3
fi
command -v docker-registry >/dev/null || command -v registry >/dev/null || { echo "docker-registry could not be installed" >&2; exit 3; }
