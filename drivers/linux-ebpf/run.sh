#!/bin/sh
# Loads the eBPF program and becomes the viewer (all arguments are the viewer's). Only the loader has rights:
# the viewer runs as the user who started this. Each step replaces the one before, so one process is left,
# and the program leaves the kernel with it.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
loader=$root/build/linux-ebpf/loader
object=$root/build/linux-ebpf/events.bpf.o
viewer=$root/dist/drivers/linux-ebpf/processes.js
for file in "$loader" "$object" "$viewer"; do
  [ -e "$file" ] && continue
  echo "linux-ebpf: $file is missing. Build first: npm run build && node scripts/build-ebpf.mjs." >&2
  exit 1
done

node=$(command -v node)
user=${SUDO_UID:-$(id -u)}
group=${SUDO_GID:-$(id -g)}
if [ "$user" = 0 ]; then exec "$loader" "$object" "$node" "$viewer" "$@"; fi
as_user="setpriv --reuid=$user --regid=$group --init-groups --inh-caps=-all --"
# shellcheck disable=SC2086 # these are words
if [ "$(id -u)" = 0 ]; then exec "$loader" "$object" $as_user "$node" "$viewer" "$@"; fi
# shellcheck disable=SC2086
if command -v sudo >/dev/null; then exec sudo -- "$loader" "$object" $as_user "$node" "$viewer" "$@"; fi
exec "$loader" "$object" "$node" "$viewer" "$@"
