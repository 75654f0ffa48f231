/** What changing, recreating or deleting a consumer loses, breaks or repeats. */
import { covers } from "../model/subject.ts";
import { type Amount, formatAmount, formatBytes, formatDuration } from "../units.ts";
import type { ConsumerInfo, StreamState } from "./api.ts";
import { filtersIn, readerOf } from "./clients.ts";
import type { Change, FieldChange } from "./diff.ts";
import { amountOf, breaks, type Effect, loses, says, unlimited } from "./effect.ts";
import type { Observed } from "./observe.ts";
import { startOf } from "./recreate.ts";

type Update = Extract<Change, { action: "update" }>;
type Deleted = Extract<Change, { action: "delete" }>;

/** What a consumer's update does to its stream and to the service that reads it. */
export function consumerEffects(change: Update, observed: Observed): Effect[] {
  if (change.live.kind !== "consumer") return [];
  const { info } = change.live;
  const reader = [readerOf(change.name, change.config)];
  const state = stateOf(change.stream, observed);
  return [
    ...(changesFilter(change) ? losesInterest(change, info, observed) : []),
    ...change.fields.flatMap((field) => {
      const { text, amount } = ROWS[field.field]?.(field, info, state) ?? {};
      return text ? breaks(text, reader, amount) : [];
    }),
    ...(changesFilter(change) ? unread(filtersIn(info.config), filtersIn(change.config), reader) : []),
  ];
}

interface Broken {
  readonly text: string;
  /** What it is about. */
  readonly amount?: Amount;
}
type Row = (field: FieldChange, info: ConsumerInfo, state: StreamState) => Broken | undefined;
const lowered = ({ from, to }: FieldChange): boolean => unlimited(to) < unlimited(from);
const refusedRequests =
  (what: string, format: (value: number) => string): Row =>
  (field) =>
    lowered(field) ? { text: `requests for more than ${format(Number(field.to))}${what} are refused` } : undefined;

const ROWS: Readonly<Record<string, Row>> = {
  max_deliver: (field, { num_redelivered }, state) => {
    if (!lowered(field) || num_redelivered === 0) return undefined;
    const amount = amountOf(num_redelivered, state);
    return {
      text: `of ${formatAmount(amount)}, being redelivered, those beyond max_deliver stop without an advisory`,
      amount,
    };
  },
  max_ack_pending: (field, { num_ack_pending }, state) => {
    if (!lowered(field) || num_ack_pending < Number(field.to)) return undefined;
    const amount = amountOf(num_ack_pending, state);
    return { text: `nothing is delivered until some of ${formatAmount(amount)} are acknowledged`, amount };
  },
  ack_wait: (field) =>
    lowered(field)
      ? { text: `what takes longer than ${formatDuration(Number(field.to))} is delivered twice` }
      : undefined,
  headers_only: ({ to }) => (to === true ? { text: "payloads are no longer delivered" } : undefined),
  deliver_subject: ({ from }) => ({ text: `who listens on "${from}" gets nothing more` }),
  deliver_group: ({ to }) => ({
    text: to
      ? `who listens outside the group "${to}" gets nothing more`
      : "every listener of the group gets every message",
  }),
  priority_groups: ({ to }) => ({
    text: to
      ? `requests for another group than ${(to as string[]).join(", ")} are refused`
      : "requests that name a group are served like all others",
  }),
  max_batch: refusedRequests(" messages", String),
  max_expires: refusedRequests("", formatDuration),
  max_bytes: refusedRequests("", formatBytes),
};

/** Subjects that were delivered and no longer are. */
function unread(before: readonly string[], after: readonly string[], reader: Parameters<typeof breaks>[1]): Effect[] {
  if (after.length === 0) return [];
  const gone = (before.length > 0 ? before : [">"]).filter((filter) => !after.some((kept) => covers(kept, filter)));
  if (gone.length === 0) return [];
  const what = before.length === 0 ? "all but its filters" : gone.map((filter) => `"${filter}"`).join(", ");
  return breaks(`${what} is no longer delivered`, reader);
}

const changesFilter = ({ fields }: { readonly fields: readonly FieldChange[] }): boolean =>
  fields.some(({ field }) => field === "filter_subject" || field === "filter_subjects");

const NOTHING: StreamState = { messages: 0, bytes: 0, first_seq: 0, last_seq: 0 };

function stateOf(stream: string, { streams }: Observed): StreamState {
  const holder = streams.find(({ name }) => name === stream);
  return holder?.status === "known" ? holder.info.state : NOTHING;
}

/** What retention interest lets go with a consumer's interest: at most all that it has not acknowledged. */
function losesInterest({ stream }: Change, info: ConsumerInfo, observed: Observed): Effect[] {
  if (!keepsByInterest(stream, observed)) return [];
  return loses(waiting(info, stream, observed), "at most: what no consumer is interested in goes");
}

const keepsByInterest = (stream: string, { streams }: Observed): boolean => {
  const holder = streams.find(({ name }) => name === stream);
  return holder?.status === "known" && holder.info.config.retention === "interest";
};

const waiting = ({ num_pending, num_ack_pending }: ConsumerInfo, stream: string, observed: Observed) =>
  amountOf(num_pending + num_ack_pending, stateOf(stream, observed), true);

/** Its place goes, and with retention interest what only it waits for. */
export function deletedConsumer({ live, name, stream }: Deleted, observed: Observed): Effect[] {
  if (live.kind !== "consumer") return [];
  const pending = formatAmount(amountOf(live.info.num_pending, stateOf(stream, observed)));
  const place = `its place, with ${pending}, before it`;
  const going = waiting(live.info, stream, observed);
  const goes = keepsByInterest(stream, observed) && going.messages > 0;
  return [
    goes
      ? { kind: "deletes", says: `${place}, and of ${formatAmount(going)}, what nobody else waits for`, ...going }
      : { kind: "deletes", says: place },
    ...breaks("nothing is delivered any more", [readerOf(name, live.info.config)]),
  ];
}

/** Where the new one starts, and what comes again. The guard keeps messages that only this consumer wants. */
export function recreateEffects(change: Extract<Change, { action: "recreate" }>, observed: Observed): Effect[] {
  const { place, config, live, name } = change;
  const { info } = live;
  const state = stateOf(change.stream, observed);
  const cutOff = breaks("is cut off while it is away, and fetches or subscribes again", [readerOf(name, config)]);
  if (place === "guard") {
    const start = Number(info.config.opt_start_seq);
    return says(`starts before message ${start}, where an interrupted run deleted it`);
  }
  const unacknowledged = amountOf(info.num_ack_pending, state);
  const again = `${formatAmount(unacknowledged)}, unacknowledged, come again`;
  if (place === "queue") return [...cutOff, ...says(again, unacknowledged)];
  const floor = info.ack_floor.stream_seq;
  if (place === "declared") {
    const where = `starts at ${startOf(config)} as it says now, not behind message ${floor}, its ack floor`;
    return [...losesInterest(change, info, observed), ...cutOff, ...says(where)];
  }
  const beyond = amountOf(Math.max(0, info.delivered.stream_seq - floor - info.num_ack_pending), state);
  return [
    ...(changesFilter(change) ? losesInterest(change, info, observed) : []),
    ...cutOff,
    ...says(`starts behind message ${floor}, its ack floor: ${again}`, unacknowledged),
    ...(beyond.messages > 0
      ? says(`what was acknowledged beyond the floor comes twice: at most ${formatAmount(beyond)}`, beyond)
      : []),
  ];
}
