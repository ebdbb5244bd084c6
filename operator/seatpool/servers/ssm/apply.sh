#!/bin/sh
# Puts lists of named users onto this license server, refuses lists that are older than what it has, and reads back.
#
# All input is SSM_Payload: base64 of gzip of lines that servers/payload.py writes. Nothing in it is ever shell text:
# every value is checked against a pattern before it is used, commands are argument vectors, and exec runs programs
# only. The first line of the output is JSON, because only the first 24,000 characters of the output are kept;
# what the list commands printed follows in chunks, and the rest of it is fetched with action "read".
#
# In the state folder, for each product: <product>.revision (the fence: owner, revision, hash), <product>.list (what
# the apply command is given), <product>.listed (what the list command printed). Of a list that is a part of a file:
# <product>.original and <product>.before, the file before the first and before the last change. Everything happens under
# one lock.
# The shell that waits for a vendor's command keeps the lock even when its parent is killed, so that a late old
# command cannot undo a newer one; the command itself does not have it, so that a daemon it leaves behind does not.
#
# A vendor's command prints to a file: a daemon that keeps a pipe open would hold up everything. Each product has a time
# limit, so that one that hangs stops no other. A list can also be a part of a file: then the operator sends what changes
# in the file, which is replaced only if it is still the one that the operator read. Whatever replaces something is written whole and read again first, so that
# a full disk leaves the old fence and the old list.

set -u -f
LC_ALL=C
# An empty or relative part of PATH would be the folder that this script happens to run in.
inherited=${PATH-}: absolute=
while [ -n "$inherited" ]; do
    case $inherited in
        /*) absolute=$absolute${inherited%%:*}: ;;
    esac
    inherited=${inherited#*:}
done
PATH=${absolute}/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
export LC_ALL PATH
umask 077

output_limit=23500
list_limit=4194304
payload_limit=4194304
detail_limit=400
details_limit=3900

broken() {
    printf '{"v":1,"revision":0,"results":[],"error":"%s"}\n' "$1"
    exit 1
}

missing=
for tool in base64 cat cp flock grep gzip head id ls mkdir mv rm rmdir sed sha256sum sleep sort sync tail tr wc; do
    command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
[ -z "$missing" ] || broken "install these programs on the license server:$missing"

# The arguments of a vendor's command must never be words of the shell: in mksh and posh exec runs eval and all the others.
# shellcheck disable=SC2093
(exec eval 'exit 0') 2>/dev/null &&
    broken 'the sh of the license server runs its own commands by exec: make sh dash, bash or busybox sh'

is_number() {
    case $1 in
        '' | *[!0-9]* | 0?*) return 1 ;;
    esac
    [ "${#1}" -le 15 ]
}

is_owner() {
    case $1 in
        '' | *[!A-Za-z0-9-]*) return 1 ;;
    esac
    [ "${#1}" -le 64 ]
}

is_product() {
    case $1 in
        [!A-Za-z0-9]* | *[!A-Za-z0-9._+-]* | '') return 1 ;;
    esac
    [ "${#1}" -le 63 ]
}

is_hash() {
    case $1 in
        *[!0-9a-f]*) return 1 ;;
    esac
    [ "${#1}" -eq 64 ]
}

is_path() {
    case $1/ in
        [!/]* | *[!A-Za-z0-9._+/-]* | *//* | */../* | */./*) return 1 ;;
    esac
    [ "${#1}" -ge 2 ] && [ "${#1}" -le 255 ]
}

# Each process costs a millisecond, for each product of each command: what the shell can do itself it does, and
# hash_of and length_of leave their answer in a variable of their name.

escaped() {
    printf '%s' "$1" | tr -c ' -~' ' ' | sed 's/["\\]/\\&/g'
}

hash_of() {
    hash_of=$(sha256sum <"$1")
    hash_of=${hash_of%% *}
}

length_of() {
    length_of=$(wc -c <"$1")
    length_of=$((length_of))
}

# Sets now: hundredths of a second since the machine started. No step of the clock changes a time limit.
read_clock() {
    IFS=' ' read -r now _ </proc/uptime
    now=${now%.*}${now#*.}
}

fail() {
    result=failed
    detail=$1
    return 1
}

no_room() {
    fail "$state cannot be written: is the disk full? The list and its revision are as they were"
}

# put FILE LINE: writes a file, and reads it again: a full disk shows itself in an empty file.
put() {
    printf '%s\n' "$2" 2>/dev/null >"$1" && IFS= read -r put <"$1" && [ "$put" = "$2" ]
}

read_fence() {
    fence=0 fence_owner='' fence_hash=''
    [ -e "$state/$product.revision" ] || return 0
    IFS=' ' read -r fence_owner fence fence_hash <"$state/$product.revision"
    is_owner "$fence_owner" && is_number "$fence" && is_hash "$fence_hash" && return 0
    fence=0 fence_owner='' fence_hash=''
    fail "$state/$product.revision is damaged: compare the list with the server's, then remove the file"
}

may_write() {
    read_fence || return 1
    if [ -n "$fence_owner" ] && [ "$fence_owner" != "$owner" ] && [ "$fence_owner" != "$takeover" ]; then
        result=owner
        detail="the list belongs to $fence_owner"
        return 1
    fi
    if [ "$fence_owner" = "$owner" ] && [ "$revision" -lt "$fence" ]; then
        result=stale
        return 1
    fi
}

check_users() {
    [ -z "$full" ] || { no_room; return 1; }
    [ -z "$limit" ] || [ "$count" -le "$limit" ] || { fail "$count users are more than the limit of $limit"; return 1; }
    [ -z "$file" ] || [ -z "$becomes" ] || return 0
    if [ -z "$file" ] && grep -qvE '^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$' "$work/users"; then
        fail 'a user id has characters that are not allowed'
        return 1
    fi
    lines=$(wc -l <"$work/users")
    [ -n "$file" ] || [ "$((lines))" -eq "$count" ] || { fail "$((lines)) users arrived instead of $count"; return 1; }
    hash_of "$work/users"
    [ "$hash_of" = "$hash" ] || { fail 'the users that arrived have another hash'; return 1; }
}

# check_words WORDS: whether they are one or more words of base64.
check_words() {
    [ -n "$1" ] || return 1
    for word in $1; do
        body=${word%=}
        case ${body%=} in
            *[!A-Za-z0-9+/]*) return 1 ;;
        esac
        [ "$((${#word} % 4))" -eq 0 ] || return 1
    done
}

# execute WORDS: becomes the program. exec knows neither builtins nor functions nor shell syntax.
execute() {
    words=$1
    set --
    for word in $words; do
        value=$(
            base64 -d <<EOF && printf x
$word
EOF
        )
        set -- ${1+"$@"} "${value%x}"
    done
    exec "$@" </dev/null 9>&-
}

# end_tree PID: kills a program and what it started. They are in the process group of this script, so that the agent can
# kill everything at once; so they are looked for.
end_tree() {
    set +f
    tree=" $1 "
    found=yes
    kill -STOP "$1"
    while [ -n "$found" ]; do
        found=
        for stat in /proc/[0-9]*/stat; do
            IFS= read -r line <"$stat" || continue
            child=${line%% *} rest=${line##*) }
            rest=${rest#* }
            case $tree in
                *" $child "*) ;;
                *" ${rest%% *} "*)
                    kill -STOP "$child" && tree="$tree$child " && found=yes
                    ;;
            esac
        done
    done
    for child in $tree; do
        kill -KILL "$child"
    done
}

# watch PID UNTIL FILE: ends a program that takes too long (returns 3) or prints too much (returns 4).
watch() {
    pause=0.2
    while :; do
        sleep "$pause" || sleep 1
        read_clock
        length_of "$3"
        how=0
        [ "$length_of" -le "$list_limit" ] || how=4
        [ "$now" -lt "$2" ] || how=3
        if [ "$how" -ne 0 ]; then
            trap '' TERM # run ends this as soon as the program has ended
            end_tree "$1"
            return "$how"
        fi
        pause=1
        [ "$(($2 - now))" -gt 110 ] || pause=0.2
    done
}

# run UNTIL WORDS OUT ERRORS: runs a program, and prints its exit code and how it was ended: by time, by size or not.
run() {
    execute "$2" >>"$3" 2>>"$4" 9>&- &
    client=$!
    watch "$client" "$1" "$3" >/dev/null 9>&- &
    watcher=$!
    wait "$client"
    code=$?
    kill "$watcher"
    wait "$watcher"
    case $? in
        3) printf '%s time' "$code" ;;
        4) printf '%s size' "$code" ;;
        *) printf '%s none' "$code" ;;
    esac
}

# run_client UNTIL WORDS OUT: sets code and said. It fails when the program does not end by itself.
run_client() {
    code=126
    { true >>"$3" && true >"$work/said"; } 2>/dev/null || { said="$state cannot be written: is the disk full?"; return 1; }
    read_clock
    granted=$((($1 - now + 50) / 100))
    answer=$(run "$1" "$2" "$3" "$work/said" 2>/dev/null)
    code=${answer% *}
    is_number "$code" || code=126
    said=$(tail -c "$detail_limit" "$work/said" | tr -d '\000')
    case $answer in
        *time)
            code=124 late=stopped
            said="stopped after $granted s, its part of the time limit of $seconds s${said:+: $said}"
            return 1
            ;;
        *size)
            said="it printed more than $list_limit bytes"
            return 1
            ;;
    esac
}

run_apply() {
    [ -n "$apply_words" ] || [ -z "$file" ] || { code=0; return 0; }
    check_words "$apply_words" || { fail "the $apply command that arrived is damaged"; return 1; }
    if ! run_client "$apply_until" "$apply_words" "$work/said"; then
        fail "the $apply command ended with $code: $said"
        return 1
    fi
    detail=$said
}

run_list() {
    list_code=126
    check_words "$list_words" || { said='the list command that arrived is damaged'; return 1; }
    kept=$code
    rm -f "$work/out"
    run_client "$list_until" "$list_words" "$work/out"
    ended=$?
    list_code=$code code=$kept
    [ "$ended" -eq 0 ] || return 1
    length_of "$work/out"
    if [ "$length_of" -gt "$list_limit" ]; then
        said="it printed more than $list_limit bytes"
        return 1
    fi
    [ "$list_code" = 0 ]
}

# run_status adds to the output who uses the product. Without it the list is still good.
run_status() {
    kept=$code was_late=$late content="$content,\"status\":true"
    check_words "$status_words" && run_client "$list_until" "$status_words" "$work/out" && [ "$code" = 0 ] ||
        detail="${detail:+$detail; }the status command ended with $code: $said"
    code=$kept late=$was_late
}

# describe_listed FILE: what the output says of it.
describe_listed() {
    length_of "$1"
    hash_of "$1"
    is_hash "$hash_of" || { no_room; return 1; }
    listed="\"length\":$length_of,\"sha\":\"$hash_of\""
}

read_back() {
    if ! run_list; then
        [ "$action" = apply ] || code=$list_code
        detail="${detail:+$detail; }the list command ended with $list_code: $said"
        return 1
    fi
    content=
    if [ -n "$file" ]; then
        length_of "$work/out"
        hash_of "$work/out"
        content=",\"size\":$length_of,\"content\":\"$hash_of\""
        [ -z "$status_words" ] || run_status
    fi
    # Few clients notice that the disk was full while they printed. The file then ends where it is full: one more byte
    # does not fit.
    printf '\n' 2>/dev/null >>"$work/out" || { no_room; return 1; }
    { gzip -c <"$work/out" | base64 | tr -d '\n' >"$work/listed"; } 2>/dev/null || { no_room; return 1; }
    describe_listed "$work/listed" || return 1
    if [ -z "$file" ]; then
        sorted=$(sed '/^$/d' "$work/out" | sort -u | sha256sum)
        sorted=${sorted%% *}
        is_hash "$sorted" && content=",\"sorted\":\"$sorted\""
    fi
    listed=$listed$content
    mv -f "$work/listed" "$state/$product.listed" || { listed=null; no_room; return 1; }
    listed="{$listed}"
    chunks="$chunks $product:0"
}

join_parts() {
    [ "$parts" -gt 0 ] || return 0
    staged=$(cat "$state/.parts/$product/revision" 2>/dev/null)
    [ "$staged" = "$owner $revision" ] || { fail 'the parts of the list are not here: send them again'; return 1; }
    true >"$work/users"
    part=1
    while [ "$part" -le "$parts" ]; do
        cat "$state/.parts/$product/$part" >>"$work/users" 2>/dev/null ||
            { fail "part $part of the list is not here: send it again"; return 1; }
        part=$((part + 1))
    done
}

is_as_read() {
    hash_of "$1" 2>/dev/null
    [ "$hash_of" = "$was" ] && return 0
    result=changed
    detail="$file is not as it was read"
    return 1
}

# prepare_file makes the new content, and keeps the old one once for each revision. Nothing is changed yet.
prepare_file() {
    if ! { is_path "$file" && is_hash "$was" && is_hash "$becomes" && is_number "$keep" && is_number "$resume"; }; then
        fail 'what arrived for the file is damaged'
        return 1
    fi
    [ -f "$file" ] && [ ! -L "$file" ] || { fail "$file is no file: name the file itself, not a link to it"; return 1; }
    is_as_read "$file" || return 1
    cp "$file" "$work/old" 2>/dev/null
    { head -c "$keep" "$work/old" && cat "$work/users" && tail -c "+$resume" "$work/old"; } 2>/dev/null >"$work/new"
    hash_of "$work/new"
    [ "$hash_of" = "$becomes" ] || { fail "what arrived does not make the new file, or $state has no room for it"; return 1; }
    [ "$was" != "$becomes" ] && [ "$fence_owner $fence" != "$owner $revision" ] || return 0
    [ -e "$state/$product.original" ] || { cp "$work/old" "$work/original" && mv "$work/original" "$state/$product.original"; } 2>/dev/null
    mv -f "$work/old" "$state/$product.before" 2>/dev/null && [ -e "$state/$product.original" ] || { no_room; return 1; }
}

# copy_file NAME FOLDER COPY: makes a copy with the same owner and mode in a folder of our own. Who owns the folder of the
# file could replace a name there by a link, so every name is looked at from inside of our folder.
copy_file() {
    mkdir "$3" && cd -P "./$3" && [ "$(pwd -P)" = "${2%/}/$3" ] || return 1
    # shellcheck disable=SC3067 # dash, bash and busybox have -O
    [ -O . ] && cp -p "../$1" seatpool && cat "$work/new" >seatpool || return 1
    hash_of seatpool
    [ "$hash_of" = "$becomes" ] || return 1
    # shellcheck disable=SC2012 # the names have no blanks
    ls -ln seatpool "../$1" | {
        IFS=' ' read -r mode _ uid gid _
        IFS=' ' read -r mode2 _ uid2 gid2 _
        [ "$mode $uid $gid" = "$mode2 $uid2 $gid2" ]
    } && { sync seatpool || sync; }
}

replace_file() {
    [ "$was" != "$becomes" ] || return 0
    name=${file##*/} copy=.seatpool.$product
    cd -P "${file%/*}/" || { fail "the folder of $file cannot be entered"; return 1; }
    folder=$(pwd -P)
    [ -L "$copy" ] || rm -f "$copy/seatpool"
    rmdir "$copy"
    if ! copy_file "$name" "$folder" "$copy"; then
        fail "$file cannot be replaced with its owner and mode: check its folder, who may write there, and the disk"
    elif is_as_read "../$name" && ! mv -f seatpool "../$name"; then
        fail "$file cannot be replaced"
    fi
    hash_of=$(sha256sum <"$file")
    cd "$folder" && rm -f "$copy/seatpool"
    rmdir "$copy"
    sync . || sync
    [ "${hash_of%% *}" = "$becomes" ]
}

write_and_apply() {
    may_write || return 1
    if [ "$fence_owner" = "$owner" ] && [ "$revision" -eq "$fence" ] && [ "$hash" != "$fence_hash" ]; then
        result=stale
        return 1
    fi
    [ -z "$problem" ] || { fail "$problem"; return 1; }
    join_parts && check_users || return 1
    [ -z "$file" ] || prepare_file || return 1
    put "$work/fence" "$owner $revision $hash" || { no_room; return 1; }
    sync "$work/fence" "$work/users" 2>/dev/null || sync
    mv -f "$work/fence" "$state/$product.revision" || { no_room; return 1; }
    fence=$revision fence_owner=$owner
    if [ -n "$file" ]; then
        replace_file 2>/dev/null || return 1
    else
        mv -f "$work/users" "$state/$product.list" || { fail "$state/$product.list cannot be written"; return 1; }
    fi
    sync "$state" 2>/dev/null || sync
    rm -rf "$state/.parts/$product"
    run_apply || return 1
    [ "$code" = 0 ] || { fail "the $apply command ended with $code: $detail"; return 1; }
    result=applied
}

stage_part() {
    may_write && check_users || return 1
    home=$state/.parts/$product
    staged=$(cat "$home/revision" 2>/dev/null)
    if [ "$staged" != "$owner $revision" ]; then
        if [ "${staged% *}" = "$owner" ] && is_number "${staged#* }" && [ "$revision" -lt "${staged#* }" ]; then
            result=stale
            return 1
        fi
        rm -rf "$home"
        mkdir -p "$home" 2>/dev/null
        put "$home/revision" "$owner $revision" || { no_room; return 1; }
    fi
    mv -f "$work/users" "$home/$part_number" || { no_room; return 1; }
    result=staged
}

read_more() {
    read_fence || return 1
    [ -f "$state/$product.listed" ] || { fail 'nothing was listed yet'; return 1; }
    describe_listed "$state/$product.listed" || return 1
    listed="{$listed}"
    chunks="$chunks $product:$offset"
    result=listed
}

begin() {
    product=$1
    apply=apply file='' was='' becomes='' keep=0 resume=1 status_words='' problem=''
    apply_words='' list_words='' hash='' count=0 limit='' parts=0 part_number=0 offset=0
    result=failed code=0 detail='' fence=0 fence_owner='' listed=null late=''
    full=
    if true 2>/dev/null >"$work/users"; then
        exec 3>"$work/users"
    else
        full=yes
        exec 3>/dev/null
    fi
}

# Lets a product have half of the time that is left, and the last one all of it: whoever hangs leaves time for the others.
# Three quarters are for the apply command.
grant_time() {
    read_clock
    left=$((stop_at - now))
    granted=$((left / 2))
    [ "$products" -gt 1 ] || granted=$left
    products=$((products - 1))
    apply_until=$((now + granted * 3 / 4))
    list_until=$((now + granted))
    [ "$granted" -ge 20 ]
}

is_whole() {
    is_number "$count" && is_number "$parts" && is_number "$part_number" && is_number "$offset" || return 1
    [ -z "$limit" ] || is_number "$limit" || return 1
    case $action in
        apply | stage) is_hash "$hash" ;;
    esac
}

shorten_and_escape() {
    detail=$(escaped "$(printf '%s' "$detail" | tail -c "$((detail_limit + 60))")")
}

finish() {
    exec 3>&-
    if ! is_product "$product"; then
        detail='the product name has characters that are not allowed'
        product=$(escaped "$(printf '%s' "$product" | head -c 63)")
    elif ! is_whole; then
        detail='the numbers or the hash that arrived are damaged'
    elif ! grant_time; then
        detail="not begun: other products used up the time limit of $seconds s" late=unbegun
    else
        case $action in
            apply)
                write_and_apply
                read_back
                ;;
            stage) stage_part ;;
            list) read_fence && read_back && result=listed ;;
            read) read_more ;;
        esac
    fi
    case $detail in
        *[!A-Za-z0-9\ ._/:-]*) shorten_and_escape ;;
        *) [ "${#detail}" -le "$((detail_limit + 60))" ] || shorten_and_escape ;;
    esac
    results="$results${results:+,}{\"product\":\"$product\",\"result\":\"$result\",\"fence\":$fence,\"owner\":\"$fence_owner\",\"code\":$code,\"detail\":\"$detail\",\"late\":\"$late\",\"listed\":$listed}"
}

print_chunks() {
    left=$((output_limit - ${#1}))
    waiting=0
    for chunk in $chunks; do
        waiting=$((waiting + 1))
    done
    for chunk in $chunks; do
        product=${chunk%:*} offset=${chunk##*:}
        size=$((left / waiting - ${#product} - ${#offset} - 5))
        waiting=$((waiting - 1))
        [ "$size" -gt 0 ] || continue
        chunk=$(tail -c "+$((offset + 1))" "$state/$product.listed" | head -c "$size")
        printf '= %s %s %s\n' "$product" "$offset" "$chunk"
        left=$((left - ${#product} - ${#offset} - ${#chunk} - 5))
    done
}

# Prints what is wrong with the owner or the mode of the state folder or of a folder above it. Who can write there could
# make root write elsewhere, or give it another list.
unsafe_folder() {
    me=$(id -u)
    folders=/. path='' rest=${state#/}/
    while [ -n "$rest" ]; do
        path=$path/${rest%%/*}
        rest=${rest#*/}
        [ "$path/." = "$folders" ] || folders="$folders $path/."
    done
    # shellcheck disable=SC2012,SC2086 # the names have no blanks, and no find prints numbers of owners everywhere
    ls -ldn $folders | while IFS=' ' read -r mode _ uid rest; do
        folder=${rest##* }
        case "$folder $mode" in
            "$state/. "d????w* | "$state/. "d???????w*) printf '%s can be written by others' "$state" ;;
            "$state/. "*) [ "$uid" = "$me" ] || printf '%s belongs to user %s' "$state" "$uid" ;;
            *" d"???????w[!tT]*) printf '%s can be written by others' "${folder%/.}" ;;
        esac
    done
}

# take_lock SECONDS: waits for the lock. A shell that keeps descriptors to itself gives it to flock by 9>&9.
take_lock() {
    flock -n 9 9>&9 2>/dev/null && return 0
    flock 9 9>&9 2>/dev/null &
    locker=$!
    {
        waited=0
        while [ "$waited" -lt "$1" ]; do
            sleep 1
            waited=$((waited + 1))
        done
        kill "$locker"
    } >/dev/null 2>&1 9>&- &
    timer=$!
    wait "$locker"
    locked=$?
    kill "$timer" 2>/dev/null
    [ "$locked" -eq 0 ]
}

seconds=${seatpool_seconds-60}
is_number "$seconds" && [ "$seconds" -gt 0 ] && [ "$seconds" -le 172800 ] || seconds=60
read_clock
is_number "$now" || broken '/proc is not mounted on the license server'
# The agent kills everything at the time limit, and then no product has a result. So this script ends a little before.
margin=$((100 + seconds * 5))
[ "$margin" -le 1000 ] || margin=1000
stop_at=$((now + seconds * 100 - margin))

payload=$(printf '%s' "${SSM_Payload-}" | base64 -d 2>/dev/null | gzip -dc 2>/dev/null | head -c "$payload_limit" | tr -d '\000')
unset SSM_Payload
case $payload in
    "seatpool 1
"*"
done") ;;
    *) broken 'the payload is damaged, or of a version that this document does not know' ;;
esac

action='' revision='' owner='' takeover='' state=''
while IFS= read -r line; do
    value=${line#* }
    case ${line%% *} in
        action) action=$value ;;
        revision) revision=$value ;;
        owner) owner=$value ;;
        takeover) takeover=$value ;;
        state) state=$value ;;
        product) break ;;
    esac
done <<EOF
$payload
EOF

case $action in
    apply | stage | list | read) ;;
    *) broken 'the action is not one of apply, stage, list, read' ;;
esac
is_number "$revision" || broken 'the revision is not a number'
is_owner "$owner" || broken 'the owner is not letters, digits and hyphens'
[ -z "$takeover" ] || is_owner "$takeover" || broken 'the owner to take over from is not letters, digits and hyphens'
is_path "$state" || broken 'the state folder is not an absolute path of letters, digits and . _ -'

mkdir -p "$state" 2>/dev/null
unsafe=$(unsafe_folder 2>/dev/null)
[ -z "$unsafe" ] || broken "$unsafe: make the state folder belong to the user that runs commands, with mode 0700, or name another stateDir"
(exec 9>>"$state/.lock") 2>/dev/null ||
    broken "the state folder $state cannot be written: check stateDir, its owner and the disk"
exec 9>>"$state/.lock"
take_lock "$((seconds / 2))" ||
    broken "the lock $state/.lock cannot be taken: an earlier command holds it and hangs, or sh is none of dash, bash and busybox sh"
work=$state/.work
rm -rf "$work"
mkdir "$work" 2>/dev/null || broken "the state folder $state cannot be written: is the disk full?"
chunks=
trap 'rm -rf "$work"' EXIT

products=$(printf '%s\n' "$payload" | grep -c '^product ')
[ "$((products * detail_limit))" -le "$details_limit" ] || detail_limit=$((details_limit / products))

results=
begin ''
while IFS= read -r line; do
    value=${line#* }
    case ${line%% *} in
        product) begin "$value" ;;
        apply) apply_words=$value ;;
        list) list_words=$value ;;
        file) file=$value apply=reload ;;
        was) was=$value ;;
        becomes) becomes=$value ;;
        keep) keep=$value ;;
        resume) resume=$value ;;
        status) status_words=$value ;;
        problem) problem=$value ;;
        t) printf '%b' "$value" 2>/dev/null >&3 || full=yes ;;
        hash) hash=$value ;;
        count) count=$value ;;
        limit) limit=$value ;;
        parts) parts=$value ;;
        part) part_number=$value ;;
        offset) offset=$value ;;
        u) printf '%s\n' "$value" 2>/dev/null >&3 || full=yes ;;
        end) finish ;;
    esac
done <<EOF
$payload
EOF

summary="{\"v\":1,\"revision\":$revision,\"results\":[$results]}"
printf '%s\n' "$summary"
print_chunks "$summary"
exit 0
