#!/bin/sh
# Proves that a bare Debian with the packages the README names is enough: makes one, clones the project into it and runs
# make there, first as root, then as an ordinary user.
#
#     sudo tools/bare-debian.sh [TARGET…]        default: demo test
#
# Needs debootstrap, git and the network. Settings, all optional:
#   BARE_SUITE    "bookworm" is Debian 12 (default), "trixie" is Debian 13
#   BARE_FOLDER   where the root file systems are made (default: .cache/bare-debian); kept for the next run
#   BARE_MIRROR   Debian mirror (default: debootstrap's own)
#   BARE_SOURCE   "worktree" copies the files as they are now instead of cloning the last commit
#   BARE_USERS    "root", "certex" or both (default: "root certex")
# Proxies, package index and certificate settings of the environment are handed in, a bundle in SSL_CERT_FILE is copied.
set -eu

say() { printf '%s\n' "bare-debian: $*" >&2; }
stop() { say "$*"; exit 1; }

for argument in "$@"; do
  case $argument in
    -*) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"; exit 2 ;;
  esac
done

project=$(cd "$(dirname "$0")/.." && pwd)
folder=${BARE_FOLDER:-$project/.cache/bare-debian}
suite=${BARE_SUITE:-bookworm}
base=$folder/base-$suite
root=$folder/root-$suite
users=${BARE_USERS:-root certex}
[ $# -gt 0 ] || set -- demo test
packages=$(sed -n 's/.*`apt-get install \([a-z0-9 -]*\)`.*/\1/p' "$project/README.md" | head -n 1)
[ -n "$packages" ] || stop "README.md names no packages (\`apt-get install …\`)."

[ "$(id -u)" = 0 ] || stop "run it as root: it makes a root file system."
for tool in debootstrap git unshare chroot tar; do
  command -v "$tool" >/dev/null || stop "$tool is missing: apt-get install debootstrap git util-linux coreutils tar."
done

mkdir -p "$folder"
if [ ! -e "$base/ready" ]; then
  say "making Debian $suite (minbase) with $packages"
  rm -rf "$base"
  debootstrap --variant=minbase --include="$(echo "$packages" | tr ' ' ,)" "$suite" "$base" ${BARE_MIRROR:+"$BARE_MIRROR"} \
    >"$folder/debootstrap.log" 2>&1 || stop "debootstrap failed, see $folder/debootstrap.log."
  touch "$base/ready"
fi

rm -rf "$root"
cp -a "$base" "$root"
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
# Debian's installer writes it, debootstrap does not.
printf '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n' >"$root/etc/hosts"
if [ -f "${SSL_CERT_FILE:-}" ]; then
  mkdir -p "$root/etc/ssl/certs" "$root/usr/local/share/ca-certificates"
  cp -L "$SSL_CERT_FILE" "$root/etc/ssl/certs/ca-certificates.crt"
  # One file each, as Debian wants them: Java's own store is made from these when make test-kafka installs it.
  awk -v folder="$root/usr/local/share/ca-certificates" '
    /-----BEGIN CERTIFICATE-----/ { name = sprintf("%s/bundle-%03d.crt", folder, ++count); inside = 1 }
    inside { print > name }
    /-----END CERTIFICATE-----/ { inside = 0; close(name) }' "$SSL_CERT_FILE"
  SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
fi

# `chroot_env COMMAND…` runs in the new root with a fresh environment, its own /proc, and processes that end with it.
chroot_env() {
  set -- "$@"
  for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY \
    PIP_INDEX_URL UV_INDEX_URL UV_DEFAULT_INDEX SSL_CERT_FILE; do
    eval "value=\${$name:-}"
    [ -z "$value" ] || set -- "$name=$value" "$@"
  done
  unshare --mount --pid --fork --mount-proc="$root/proc" chroot "$root" \
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "$@" </dev/null
}

copy_project() { # $1: folder inside the new root
  mkdir -p "$root$1"
  if [ "${BARE_SOURCE:-commit}" = worktree ]; then
    (cd "$project" && git ls-files -z --cached --others --exclude-standard | tar --null --ignore-failed-read -cf - -T -) |
      tar -xf - -C "$root$1"
    git -C "$root$1" -c init.defaultBranch=main init -q
  else
    git clone -q --no-hardlinks "$project" "$root$1"
  fi
}

for user in $users; do
  case $user in
    root) home=/root ;; # closed to others: the servers must cope
    *)
      home=/home/$user
      chroot_env useradd --create-home --shell /bin/sh "$user"
      ;;
  esac
  copy_project "$home/certex-bridge"
  chroot_env chown -R "$user" "$home/certex-bridge"
  for target in "$@"; do
    say "$user: make $target"
    began=$(date +%s)
    chroot_env HOME="$home" setpriv --reuid "$user" --regid "$user" --init-groups \
      make -C "$home/certex-bridge" "$target" || stop "$user: make $target failed."
    say "$user: make $target took $(($(date +%s) - began)) s"
  done
done
