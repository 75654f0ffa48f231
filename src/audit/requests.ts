/** Which JetStream requests change something, and what they are about. Reads are in the API audit as well and are no changes. */

export const ACTIONS = [
  "create",
  "update",
  "delete",
  "purge",
  "restore",
  "snapshot",
  "delete message",
  "move leader",
  "remove peer",
  "pause",
  "unpin",
  "reset",
  "remove server",
] as const;
export type Action = (typeof ACTIONS)[number];

/** What a request asks for. `name` is `circl_iot`, or `circl_iot/bff-iot`; empty for the whole cluster. */
export interface Requested {
  readonly action: Action;
  readonly kind: "stream" | "consumer" | "cluster";
  readonly name: string;
}

const PREFIX = "$JS.API.";

/** By the words between `$JS.API.` and the names; a longer one goes before its own beginning. A snapshot takes all messages away. */
const VERBS: readonly (readonly [verb: string, action: Action, kind: Requested["kind"]])[] = [
  ["STREAM.CREATE", "create", "stream"],
  ["STREAM.UPDATE", "update", "stream"],
  ["STREAM.DELETE", "delete", "stream"],
  ["STREAM.PURGE", "purge", "stream"],
  ["STREAM.RESTORE", "restore", "stream"],
  ["STREAM.SNAPSHOT", "snapshot", "stream"],
  ["STREAM.MSG.DELETE", "delete message", "stream"],
  ["STREAM.LEADER.STEPDOWN", "move leader", "stream"],
  ["STREAM.PEER.REMOVE", "remove peer", "stream"],
  ["CONSUMER.DURABLE.CREATE", "create", "consumer"],
  ["CONSUMER.CREATE", "create", "consumer"],
  ["CONSUMER.DELETE", "delete", "consumer"],
  ["CONSUMER.PAUSE", "pause", "consumer"],
  ["CONSUMER.UNPIN", "unpin", "consumer"],
  ["CONSUMER.RESET", "reset", "consumer"],
  ["CONSUMER.LEADER.STEPDOWN", "move leader", "consumer"],
  ["META.LEADER.STEPDOWN", "move leader", "cluster"],
  ["SERVER.REMOVE", "remove server", "cluster"],
];

/** Undefined for requests that change nothing. */
export function requested(subject: string): Requested | undefined {
  if (!subject.startsWith(PREFIX)) return undefined;
  const request = subject.slice(PREFIX.length);
  const found = VERBS.find(([verb]) => request === verb || request.startsWith(`${verb}.`));
  if (!found) return undefined;
  const [verb, action, kind] = found;
  // A filter may follow the consumer's name.
  const names = request.slice(verb.length + 1).split(".");
  return { action, kind, name: kind === "cluster" ? "" : names.slice(0, kind === "stream" ? 1 : 2).join("/") };
}
