#!/usr/bin/env bash
# The only admin is lost: with the code on paper another site becomes the admin, and the lost one is
# out even if it turns up again. And roles: what a site may do changes while it runs.
source "$(dirname "$0")/lib.sh" "$@"

paper=$("$INOS" init --data hq --site hq --json | json_text recovery_code)
[[ $paper == inosr1-* ]] || die "inos init printed no recovery code: $paper"
start_node hq
pair hq office
start_node office
pair hq desk
start_node desk
"$INOS" peers add "$(node_url office)" --data desk >/dev/null
wait_until 20 'first sync' all_agree hq 3
"$INOS" put stock bolt '{"shelf": "A"}' --data desk >/dev/null
wait_until 20 'agreement' all_agree hq 3
expect 0 'only one admin' "$INOS" status --data office

say 'the machine is gone'
stop_node hq KILL
expect 1 'only an admin site invites' "$INOS" invite --data office
expect 1 'mistyped' "$INOS" recover "${paper}q" --data office
other=$("$INOS" init --data other --site other --json | json_text recovery_code)
expect 1 'not of this space' "$INOS" recover "$other" --data office
expect 0 'this site is an admin now' "$INOS" recover "$paper" --data office
fresh=$(sed -nE 's/.*new recovery code: (inosr1-[a-z0-9-]+).*/\1/p' <<<"$OUTPUT")
[[ -n $fresh && $fresh != "$paper" ]] || die "no new code in: $OUTPUT"
expect 1 'not of this space, or was used before' "$INOS" recover "$paper" --data desk
wait_until 20 'agreement of the two' all_agree office 2
expect 0 '.' "$INOS" invite --data office

say 'it turns up again and is out'
start_node hq
hq_knows() { "$INOS" members --data hq --json | grep -q '"name":"hq"[^}]*"state":"retired"'; }
"$INOS" peers add "$(node_url office)" --data hq >/dev/null
wait_until 20 'word of it at the lost site' hq_knows
expect 1 'was retired from the space by "recovery code"' \
    "$INOS" put stock nut '{"shelf": "B"}' --data hq
expect 1 'only an admin site' "$INOS" retire desk --data hq

say 'the new admin changes roles, and keys'
expect 0 'desk is reader now' "$INOS" role desk reader --data office
role_of_desk() { "$INOS" members --data desk --json | grep -q '"name":"desk"[^}]*"role":"'"$1"'"'; }
wait_until 20 'the role at the desk' role_of_desk reader
expect 1 'may not write' "$INOS" put stock nut '{"shelf": "B"}' --data desk
expect 0 'desk is writer now' "$INOS" role desk writer --write stock --data office
wait_until 20 'the role at the desk' role_of_desk writer
expect 1 'may not write' "$INOS" put customers ann '{"name": "Ann"}' --data desk
"$INOS" put stock nut '{"shelf": "B"}' --data desk >/dev/null
expect 0 'of epoch 2 seals from now on' "$INOS" rotate-key --data office
wait_until 20 'agreement' all_agree office 2
expect 0 '"shelf":"B"' "$INOS" get stock nut --data office --json
stop_node desk
stop_node office
stop_node hq
say ok
