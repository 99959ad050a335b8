# Sourced by run, test, bench and .ci/run: finds Python, makes virtual environments, checks Qt.
# shellcheck shell=bash

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/kataui
qt_packages_debian="libgl1 libegl1 libwayland-cursor0 libwayland-egl1 libxkbcommon0 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0 libxcb-image0 libxcb-render-util0 libfontconfig1 libdbus-1-3 fonts-dejavu-core"
qt_packages_fedora="mesa-libGL mesa-libEGL libwayland-cursor libwayland-egl libxkbcommon libxkbcommon-x11 xcb-util-cursor xcb-util-wm xcb-util-keysyms xcb-util-image xcb-util-renderutil fontconfig dbus-libs dejavu-sans-fonts"

say() { printf 'kataui: %s\n' "$*" >&2; }

is_debian_root() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

apt_install() { # PACKAGE...
  say "installing $* with apt-get"
  apt-get update -qq </dev/null >&2 &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null >&2
}

install_hint() { # DEBIAN-PACKAGES FEDORA-PACKAGES
  if command -v dnf >/dev/null; then echo "sudo dnf install $2"; else echo "sudo apt install $1"; fi
}

# Prints the first Python >= 3.11, one that can make environments before one that cannot. It is
# the interpreter itself, not the shim of a version manager, which follows the current folder.
find_python() {
  local name path found second=
  for name in python3.13 python3.12 python3.11 python3.14 python3; do
    for path in $(type -aP "$name"); do
      found=$("$path" -c 'import sys; print(sys.executable if sys.version_info >= (3, 11) else "")' 2>/dev/null) || continue
      [ -n "$found" ] || continue
      if "$found" -c 'import ensurepip, venv' 2>/dev/null; then echo "$found"; return 0; fi
      second=${second:-$found}
    done
  done
  if [ -n "$second" ]; then echo "$second"; return 0; fi
  if is_debian_root; then
    apt_install python3 python3-venv || return 3
    found=$(command -v python3) && "$found" -c 'import sys; sys.exit(sys.version_info < (3, 11))' && { echo "$found"; return 0; }
  fi
  say "Python 3.11 or newer is needed. Install it: $(install_hint 'python3 python3-venv' python3)"
  return 3
}

# environment run|test: prints the Python of the virtual environment, made when it is not there.
# "complete" is written last and touched at each use; without it a folder is half made.
environment() {
  local kind=$1 lock="$root/packaging/requirements-$1.txt" python key folder
  read -r key _ < <(sha256sum <"$lock")
  for folder in "$cache/venv-$kind-${key:0:16}"-*; do
    whole "$folder" && { echo "$folder/bin/python"; return 0; }
  done
  python=$(find_python) || return
  folder="$cache/venv-$kind-${key:0:16}-$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')" || return 3
  mkdir -p "$cache" || return 3
  (
    flock 9 # two first starts at once: the second waits and finds it made
    whole "$folder" || make_environment "$python" "$folder" "$lock"
  ) 9>"$cache/venv.lock" || return
  echo "$folder/bin/python"
}

whole() { # FOLDER
  [ -e "$1/complete" ] && [ -x "$1/bin/python" ] || return
  { : >"$1/complete"; } 2>/dev/null || true
}

make_environment() { # PYTHON FOLDER LOCK
  local python=$1 folder=$2 lock=$3
  say "first start: making an environment in $folder"
  remove_unused
  rm -rf "$folder"
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    local package="python${folder##*-}-venv"
    if is_debian_root; then
      apt_install "$package" || return 3
    else
      say "Python's venv module is missing. Install it: $(install_hint "$package" python3)"
      return 3
    fi
  fi
  "$python" -m venv "$folder" >&2 || return 3
  # The lock names every package by its hashes; nothing else may come along, and nothing is built.
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --no-deps \
    --require-hashes --only-binary :all: -r "$lock" </dev/null >&2 ||
    { say "the packages could not be installed (see above)"; return 3; }
  : >"$folder/complete"
}

# Environments of older locks that nothing has started for a month.
remove_unused() {
  local old
  find "$cache" -mindepth 2 -maxdepth 2 -path '*/venv-*/complete' -mtime +30 2>/dev/null |
    while IFS= read -r old; do rm -rf "${old%/complete}"; done
}

# Prints what Qt says when it cannot start, with the platform plugin that it would choose itself.
qt_problem() { # PYTHON
  # Qt aborts when it finds no platform, so success is what is printed, not a status.
  "$1" -P -c 'from PySide6.QtGui import QGuiApplication
QGuiApplication([])
print("Qt starts")' 2>&1 | grep -v '^$' | tail -n 20 || true
}

# Libraries of the system that Qt's parts need and that are not here.
qt_missing() { # PYTHON
  local qt
  qt=$("$1" -P -c 'import PySide6; print(PySide6.__path__[0])') || return 0
  ldd "$qt"/QtGui*.so "$qt"/QtWidgets*.so "$qt"/Qt/plugins/platforms/lib{qxcb,qoffscreen,qwayland*}.so 2>/dev/null |
    awk '/not found/ { print $1 }' | sort -u || true
}

# Makes sure that Qt's platform plugin loads. The answer is kept beside the environment until a
# package of the system changes.
require_qt() { # PYTHON PLATFORM
  local marker said missing database
  marker=${1%/bin/python}/qt-$2
  if [ -e "$marker" ]; then
    for database in /var/lib/dpkg/status /usr/lib/sysimage/rpm/rpmdb.sqlite /var/lib/rpm/rpmdb.sqlite; do
      [ "$database" -nt "$marker" ] && break
      database=
    done
    [ -z "$database" ] && return 0
  fi
  said=$(qt_problem "$1")
  missing=$(qt_missing "$1")
  if [ "${said##*$'\n'}" != "Qt starts" ] && [ -n "$missing" ] && is_debian_root; then
    # shellcheck disable=SC2086 # a list
    apt_install $qt_packages_debian || return 3
    said=$(qt_problem "$1")
    missing=$(qt_missing "$1")
  fi
  if [ "${said##*$'\n'}" = "Qt starts" ]; then
    : >"$marker"
    return 0
  fi
  rm -f "$marker"
  if [ -n "$missing" ]; then
    say "Qt cannot open a window: $(echo "$missing" | paste -sd ' ') missing. Install it: $(install_hint "$qt_packages_debian" "$qt_packages_fedora")"
  else
    printf '%s\n' "$said" >&2
    say "Qt cannot open a window here (see above)"
  fi
  return 3
}
