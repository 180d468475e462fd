# What the end-to-end tests share: real processes in a directory of their own, with ports that the
# kernel chooses, every wait bounded, and every process ended by its pid when the test ends, however
# it ends. To be sourced by a bash script that gets the path of `inos` as its first argument.
#
#   source "$(dirname "$0")/lib.sh" "$@"
#   new_site shop; start_node shop; pair shop office; start_node office
#   wait_until 20 "equal roots" all_agree shop 2
set -euo pipefail

INOS=$(realpath "${1:?usage: $0 PATH_OF_INOS}")
WORK=$(mktemp -d "${TMPDIR:-/tmp}/inos-e2e.XXXXXX")
declare -A NODE_PIDS=()
cd "$WORK"
unset INOS_DATA
export NO_COLOR=1
exec 3>&2  # for failures inside of commands whose output is thrown away

say() { printf -- '-- %s\n' "$*"; }
die() {
    printf 'FAILED: %s\n' "$*" >&3
    local log
    for log in "$WORK"/*.log; do
        [[ -s $log ]] || continue
        printf '\n== last lines of %s\n' "${log##*/}" >&3
        tail -n 20 "$log" >&3
    done
    exit 1
}

cleanup() {
    local status=$? site
    for site in "${!NODE_PIDS[@]}"; do
        kill -KILL "${NODE_PIDS[$site]}" 2>/dev/null || true
    done
    wait 2>/dev/null || true
    if [[ -n ${KEEP_WORK:-} ]]; then
        printf 'kept: %s\n' "$WORK"
    else
        rm -rf "$WORK"
    fi
    exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# wait_until SECONDS WHAT COMMAND...: runs the command until it succeeds; fails the test when the
# time is over.
wait_until() {
    local seconds=$1 what=$2 deadline
    shift 2
    deadline=$((SECONDS + seconds))
    until "$@" >/dev/null 2>&1; do
        if ((SECONDS >= deadline)); then
            printf 'last answer of "%s":\n' "$*" >&2
            "$@" >&2 || true
            die "no $what within $seconds s"
        fi
        sleep 0.05
    done
}

# expect STATUS REGEX COMMAND...: the command ends with that status, and its output (both streams)
# matches. The output is in $OUTPUT afterwards.
expect() {
    local status=$1 regex=$2 got=0
    shift 2
    OUTPUT=$("$@" 2>&1 </dev/null) || got=$?
    [[ $got == "$status" ]] || die "\"$*\" ended with $got, not $status: $OUTPUT"
    [[ $OUTPUT =~ $regex ]] || die "\"$*\" answered, without a match of \"$regex\": $OUTPUT"
}

# equal WHAT EXPECTED GOT
equal() { [[ $2 == "$3" ]] || die "$1 is \"$3\", not \"$2\""; }

# json_text NAME: the first member of that name with a text, from JSON on standard input.
json_text() { sed -nE "s/.*\"$1\":\"([^\"]*)\".*/\1/p" | head -n 1; }

new_site() { "$INOS" init --data "$1" --site "$1" >/dev/null; }

# start_node SITE [OPTION...]: runs the node and waits until it answers.
start_node() {
    local site=$1
    shift
    rm -f "$site/run.json"
    "$INOS" run --data "$site" --listen 127.0.0.1:0 "$@" >>"$site.log" 2>&1 </dev/null &
    NODE_PIDS[$site]=$!
    wait_until 20 "answer of the node of $site" node_answers "$site"
}
node_answers() {
    kill -0 "${NODE_PIDS[$1]}" || die "the node of $1 has ended"
    [[ -s $1/run.json ]] && "$INOS" status --data "$1" --json | grep -q '"running":true'
}

# Where a running node can be dialled: ws://127.0.0.1:PORT
node_url() { json_text listen <"$1/run.json"; }

# stop_node SITE [SIGNAL]: ends the node and waits for it. With TERM it has to end well.
stop_node() {
    local site=$1 signal=${2:-TERM} status=0 pid
    pid=${NODE_PIDS[$site]}
    kill "-$signal" "$pid"
    wait_until 20 "end of the node of $site" has_ended "$pid"
    wait "$pid" || status=$?
    unset "NODE_PIDS[$site]"
    [[ $signal != TERM || $status == 0 ]] || die "the node of $site ended with status $status"
}
# A process that has ended but was not waited for is a zombie, which kill -0 still finds.
has_ended() { ! kill -0 "$1" 2>/dev/null || grep -q '^State:.Z' "/proc/$1/status"; }

# pair INVITER NEW_SITE: a new site joins the space of a running one.
pair() {
    local code
    code=$("$INOS" invite --data "$1")
    "$INOS" join "$code" --data "$2" --site "$2" >/dev/null
}

# all_agree SITE COUNT: seen from that site, all of that many sites hold the same.
all_agree() {
    [[ $("$INOS" verify --data "$1" | tail -n 1) == "verify: all $2 sites agree" ]]
}

# fields SITE COLLECTION ID: the record's fields as JSON.
fields() { "$INOS" get "$2" "$3" --data "$1" --json | sed -E 's/.*"fields":(.*),"id":.*/\1/'; }
