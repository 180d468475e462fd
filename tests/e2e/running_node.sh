#!/usr/bin/env bash
# One running node: commands speak to it, a second one cannot have its directory or its port, it
# ends well when asked to, and what was acknowledged is there afterwards.
source "$(dirname "$0")/lib.sh" "$@"

new_site shop
new_site other
start_node shop --api 127.0.0.1:0

say 'commands reach it over the socket, the API needs the token'
expect 0 'customers/c1 created' "$INOS" put customers c1 '{"name": "Zoë"}' --data shop
expect 0 'node +running' "$INOS" status --data shop
api=$(json_text api <shop/run.json)
status_of() { curl -s -o /dev/null -w '%{http_code}' "$@" "$api/v1/status"; }
equal 'the answer without a token' 401 "$(status_of)"
equal 'the answer with the token' 200 \
    "$(status_of -H "Authorization: Bearer $(cat shop/api.token)")"
equal 'the mode of the token file' 600 "$(stat -c %a shop/api.token)"

say 'what is taken is taken'
expect 4 'in use by another inos \(process [0-9]+\)' "$INOS" run --data shop --listen 127.0.0.1:0
port=$(node_url shop | sed 's/.*://')
expect 4 "$port" "$INOS" run --data other --listen "127.0.0.1:$port"
expect 2 'is not HOST:PORT' "$INOS" run --data other --listen 7711
printf 'lisen = "off"\n' >other/inos.toml
expect 2 'inos.toml:1: unknown key "lisen"; did you mean "listen"\?' "$INOS" run --data other

say 'invitations are listed and revoked'
"$INOS" invite --data shop >/dev/null
id=$("$INOS" invites --data shop --json | json_text id)
expect 0 'revoked' "$INOS" invites revoke "$id" --data shop
expect 0 'no open invitations' "$INOS" invites --data shop
expect 1 '.' "$INOS" join nonsense --data new --site new
[[ ! -e new ]] || die 'a failed join left a directory'

say 'stop and kill: everything acknowledged is there'
stop_node shop
[[ ! -e shop/run.json && ! -e shop/api.sock ]] || die 'run.json or api.sock is left over'
expect 0 '"name":"Zoë"' "$INOS" get customers c1 --data shop --json
start_node shop
expect 0 'created' "$INOS" put customers c2 '{"name": "二"}' --data shop
stop_node shop KILL
start_node shop
expect 0 '"name":"二"' "$INOS" get customers c2 --data shop --json
stop_node shop
say ok
