/** Whether what a plan makes fits the account, before the first stream of it is created. */
import { formatBytes } from "../units.ts";
import type { WireConfig } from "./desired.ts";
import type { Change } from "./diff.ts";
import { makesWay } from "./moves.ts";
import type { Observed } from "./observe.ts";

type Written = Extract<Change, { action: "create" | "update" }>;
type Storage = "file" | "memory";

interface Around {
  readonly observed: Observed;
  readonly changes: readonly Change[];
}

/** Why the server would refuse `change` for a limit of the account: what it reserves, what a stream may have, how many there may be. */
export const beyondAccount = (change: Written, around: Around) => [
  ...shortOfStorage(change, around),
  ...beyondStreamBytes(change, around),
  ...tooManyStreams(change, around),
];

/**
 * Why the server would refuse `change` for want of room (10047, 10028 in memory): what the account has left is less than what
 * the plan adds. Nothing is said of accounts without a limit, whose servers alone know, of tiered ones, and while a stream
 * cannot be asked, since the server counts that too.
 */
export function shortOfStorage(change: Written, { observed, changes }: Around) {
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
  const [where, raise] =
    storage === "file"
      ? ["in files (max_file)", "Raise nats.accountStorage or nats.volume.size, or lower maxBytes"]
      : ["in memory (max_mem)", "Lower maxBytes of the streams in memory, or keep them in files"];
  const says = `the account has ${formatBytes(left)} of ${formatBytes(limit)} left ${where}, and this plan reserves ${formatBytes(more)} more`;
  const hint =
    `${raise}: \`circl check\` says what the streams reserve.` +
    (shrinking.length > 0 ? ` Apply what gives room first: --target ${shrinking.join(" --target ")}.` : "");
  return [{ field: "max_bytes", errCode: storage === "file" ? 10047 : 10028, says, hint }];
}

/** What the account asks of each stream by itself (checkStreamCfg). */
function beyondStreamBytes({ kind, config }: Written, { observed }: Around) {
  const { limits, tiers } = observed.account;
  if (kind !== "stream" || tiers) return [];
  const bytes = Number(config.max_bytes ?? -1);
  if (limits.max_bytes_required && bytes <= 0) {
    const says = "the account wants a limit of bytes for every stream (max_bytes_required)";
    return [{ field: "max_bytes", errCode: 10113, says, hint: "Give it maxBytes." }];
  }
  const file = storageOf(config) === "file";
  const most = Number((file ? limits.storage_max_stream_bytes : limits.memory_max_stream_bytes) ?? 0);
  if (most <= 0 || bytes <= most) return [];
  const says = `the account allows a stream ${formatBytes(most)} in ${file ? "files" : "memory"}, not ${formatBytes(bytes)}`;
  return [
    {
      field: "max_bytes",
      errCode: 10122,
      says,
      hint: `Lower maxBytes, or raise ${file ? "store" : "mem"}_max_stream_bytes of the account.`,
    },
  ];
}

/** One more than the account may have; those that go last still count. */
function tooManyStreams(change: Written, { observed, changes }: Around) {
  const { limits, tiers } = observed.account;
  const most = limits.max_streams ?? 0;
  if (change.kind !== "stream" || change.action !== "create" || most <= 0 || tiers) return [];
  const written = changes.filter((other) => other.action === "create" || other.action === "update");
  const created = written.filter(({ kind, action }) => kind === "stream" && action === "create").length;
  const gone = changes.filter((other) => other.action === "delete" && makesWay(other, written)).length;
  const has = observed.streams.length;
  if (has - gone + created <= most) return [];
  const says = `the account has ${has} of the ${most} streams that it may have (max_streams), and this plan makes ${created} more`;
  return [{ field: "name", errCode: 10027, says, hint: "Raise max_streams of the account, or delete streams first." }];
}

const storageOf = ({ storage }: WireConfig): Storage => (storage === "memory" ? "memory" : "file");

/** Bytes that a change sets aside beyond what its stream has already. */
function added(change: Written, storage: Storage): number {
  if (change.kind !== "stream" || storageOf(change.config) !== storage) return 0;
  return reserves(change.config) - (change.action === "update" ? reserves(change.live.info.config) : 0);
}

const reserves = ({ max_bytes, num_replicas }: WireConfig): number =>
  Math.max(0, Number(max_bytes ?? 0)) * Math.max(1, Number(num_replicas ?? 1));
