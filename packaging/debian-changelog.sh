#!/usr/bin/env bash
# Prints the one entry of changelog.gz that Debian's tools read: the version, and where the changes are told.
set -euo pipefail
cd "$(dirname "$0")/.."
. packaging/version.sh

cat <<END
ocelli ($VERSION) stable; urgency=medium

  * What changed is in CHANGELOG.md.gz beside this file.

 -- $MAINTAINER  $(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")
END
