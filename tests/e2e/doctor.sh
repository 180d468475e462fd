#!/usr/bin/env bash
# What `inos doctor` says: of a healthy site, of keys that others can read, of damage below a node,
# which finds and mends it while it runs, and of a database that cannot be opened.
source "$(dirname "$0")/lib.sh" "$@"

new_site shop
start_node shop
pair shop office
start_node office
for name in ann bob cid; do
    "$INOS" put customers "$name" "{\"name\": \"$name\"}" --data shop >/dev/null
done
wait_until 20 'agreement' all_agree shop 2

say 'a healthy site: nothing is a problem'
expect 0 'doctor: 0 problems' "$INOS" doctor --data office
expect 0 'warning backup +no backup was ever taken' "$INOS" doctor --data office
expect 0 'warning admins +there is only one admin' "$INOS" doctor --data office
"$INOS" backup office.inos --data office >/dev/null 2>&1
expect 0 'ok +backup +the last backup was taken' "$INOS" doctor --data office
expect 0 'ok +inspection +all was as stored' "$INOS" doctor --full --data office
expect 0 '"node":"running"' "$INOS" doctor --json --data office
expect 0 'stored +all in order' "$INOS" status --data office

say 'others may read a key'
chmod 644 office/keys/identity.key
expect 1 'chmod 600 office/keys/identity.key' "$INOS" doctor --data office
stop_node office
expect 1 'the site could not be asked' "$INOS" doctor --data office
chmod 600 office/keys/identity.key

say 'no node: what can be looked at is looked at'
before=$("$INOS" list customers --data office --json)
expect 0 'not asked +peers, roots, invites' "$INOS" doctor --full --data office
"$INOS_DAMAGE" office customers ann flip
expect 1 'the record "ann" of "customers" is damaged' "$INOS" doctor --full --data office

say 'a running node finds it and mends it by itself'
start_node office
"$INOS" doctor --full --data office --json >/dev/null || true
mended() { "$INOS" doctor --full --data office --json | grep -q '"damage":\[\]'; }
wait_until 30 'mending' mended
equal 'what the office holds' "$before" "$("$INOS" list customers --data office --json)"
expect 0 'all 2 sites agree' "$INOS" verify --data office

say 'a lost record, of which no root tells'
stop_node office
"$INOS_DAMAGE" office customers bob lose
start_node office
"$INOS" doctor --full --data office >/dev/null || true
wait_until 30 'mending' mended
equal 'what the office holds' "$before" "$("$INOS" list customers --data office --json)"

say 'a database that cannot be opened'
stop_node office
rm office/db/CURRENT
printf 'x' >office/db/CURRENT
expect 1 'problem +site +the site could not be asked' "$INOS" doctor --data office
expect 3 'no site' "$INOS" doctor --data nowhere
