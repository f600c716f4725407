#!/usr/bin/env bash
# Makes sure that kubectl is there; installs it from the system's packages when it is missing and that is allowed.
set -euo pipefail
command -v kubectl >/dev/null && exit 0
as_root=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "kubectl is missing, and installing it needs root: install kubectl 1.32 or newer" >&2; exit 3; }
  as_root=(sudo -n)
fi
if command -v apt-get >/dev/null; then
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" apt-get install -y -qq kubectl || "${as_root[@]}" apt-get install -y -qq kubernetes-client
elif command -v dnf >/dev/null; then
  "${as_root[@]}" dnf install -y -q kubernetes-client
elif command -v apk >/dev/null; then
  "${as_root[@]}" apk add -q kubectl
elif command -v brew >/dev/null; then
  brew install --quiet kubectl
else
  echo "kubectl is missing, and no package manager known here can install it: install kubectl 1.32 or newer" >&2
  exit 3
fi
command -v kubectl >/dev/null || { echo "kubectl could not be installed: install kubectl 1.32 or newer" >&2; exit 3; }
