# What the scripts of the package share, sourced at the top of the repository: version, maintainer, and the time that all files
# get, so that two builds of one commit are the same to the byte.
: "${VERSION:=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)}"
: "${MAINTAINER:=The ocelli developers <ocelli@localhost>}"
: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)}"
export VERSION MAINTAINER SOURCE_DATE_EPOCH
