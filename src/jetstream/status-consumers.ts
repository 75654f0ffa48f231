/** Health of consumers: who waits for what, and what is lost to them. */
import type { Consumer, Stream } from "../model/stream.ts";
import { formatDuration, SECOND } from "../units.ts";
import type { ConsumerInfo, StreamInfo } from "./api.ts";
import { driftOf } from "./drift.ts";
import { guardName, isGuard } from "./recreate.ts";
import type { Looked, StreamHealth } from "./status.ts";

export interface ConsumerHealth {
  /** `circl_iot/bff-iot`. */
  readonly name: string;
  readonly condition: StreamHealth["condition"];
  /** Empty where the whole stream is missing or unknown: that is one problem, and the stream's. */
  readonly problems: readonly string[];
  readonly differs?: StreamHealth["differs"];
  readonly live?: Backlog;
}

export interface Backlog {
  /** Messages that it has not been given yet. */
  readonly pending: number;
  /** Messages that it has not acknowledged. */
  readonly ackPending: number;
  readonly redelivered: number;
  /** About how many nanoseconds the oldest of `pending` has waited. */
  readonly waits?: number;
}

/** A backlog of this age has nobody to work it off. */
const OLD = 3_600 * SECOND;

export function consumerHealth(
  consumer: Consumer,
  stream: Stream,
  { condition, live }: Pick<StreamHealth, "condition" | "live"> = { condition: "missing" },
  { model, observed, changes, now }: Looked,
): ConsumerHealth {
  const name = `${stream.name}/${consumer.name}`;
  const holder = observed.streams.find((candidate) => candidate.name === stream.name);
  if (!live || holder?.status !== "known") return { name, condition, problems: [] };
  const change = changes.get(name);
  if (change?.action === "unknown") return { name, condition: "unknown", problems: [`is unknown: ${change.why}`] };
  const info = observed.consumers.get(stream.name)?.known.find((candidate) => candidate.name === consumer.name);
  if (!info) return { name, condition: "missing", problems: [`is missing: \`circl apply ${model.key}\` creates it`] };
  const guard = changes.get(`${stream.name}/${guardName(consumer.name)}`);
  const leftover =
    guard?.action === "delete"
      ? [`has a guard that an interrupted apply left behind: ${guard.name}`]
      : guard?.action === "unmanaged" && guard.live?.kind === "consumer" && isGuard(guard.live.info, consumer.name)
        ? [
            `was created anew by somebody else, and ${guard.name} keeps the place that it had before: \`--allow-delete ${guard.name}\` gives the place up`,
          ]
        : [];
  const drift = driftOf(change);
  const waits = info.num_pending > 0 ? waitOf(info, holder.info, now) : undefined;
  return {
    ...drift,
    name,
    condition: "exists",
    problems: [
      ...leftover,
      ...backlogProblems(info, holder.info, waits ?? 0, live.keeps),
      ...deliveryProblems(info),
      ...drift.problems,
    ],
    live: {
      pending: info.num_pending,
      ackPending: info.num_ack_pending,
      redelivered: info.num_redelivered,
      ...(waits === undefined ? {} : { waits }),
    },
  };
}

/** Age of the first message not delivered, as if the stream had filled evenly: its own time is in the message alone. */
function waitOf({ delivered }: ConsumerInfo, { state }: StreamInfo, now: number): number | undefined {
  const { first_seq, last_seq, first_ts, last_ts } = state;
  if (!first_ts || !last_ts) return undefined;
  const [first, last] = [Date.parse(first_ts) * 1e6, Date.parse(last_ts) * 1e6];
  const next = Math.max(delivered.stream_seq + 1, first_seq);
  const share = last_seq > first_seq ? (next - first_seq) / (last_seq - first_seq) : 0;
  return Math.max(0, now - (first + Math.min(1, share) * (last - first)));
}

/** @param keeps nanoseconds that the stream keeps a message */
function backlogProblems(
  info: ConsumerInfo,
  { config, state }: StreamInfo,
  waits: number,
  keeps = Number.POSITIVE_INFINITY,
): string[] {
  const { config: asked, delivered, num_pending } = info;
  if (num_pending === 0) return [];
  const takesAll = asked.deliver_policy === "all" && !asked.filter_subject && !asked.filter_subjects;
  const gone = state.first_seq - 1 - delivered.stream_seq;
  if (takesAll && gone > 0) return [`was not given ${gone} messages that the stream no longer keeps`];
  const forgets = config.retention === "limits" && config.discard !== "new";
  if (forgets && waits > keeps / 2) {
    return [
      `lags by about ${formatDuration(waits)}, and the stream keeps ${formatDuration(keeps)}: what it does not fetch is lost`,
    ];
  }
  return waits > OLD ? [`lags by about ${formatDuration(waits)}`] : [];
}

function deliveryProblems({ config, num_ack_pending, push_bound }: ConsumerInfo): string[] {
  if (config.deliver_subject && !push_bound) {
    return [`delivers nothing: nobody listens on ${String(config.deliver_subject)}`];
  }
  const most = Number(config.max_ack_pending);
  return most > 0 && num_ack_pending >= most
    ? [`is given nothing: ${num_ack_pending} messages are unacknowledged, and max_ack_pending is ${most}`]
    : [];
}
