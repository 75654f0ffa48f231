/**
 * Holds a restarted server back until the meta group and its streams have caught up, and lets it pass with a consumer
 * that is broken: bare /healthz does not, and one client-made consumer then stops every rollout (nats-io/k8s#1140).
 * busybox wget drops the body of a 503, so this speaks HTTP itself; the alpine image has nc, grep and sh.
 */
import { PORTS } from "../kubernetes/names.ts";

export const startupProbe = `#!/bin/sh
# Ready to take part: meta group and streams current. Consumers alone do not hold a server back.
answer=$(printf 'GET /healthz?details=true HTTP/1.0\\r\\n\\r\\n' | nc -w 5 127.0.0.1 ${PORTS.natsMonitor}) || exit 1
case "$answer" in
  "HTTP/1."?" 200 "*) exit 0 ;;
esac
broken=$(printf '%s' "$answer" | grep -o '"type": *"[A-Z_]*"')
[ -n "$broken" ] || { echo "no answer about streams yet"; exit 1; }
printf '%s\\n' "$broken" | grep -qv '"CONSUMER"' || exit 0
printf '%s' "$answer" | grep '"error"' | head -n 5
exit 1
`;
