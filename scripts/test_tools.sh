#!/bin/sh
# What the tests drive besides Python: a Chromium, and PostgreSQL's server programs.
# Debian's packages where we may install them, otherwise Playwright's own Chromium.
# What cannot be had is not an error here: the tests that need it are skipped and say why.
set -u

can_apt() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }
apt() {
    [ -n "${updated:-}" ] || apt-get update -qq || return 1
    updated=yes
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

if ! command -v chromium-headless-shell >/dev/null; then
    { can_apt && echo "Installing Chromium" && apt chromium-headless-shell; } ||
        command -v chromium >/dev/null ||
        { echo "Installing Playwright's Chromium" && .venv/bin/python -m playwright install --only-shell chromium; } ||
        { missing=yes; echo "NO CHROMIUM: the browser tests will be skipped." >&2; }
fi

if ! command -v initdb >/dev/null && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
    { can_apt && echo "Installing PostgreSQL" && apt postgresql; } ||
        { missing=yes; echo "NO POSTGRESQL: its tests will be skipped. Install the package postgresql to run them." >&2; }
fi

# What is missing is looked for again at the next call.
[ -n "${missing:-}" ] || touch .venv/.test-tools
