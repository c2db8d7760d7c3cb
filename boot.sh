#!/bin/sh
# boot.sh - bootstrap the build system.
set -eu
cd "$(dirname "$0")"
exec autoreconf --install --force
