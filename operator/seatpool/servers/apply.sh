#!/bin/sh
# Puts lists of named users onto this license server, refuses lists that are older than what it has, and reads back.
#
# All input is SSM_Payload: base64 of gzip of lines that servers/payload.py writes. Nothing in it is ever shell text:
# every value is checked against a pattern before it is used, commands are argument vectors, and exec runs programs
# only. The first line of the output is JSON, because only the first 24,000 characters of the output are kept;
# what the list commands printed follows in chunks, and the rest of it is fetched with action "read".
#
# In the state folder, for each product: <product>.revision (the fence: owner, revision, hash), <product>.list (what
# the apply command is given), <product>.listed (what the list command printed). Everything happens under one lock.
# The shell that waits for a vendor's command keeps the lock even when its parent is killed, so that a late old
# command cannot undo a newer one; the command itself does not have it, so that a daemon it leaves behind does not.

set -u -f
LC_ALL=C
PATH=${PATH-}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
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
for tool in base64 cat flock grep gzip head mkdir mv rm sed sha256sum sort sync tail tr wc; do
    command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
[ -z "$missing" ] || broken "install these programs on the license server:$missing"

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

is_state_dir() {
    case $1/ in
        [!/]* | *[!A-Za-z0-9._/-]* | *//* | */../* | */./*) return 1 ;;
    esac
    [ "${#1}" -ge 2 ] && [ "${#1}" -le 255 ]
}

# Each process costs a millisecond, for each product of each command: what the shell can do itself it does, and
# hash_of, length_of and read_code leave their answer in a variable of their name.

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

read_code() {
    read_code=
    read -r read_code <"$work/code" || true # it has no newline
}

# replace FILE NAME: the state folder has either the old or the whole new file, also after a power cut.
replace() {
    sync "$1" 2>/dev/null || sync
    mv -f "$1" "$state/$2" || return 1
    sync "$state" 2>/dev/null || sync
}

fail() {
    result=failed
    detail=$1
    return 1
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
    if grep -qvE '^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$' "$work/users"; then
        fail 'a user id has characters that are not allowed'
        return 1
    fi
    lines=$(wc -l <"$work/users")
    [ "$((lines))" -eq "$count" ] || { fail "$((lines)) users arrived instead of $count"; return 1; }
    [ -z "$limit" ] || [ "$count" -le "$limit" ] || { fail "$count users are more than the limit of $limit"; return 1; }
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
        set -- "$@" "${value%x}"
    done
    exec "$@" </dev/null 9>&-
}

run_apply() {
    check_words "$apply_words" || { fail 'the apply command that arrived is damaged'; return 1; }
    printf 126 >"$work/code"
    {
        (execute "$apply_words") 2>&1
        printf '%s' "$?" >"$work/code"
    } | tail -c "$detail_limit" >"$work/said" 9>&-
    read_code
    code=$read_code
    detail=$(tr -d '\000' <"$work/said")
}

run_list() {
    list_code=126
    check_words "$list_words" || { printf 'the list command that arrived is damaged' >"$work/said"; return 1; }
    printf 126 >"$work/code"
    {
        {
            (execute "$list_words" 3>&- 4>&-) 2>&3
            printf '%s' "$?" >"$work/code"
        } 3>&1 >&4 | tail -c "$detail_limit" >"$work/said" 4>&- 9>&-
    } 4>&1 | head -c "$((list_limit + 1))" >"$work/out" 9>&-
    length_of "$work/out"
    if [ "$length_of" -gt "$list_limit" ]; then
        printf 'it printed more than %s bytes' "$list_limit" >"$work/said"
        return 1
    fi
    read_code
    list_code=$read_code
    [ "$list_code" = 0 ]
}

describe_listed() {
    length_of "$1"
    hash_of "$1"
    listed="\"length\":$length_of,\"sha\":\"$hash_of\""
}

read_back() {
    if ! run_list; then
        [ "$action" = apply ] || code=$list_code
        detail="${detail:+$detail; }the list command ended with $list_code: $(tr -d '\000' <"$work/said")"
        return 1
    fi
    sort -u "$work/out" >"$work/sorted"
    gzip -c <"$work/out" | base64 | tr -d '\n' >"$work/listed"
    describe_listed "$work/listed"
    hash_of "$work/sorted"
    listed="{$listed,\"sorted\":\"$hash_of\"}"
    mv -f "$work/listed" "$state/$product.listed" || { fail "$state cannot be written"; return 1; }
    printf '%s 0\n' "$product" >>"$work/chunks"
}

join_parts() {
    [ "$parts" -gt 0 ] || return 0
    staged=$(cat "$state/.parts/$product/revision" 2>/dev/null)
    [ "$staged" = "$owner $revision" ] || { fail 'the parts of the list are not here: send them again'; return 1; }
    : >"$work/users"
    part=1
    while [ "$part" -le "$parts" ]; do
        cat "$state/.parts/$product/$part" >>"$work/users" 2>/dev/null ||
            { fail "part $part of the list is not here: send it again"; return 1; }
        part=$((part + 1))
    done
}

write_and_apply() {
    may_write || return 1
    if [ "$fence_owner" = "$owner" ] && [ "$revision" -eq "$fence" ] && [ "$hash" != "$fence_hash" ]; then
        result=stale
        return 1
    fi
    join_parts && check_users || return 1
    printf '%s %s %s\n' "$owner" "$revision" "$hash" >"$work/fence"
    replace "$work/fence" "$product.revision" || { fail "$state cannot be written"; return 1; }
    fence=$revision fence_owner=$owner
    replace "$work/users" "$product.list"
    hash_of "$state/$product.list"
    [ "$hash_of" = "$hash" ] || {
        fail "$state/$product.list was not written as it should be: is the disk full?"
        return 1
    }
    rm -rf "$state/.parts/$product"
    run_apply || return 1
    [ "$code" = 0 ] || { fail "the apply command ended with $code: $detail"; return 1; }
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
        mkdir -p "$home" || { fail "$home cannot be written"; return 1; }
        printf '%s %s\n' "$owner" "$revision" >"$home/revision"
    fi
    mv -f "$work/users" "$home/$part_number" || { fail "$home cannot be written"; return 1; }
    result=staged
}

read_more() {
    read_fence || return 1
    [ -f "$state/$product.listed" ] || { fail 'nothing was listed yet'; return 1; }
    describe_listed "$state/$product.listed"
    listed="{$listed}"
    printf '%s %s\n' "$product" "$offset" >>"$work/chunks"
    result=listed
}

begin() {
    product=$1
    apply_words='' list_words='' hash='' count=0 limit='' parts=0 part_number=0 offset=0
    result=failed code=0 detail='' fence=0 fence_owner='' listed=null
    exec 3>"$work/users"
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
    results="$results${results:+,}{\"product\":\"$product\",\"result\":\"$result\",\"fence\":$fence,\"owner\":\"$fence_owner\",\"code\":$code,\"detail\":\"$detail\",\"listed\":$listed}"
}

print_chunks() {
    left=$((output_limit - ${#1}))
    waiting=$(wc -l <"$work/chunks")
    while IFS=' ' read -r product offset; do
        size=$((left / waiting - ${#product} - ${#offset} - 5))
        waiting=$((waiting - 1))
        [ "$size" -gt 0 ] || continue
        chunk=$(tail -c "+$((offset + 1))" "$state/$product.listed" | head -c "$size")
        printf '= %s %s %s\n' "$product" "$offset" "$chunk"
        left=$((left - ${#product} - ${#offset} - ${#chunk} - 5))
    done <"$work/chunks"
}

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
is_state_dir "$state" || broken 'the state folder is not an absolute path of letters, digits and . _ -'

mkdir -p "$state" 2>/dev/null
(exec 9>>"$state/.lock") 2>/dev/null ||
    broken "the state folder $state cannot be written: check stateDir, its owner and the disk"
exec 9>>"$state/.lock"
flock 9 || broken "the lock $state/.lock cannot be taken"
work=$state/.work
rm -rf "$work"
mkdir "$work" 2>/dev/null || broken "the state folder $state cannot be written: is the disk full?"
true >"$work/chunks"
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
        hash) hash=$value ;;
        count) count=$value ;;
        limit) limit=$value ;;
        parts) parts=$value ;;
        part) part_number=$value ;;
        offset) offset=$value ;;
        u) printf '%s\n' "$value" >&3 ;;
        end) finish ;;
    esac
done <<EOF
$payload
EOF

summary="{\"v\":1,\"revision\":$revision,\"results\":[$results]}"
printf '%s\n' "$summary"
print_chunks "$summary"
exit 0
