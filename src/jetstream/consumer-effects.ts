/** What changing or recreating a consumer loses, breaks or repeats. */
import type { ConsumerInfo } from "./api.ts";
import type { Change, FieldChange } from "./diff.ts";
import { breaks, type Effect, loses, says, unlimited } from "./effect.ts";
import type { Observed } from "./observe.ts";
import { startOf } from "./recreate.ts";

type Update = Extract<Change, { action: "update" }>;

/** What a consumer's update does to its stream. With retention interest the server drops what nobody waits for any more. */
export function consumerEffects(change: Update, observed: Observed): Effect[] {
  if (change.live.kind !== "consumer") return [];
  const { num_redelivered } = change.live.info;
  const deliveries = change.fields.find(({ field }) => field === "max_deliver");
  return [
    ...(changesFilter(change) ? losesInterest(change, change.live.info, observed) : []),
    ...(deliveries && unlimited(deliveries.to) < unlimited(deliveries.from) && num_redelivered > 0
      ? breaks(`${num_redelivered} messages are being redelivered; those beyond max_deliver stop without an advisory`)
      : []),
  ];
}

const changesFilter = ({ fields }: { readonly fields: readonly FieldChange[] }): boolean =>
  fields.some(({ field }) => field === "filter_subject" || field === "filter_subjects");

/** What retention interest lets go with a consumer's interest: at most all that it has not acknowledged. */
function losesInterest(
  { stream }: Change,
  { num_pending, num_ack_pending }: ConsumerInfo,
  observed: Observed,
): Effect[] {
  const holder = observed.streams.find(({ name }) => name === stream);
  return holder?.status === "known" && holder.info.config.retention === "interest"
    ? loses(num_pending + num_ack_pending, "at most: what no consumer is interested in goes", true)
    : [];
}

/** Where the new one starts, and what comes again. The guard keeps messages that only this consumer wants. */
export function recreateEffects(change: Extract<Change, { action: "recreate" }>, observed: Observed): Effect[] {
  const { place, config, live } = change;
  const { info } = live;
  const cutOff = breaks("readers are cut off while it is away, and fetch or subscribe again");
  if (place === "guard") {
    const start = Number(info.config.opt_start_seq);
    return says(`starts before message ${start}, where an interrupted run deleted it`);
  }
  const unacknowledged = info.num_ack_pending;
  if (place === "queue") return [...cutOff, ...says(`${unacknowledged} unacknowledged messages come again`)];
  const floor = info.ack_floor.stream_seq;
  if (place === "declared") {
    const where = `starts at ${startOf(config)} as it says now, not behind message ${floor}, its ack floor`;
    return [...losesInterest(change, info, observed), ...cutOff, ...says(where)];
  }
  const beyond = Math.max(0, info.delivered.stream_seq - floor - unacknowledged);
  return [
    ...(changesFilter(change) ? losesInterest(change, info, observed) : []),
    ...cutOff,
    ...says(`starts behind message ${floor}, its ack floor: ${unacknowledged} unacknowledged messages come again`),
    ...(beyond > 0 ? says(`what was acknowledged beyond the floor comes twice: at most ${beyond}`) : []),
  ];
}
