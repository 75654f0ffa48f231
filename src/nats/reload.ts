/**
 * What a reload of nats.conf takes over. One change that it does not makes the whole reload fail, and the server goes on with what it
 * has (reload.go, diffOptions). Every line here is held to the real server by test/live/reload.test.ts.
 */

/** reload: taken over. raise: taken over where the figure rises. identity: must never change, whatever the server takes. */
export type Reloading = "reload" | "raise" | "restart" | "identity";

const RELOADING: Readonly<Record<string, Reloading>> = {
  max_connections: "reload",
  max_payload: "reload",
  pid_file: "reload",
  server_metadata: "reload",
  tls: "reload",
  "cluster.no_advertise": "reload",
  "cluster.connect_backoff": "reload",
  "cluster.routes": "reload",
  "cluster.tls": "reload",
  "jetstream.max_memory_store": "raise",
  "jetstream.max_file_store": "raise",
  // A reload takes a new cluster name without a word, and the servers no longer know their own groups (nats-server#7418).
  "cluster.name": "identity",
  server_name: "identity",
};

/** How a key of nats.conf is taken over, for example `cluster.tls.timeout`; a key that nobody knows takes a restart. */
export function reloadingOf(key: string): Reloading {
  const parts = key.split(".");
  for (let length = parts.length; length > 0; length--) {
    const known = RELOADING[parts.slice(0, length).join(".")];
    if (known) return known;
  }
  return "restart";
}
