/** Whether what a plan reserves fits the account, before the first stream of it is created. */
import { formatBytes } from "../units.ts";
import type { WireConfig } from "./desired.ts";
import type { Change } from "./diff.ts";
import { makesWay } from "./moves.ts";
import type { Observed } from "./observe.ts";

type Written = Extract<Change, { action: "create" | "update" }>;
type Storage = "file" | "memory";

/**
 * Why the server would refuse `change` for want of room (10047, 10028 in memory): what the account has left is less than what
 * the plan adds. Nothing is said of accounts without a limit, whose servers alone know, of tiered ones, and while a stream
 * cannot be asked, since the server counts that too.
 */
export function shortOfStorage(
  change: Written,
  { observed, changes }: { observed: Observed; changes: readonly Change[] },
) {
  const storage = storageOf(change.config);
  const { limits, tiers } = observed.account;
  const limit = storage === "file" ? limits.max_storage : limits.max_memory;
  if (change.kind !== "stream" || limit < 0 || tiers || added(change, storage) <= 0) return [];
  if (observed.streams.some(({ status }) => status === "unknown")) return [];
  const written = changes.filter((other) => other.action === "create" || other.action === "update");
  // Of what is deleted, only streams that make way for others go before these are written.
  const gone = changes.filter((other) => other.action === "delete" && makesWay(other, written));
  // What shrinks is written beside what grows: its room is there for the next apply.
  const more = written.reduce((sum, other) => sum + Math.max(0, added(other, storage)), 0);
  const shrinking = written.filter((other) => added(other, storage) < 0).map(({ name }) => name);
  // What the account's own INFO calls reserved leaves replicas out in a cluster (2.14.9), and the server counts them.
  const reserved = observed.streams
    .flatMap((stream) => (stream.status === "known" ? [stream.info.config] : []))
    .filter((config) => storageOf(config) === storage && !gone.some(({ name }) => name === config.name))
    .reduce((sum, config) => sum + reserves(config), 0);
  const left = Math.max(0, limit - reserved);
  if (more <= left) return [];
  const says = `the account has ${formatBytes(left)} of ${formatBytes(limit)} left, and this plan reserves ${formatBytes(more)} more`;
  const hint =
    "Raise nats.accountStorage or nats.volume.size, or lower maxBytes: `circl check` says what the streams reserve." +
    (shrinking.length > 0 ? ` Apply what gives room first: --target ${shrinking.join(" --target ")}.` : "");
  return [{ field: "max_bytes", errCode: storage === "file" ? 10047 : 10028, says, hint }];
}

const storageOf = ({ storage }: WireConfig): Storage => (storage === "memory" ? "memory" : "file");

/** Bytes that a change sets aside beyond what its stream has already. */
function added(change: Written, storage: Storage): number {
  if (change.kind !== "stream" || storageOf(change.config) !== storage) return 0;
  return reserves(change.config) - (change.action === "update" ? reserves(change.live.info.config) : 0);
}

const reserves = ({ max_bytes, num_replicas }: WireConfig): number =>
  Math.max(0, Number(max_bytes ?? 0)) * Math.max(1, Number(num_replicas ?? 1));
