#!/usr/bin/env bash
# Shows it all on this machine: a claim becomes managed resources, and a version of its API is promoted.
# Needs cargo, git and kubectl. Everything happens in a temporary folder and is gone at the end.
# PROFILE chooses how purlin is built; PURLIN names one that is built already.
set -euo pipefail
cd "$(dirname "$0")/.."

PROFILE=${PROFILE:-demo}

if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' blue=$'\e[34m' green=$'\e[32m' red=$'\e[31m' off=$'\e[0m'; else bold='' dim='' blue='' green='' red='' off=''; fi
step=0
title() { step=$((step + 1)); printf '\n%s%s%d  %s%s\n' "$bold" "$blue" "$step" "$*" "$off"; }
show() { sed 's/^\(.\)/   \1/'; }
# A command the way one would type it.
typed() {
  local word line=''
  for word in "$@"; do
    case $word in *[[:space:]\{]*) word="'$word'" ;; esac
    line="$line $word"
  done
  printf '   %s$%s%s\n' "$bold" "$line" "$off"
}
# Shows a command, then what it says.
try() {
  typed "$@"
  "$@" 2>&1 | show
}
# The same for a command whose exit code says something.
try_code() {
  local code=$1 said=0
  shift
  typed "$@"
  "$@" >"$work/said" 2>&1 || said=$?
  show <"$work/said"
  [ "$said" = "$code" ] || fail "the exit code is $said, not $code"
}
fail() {
  printf '\n%s%s%s\n' "$red" "$*" "$off" >&2
  if [ -s "${work:-/nonexistent}/up.log" ]; then
    printf 'The last lines of purlin up:\n' >&2
    tail -n 20 "$work/up.log" >&2
  fi
  exit 3
}

missing=()
command -v cargo >/dev/null || missing+=("cargo    Rust's build tool: https://rustup.rs")
command -v git >/dev/null || missing+=("git      https://git-scm.com/downloads")
command -v kubectl >/dev/null || missing+=("kubectl  1.32 or newer: https://kubernetes.io/docs/tasks/tools, or scripts/need-kubectl.sh")
if [ "${#missing[@]}" -gt 0 ]; then
  printf 'The demo needs what is missing here:\n' >&2
  printf '  %s\n' "${missing[@]}" >&2
  exit 3
fi

if [ -n "${PURLIN:-}" ]; then
  PATH="$(dirname "$PURLIN"):$PATH"
else
  printf '%sBuilding purlin (the first time takes some minutes)%s\n' "$dim" "$off"
  cargo build --quiet --locked --profile "$PROFILE" -p purlin
  case $PROFILE in dev) out=debug ;; *) out=$PROFILE ;; esac
  PATH="${CARGO_TARGET_DIR:-$PWD/target}/$out:$PATH"
fi
started=$SECONDS

work=$(mktemp -d "${TMPDIR:-/tmp}/purlin-demo.XXXXXX")
up=''
cleanup() {
  status=$?
  trap - EXIT INT TERM
  if [ -n "$up" ] && kill -0 "$up" 2>/dev/null; then
    kill -TERM "$up" 2>/dev/null || true
    for _ in $(seq 100); do kill -0 "$up" 2>/dev/null || break; sleep 0.05; done
    kill -KILL "$up" 2>/dev/null || true
    wait "$up" 2>/dev/null || true
  fi
  rm -rf "$work"
  exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
export KUBECONFIG=$work/kubeconfig KUBECACHEDIR=$work/cache

# Asks again and again until a command succeeds, for at most so many seconds.
until_true() {
  local seconds=$1 what=$2 until
  shift 2
  until=$((SECONDS + seconds))
  until "$@" >/dev/null 2>&1; do
    if [ -n "$up" ] && ! kill -0 "$up" 2>/dev/null; then fail "purlin up has stopped while waiting for $what"; fi
    if [ "$SECONDS" -ge "$until" ]; then fail "waited $seconds s for $what, in vain"; fi
    sleep 0.1
  done
}

title "A platform on this machine: API server, engine, functions and a simulated provider in one process"
platform=(
  --apply tests/fixtures/providers
  --apply environments/dev/_claims/namespaces.yaml
  --apply environments/dev/network --apply environments/dev/bucket --apply environments/dev/database
)
typed purlin up "${platform[@]}"
purlin up --listen 127.0.0.1:0 --kubeconfig "$KUBECONFIG" "${platform[@]}" >"$work/up.log" 2>&1 &
up=$!
until_true 20 "the API server" kubectl get --raw /readyz
until_true 20 "the APIs of the platform" kubectl wait xrd --all --for=condition=Established --timeout=5s
try kubectl get xrd

title "A developer asks for a network"
claim=environments/dev/_claims/network/orders.yaml
show <"$claim"
try kubectl create -f "$claim"
try kubectl wait network/orders -n team-orders --for=condition=Ready --timeout=30s

title "What it is made of"
try purlin trace network orders -n team-orders

title "The claim changes: one zone more, and so one subnet more"
try kubectl patch network orders -n team-orders --type merge -p '{"spec": {"zones": {"eu-west-1c": "10.20.32.0/20"}}}'
three_subnets() { [ "$(kubectl get subnets.ec2.aws.upbound.io -o name | wc -l)" -eq 3 ]; }
until_true 30 "the third subnet" three_subnets
until_true 30 "the subnets" kubectl wait subnets.ec2.aws.upbound.io --all --for=condition=Ready --timeout=5s
until_true 30 "the network" kubectl wait network/orders -n team-orders --for=condition=Ready --timeout=5s
try purlin trace network orders -n team-orders

title "The claim goes, and everything it was made of with it"
try kubectl delete network orders -n team-orders
gone() { [ -z "$(kubectl get managed -o name 2>&1 | grep -v '^No resources' || true)" ]; }
until_true 30 "the managed resources to go" gone
try kubectl get managed

title "A new version of an API moves from dev to staging, in a scratch repository"
scratch=$work/platform
mkdir "$scratch"
cp -R environments "$scratch/environments"
cp -R tests/fixtures/providers "$scratch/crds"
in_scratch() { git -C "$scratch" "$@"; }
in_scratch init --quiet --initial-branch main
in_scratch config user.name "Purlin demo"
in_scratch config user.email demo@purlin.invalid
in_scratch config commit.gpgSign false
# First everything as it is in staging; then dev is one commit ahead.
rm -r "$scratch/environments/dev/database"
cp -R environments/staging/database "$scratch/environments/dev/database"
in_scratch add --all
in_scratch commit --quiet --message "the platform"
cp environments/dev/database/* "$scratch/environments/dev/database/"
sed -i.bak 's/applyImmediately: false/applyImmediately: true/' "$scratch/environments/dev/database/composition.yaml"
rm "$scratch/environments/dev/database/composition.yaml.bak"
in_scratch add --all
in_scratch commit --quiet --message "database: how long backups are kept, and changes at once"
cd "$scratch"
try purlin promote status
# Exit code 1: something would change.
try_code 1 purlin promote plan database --from dev --to staging
try purlin promote run database --from dev --to staging --quiet
try git --no-pager log -1 --stat
printf '\n   Once more does nothing:\n'
try purlin promote run database --from dev --to staging --quiet
try purlin promote status
cd "$OLDPWD"

printf '\n%s%sThat was it, in %d seconds. Nothing is left behind.%s\n' "$bold" "$green" "$((SECONDS - started))" "$off"
printf 'Keep a platform running:  purlin up %s\n' "${platform[*]}"
