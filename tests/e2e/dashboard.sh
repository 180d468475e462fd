#!/usr/bin/env bash
# The dashboard in a real browser: three nodes, real clicks, see dashboard/browser.mjs. Pictures of
# all pages, in both colour schemes, on a phone and on a desk, are left in the build folder.
#
#   dashboard.sh PATH_OF_INOS FOLDER     FOLDER keeps npm's packages and the pictures
#
# Status 77 with a reason where there is no browser or no npm: ctest shows the test as skipped.
here=$(dirname "$(realpath "$0")")
folder=$(realpath -m "${2:?usage: $0 PATH_OF_INOS FOLDER}")
source "$here/lib.sh" "$@"

skip() {
    printf 'SKIPPED: %s; tools/setup --browser installs what is missing\n' "$*" >&3
    exit 77
}

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
    skip 'there is no Chromium here'
command -v node >/dev/null || skip 'there is no Node.js here'
"$here/dashboard/setup" "$folder" || skip 'npm could not get the packages of tests/e2e/dashboard'

# ---- what needs no browser: rules that hold before any script runs
new_site rules
"$INOS" run --data rules --listen 127.0.0.1:0 >rules.log 2>&1 </dev/null &
NODE_PIDS[rules]=$!
wait_until 20 'answer of the node' node_answers rules
expect 1 'runs without an address for browsers' "$INOS" dashboard --data rules
stop_node rules
start_node rules --api 127.0.0.1:0
base=$(json_text api <rules/run.json)
expect 0 "^$base/#token=[0-9a-f]+$" "$INOS" dashboard --data rules
expect 0 '"url":"http' "$INOS" dashboard --data rules --json
token=${OUTPUT##*#token=}
token=${token%%\"*}
head=$(curl -sS -I "$base/")
[[ $head == *'200 OK'* && $head == *"default-src 'none'"* ]] || die "HEAD / answers $head"
equal 'the length of the body of HEAD /' 0 "$(curl -sS -I "$base/" | sed '1,/^\r$/d' | wc -c)"
tag=$(sed -nE 's/^ETag: (.*)\r$/\1/p' <<<"$head")
status() { curl -sS -o answer -w '%{http_code}' "$@"; }
equal 'the status with a known tag' 304 "$(status -H "If-None-Match: $tag" "$base/")"
equal 'the status of a file' 200 "$(status "$base/dashboard/app.js")"
equal 'the status of another file' 401 "$(status "$base/dashboard/other.js")"
equal 'the status of data without a token' 401 "$(status "$base/v1/status")"
write=(-X POST -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d '{}')
equal 'of a write by the page' 200 "$(status "${write[@]}" -H "Origin: $base" "$base/v1/verify")"
equal 'of a write by another page' 403 \
    "$(status "${write[@]}" -H 'Origin: http://evil.example' "$base/v1/verify")"
equal 'under another name' 421 "$(status -H 'Host: evil.example' "$base/")"
stop_node rules
expect 1 'no node runs in' "$INOS" dashboard --data rules

# ---- the browser; it starts and ends nodes of its own
node "$here/dashboard/browser.mjs" "$INOS" "$WORK" "$browser" "$folder"
