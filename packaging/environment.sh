# Sourced by run, test and bench: finds Python, makes the virtual environments, checks Qt.
# shellcheck shell=bash

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/kataui
qt_packages_debian="libgl1 libegl1 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0 libxcb-image0 libxcb-render-util0 libfontconfig1 libdbus-1-3 fonts-dejavu-core"
qt_packages_fedora="mesa-libGL mesa-libEGL libxkbcommon-x11 xcb-util-cursor xcb-util-wm xcb-util-keysyms xcb-util-image xcb-util-renderutil fontconfig dbus-libs dejavu-sans-fonts"

say() { printf 'kataui: %s\n' "$*" >&2; }

is_debian_root() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

apt_install() {
  say "installing $* with apt-get"
  apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2 </dev/null
}

install_hint() {
  if command -v dnf >/dev/null; then echo "sudo dnf install $2"; else echo "sudo apt install $1"; fi
}

# The first Python that is new enough, as a path that is no shim of a version manager.
find_python() {
  local name found
  for name in python3 python3.13 python3.12 python3.11 python3.14; do
    command -v "$name" >/dev/null || continue
    found=$("$name" -c 'import sys; print(sys.executable if sys.version_info >= (3, 11) else "")' 2>/dev/null) || continue
    [ -n "$found" ] && { echo "$found"; return 0; }
  done
  say "Python 3.11 or newer is needed. Install it: $(install_hint 'python3 python3-venv' python3)"
  return 3
}

# environment run|test: prints the Python of the virtual environment, made when it is not there.
environment() {
  local kind=$1 lock="$root/packaging/requirements-$1.txt" python key folder
  key=$(cksum <"$lock" | tr ' ' -)
  for folder in "$cache/venv-$kind-$key"-*; do
    [ -e "$folder/complete" ] && [ -x "$folder/bin/python" ] && { echo "$folder/bin/python"; return 0; }
  done
  python=$(find_python) || return
  folder="$cache/venv-$kind-$key-$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
  mkdir -p "$cache"
  exec 9>"$cache/venv.lock"
  flock 9
  if [ ! -e "$folder/complete" ]; then
    make_environment "$python" "$folder" "$lock" || return
  fi
  exec 9>&-
  echo "$folder/bin/python"
}

make_environment() {
  local python=$1 folder=$2 lock=$3
  say "first start: making an environment in $folder"
  rm -rf "$folder"
  if ! "$python" -m venv "$folder" >&2; then
    rm -rf "$folder"
    if is_debian_root; then
      apt_install python3-venv && "$python" -m venv "$folder" >&2 || return 3
    else
      say "Python's venv module is missing. Install it: $(install_hint python3-venv python3)"
      return 3
    fi
  fi
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes \
    --only-binary :all: -r "$lock" >&2 || { say "the packages could not be installed (see above)"; return 3; }
  touch "$folder/complete"
}

qt_loads() { # PYTHON PLATFORM
  "$1" -c 'import os, sys
os.environ["QT_QPA_PLATFORM"] = sys.argv[1]
from PySide6.QtGui import QGuiApplication
QGuiApplication([])' "$2" >/dev/null 2>&1
}

# Makes sure that Qt's platform plugin loads; remembered beside the environment.
require_qt() { # PYTHON PLATFORM
  local marker
  marker=$(dirname "$(dirname "$1")")/qt-$2
  [ -e "$marker" ] && return 0
  if ! qt_loads "$1" "$2"; then
    if is_debian_root; then
      # shellcheck disable=SC2086
      apt_install $qt_packages_debian || return 3
    fi
    if ! qt_loads "$1" "$2"; then
      say "Qt cannot open a window here. Install what it needs: $(install_hint "$qt_packages_debian" "$qt_packages_fedora")"
      return 3
    fi
  fi
  touch "$marker"
}
