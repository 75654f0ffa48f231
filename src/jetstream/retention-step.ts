/** Age limits that shrink step by step: the server deletes inside the update, and a month of messages at once stalls the stream. */
import type { Model } from "../model/resolve.ts";
import { formatDuration, SECOND } from "../units.ts";
import type { Change } from "./diff.ts";
import type { Effect } from "./effect.ts";

/**
 * `change`, where its age limit falls by no more than `step`; an unlimited age counts as that of the oldest message.
 * @param step nanoseconds @param now nanoseconds since 1970
 */
export function stepped(change: Change, step: number, now: number): Change {
  if (change.action !== "update" || change.live.kind !== "stream") return change;
  const age = change.fields.find(({ field }) => field === "max_age");
  if (!age || Number(age.to) <= 0) return change;
  const { first_ts, messages } = change.live.info.state;
  const oldest = messages > 0 && first_ts ? Math.max(0, now - Date.parse(first_ts) * 1e6) : 0;
  // Whole days without a limit, so that a plan kept in a file still holds a little later.
  const next = Number(age.from) > 0 ? Number(age.from) - step : Math.ceil((oldest - step) / DAY) * DAY;
  if (next <= Number(age.to)) return change;
  return {
    ...change,
    config: { ...change.config, max_age: next },
    fields: change.fields.map((field) => (field === age ? { ...field, to: next } : field)),
  };
}

const DAY = 86_400 * SECOND;

/** Says where a step leads, so that nobody takes it for the end. */
export function remainingSteps(change: Change, model: Model): Effect[] {
  if (change.action !== "update" || change.kind !== "stream") return [];
  const declared = model.streams.find(({ name }) => name === change.name)?.maxAge ?? 0;
  return declared > 0 && Number(change.config.max_age) > declared
    ? [{ kind: "says", says: `a step towards ${formatDuration(declared)}: apply again for the next one` }]
    : [];
}
