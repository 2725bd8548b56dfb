#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# remote-build.sh SERVER ARCHIVE OUTPUT: builds an archive as clients of the attested-builds API do, with curl, jq and tar.
set -euo pipefail
server=$1 archive=$2 output=$3
nonce=$(head -c 16 /dev/urandom | od -An -v -tx1 | tr -d ' \n')

job=$(base64 -w0 "$archive" \
    | jq -Rs --arg nonce "$nonce" --arg name "$(basename "$archive")" \
        '{nonce: $nonce, source_data: ., source_name: $name}' \
    | curl -sS --fail-with-body -H 'Content-Type: application/json' --data-binary @- "$server/build" \
    | jq -er .job_id)

status=failed
while IFS= read -r line; do
    [[ $line == data:* ]] || continue
    event=${line#data:}
    case $(jq -r .type <<<"$event") in
        complete) status=$(jq -r .result.status <<<"$event") && jq -c .result <<<"$event" ;;
        queued) jq -r '"queued: \(.position)"' <<<"$event" ;;
        *) jq -r '"\(.type): \(.msg)"' <<<"$event" ;;
    esac
done < <(curl -sS -N "$server/build/$job/events?from=0")
[ "$status" = ok ]

mkdir -p "$output"
curl -sS --fail "$server/build/$job/result" | tar -xz -C "$output"
