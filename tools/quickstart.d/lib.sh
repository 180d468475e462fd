# Parts of tools/quickstart: starting and ending sites, waiting, asking them. Sourced; uses $bin,
# $work, $pids, $keep.

exec 3>&2  # for failures inside of commands whose output is thrown away

title() { printf '\n== %s\n' "$*"; }

fail() {
    printf '\nquickstart: FAILED: %s\n' "$*" >&3
    for site in "${!pids[@]}"; do
        printf -- '-- last lines of the node of %s\n' "$site" >&3
        tail -n 5 "$work/$site.log" >&3 || true
    done
    exit 1
}

# Ends the nodes by their pids, whatever happened.
cleanup() {
    local status=$? site
    for site in "${!pids[@]}"; do kill "${pids[$site]}" 2>/dev/null || true; done
    wait 2>/dev/null || true
    if $keep; then
        printf '\nkept: %s (start a site again with: %s run --data %s/shop)\n' \
            "$work" "$bin/inos" "$work"
    else
        rm -rf "$work"
    fi
    exit "$status"
}

# inos SITE COMMAND...: the command, spoken to that site.
inos() {
    local site=$1
    shift
    "$bin/inos" "$@" --data "$work/$site"
}

# Runs a site's node on ports that the kernel chooses, and waits until it answers.
start() {
    "$bin/inos" run --data "$1" --listen 127.0.0.1:0 --api off >"$1.log" 2>&1 </dev/null &
    pids[$1]=$!
    wait_for 20 "answer of the node of $1" answers "$1"
}
answers() {
    kill -0 "${pids[$1]}" 2>/dev/null || fail "the node of $1 has ended"
    [[ -s $1/run.json ]] && inos "$1" status --json | grep -q '"running":true'
}

# Where a site can be dialled.
url() { sed -nE 's/.*"listen":"([^"]*)".*/\1/p' "$1/run.json"; }

# wait_for SECONDS WHAT COMMAND...: until the command succeeds, or fails after so many seconds.
wait_for() {
    local seconds=$1 what=$2 deadline
    shift 2
    deadline=$((SECONDS + seconds))
    until "$@" >/dev/null 2>&1; do
        if ((SECONDS >= deadline)); then
            inos shop verify >&3 2>&3 || true
            fail "no $what within $seconds s"
        fi
        sleep 0.1
    done
}

agree() { [[ $(inos shop verify | tail -n 1) == 'verify: all 3 sites agree' ]]; }

now_ms() { date +%s%3N; }
seconds_since() { printf '%d.%d' $((($(now_ms) - $1) / 1000)) $((($(now_ms) - $1) % 1000 / 100)); }

# Bytes that a site has exchanged on its present connections.
traffic() {
    inos "$1" peers --json | grep -oE '"bytes_(in|out)":[0-9]+' | sed 's/.*://' |
        awk '{ total += $1 } END { printf "%.1f KiB", total / 1024 }'
}

# Takes every address off the list at both ends; the processes stay alive and take writes.
cut_off() {
    local address site
    for address in $(inos warehouse peers --json | grep -oE '"url":"[^"]+"' | cut -d'"' -f4); do
        inos warehouse peers remove "$address"
    done
    for site in shop office; do
        for address in $(inos "$site" peers --json | grep -oE '"url":"[^"]+"' | cut -d'"' -f4); do
            [[ $address != "$(url warehouse)" ]] || inos "$site" peers remove "$address"
        done
    done
    wait_for 20 'cut between the warehouse and the others' is_cut_off
}
is_cut_off() { ! inos warehouse peers --json | grep -q '"state":"connected"'; }
