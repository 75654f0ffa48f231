/** Age limits that shrink step by step: the server deletes inside the update, and a month of messages at once stalls the stream. */
import type { Model } from "../model/resolve.ts";
import { formatDuration, SECOND } from "../units.ts";
import type { StreamInfo } from "./api.ts";
import type { Change } from "./diff.ts";
import type { Effect } from "./effect.ts";
import type { Observed } from "./observe.ts";

/**
 * `model`, in which no age limit falls by more than `step` below the live one; an unlimited age counts as that of the oldest
 * message. What follows from ages is then true of the step: a copy says how long personal data lives while its origin still
 * keeps it longer.
 * @param step nanoseconds @param now nanoseconds since 1970
 */
export function steppedModel(model: Model, { streams }: Pick<Observed, "streams">, step: number, now: number): Model {
  if (step === Number.POSITIVE_INFINITY) return model;
  const live = new Map(streams.flatMap((one) => (one.status === "known" ? [[one.name, one.info] as const] : [])));
  return {
    ...model,
    streams: model.streams.map((stream) => {
      const info = live.get(stream.name);
      return info && stream.maxAge > 0
        ? { ...stream, maxAge: Math.max(stream.maxAge, lowest(info, step, now)) }
        : stream;
    }),
  };
}

/** The lowest age that one step leads to. */
function lowest({ config, state }: StreamInfo, step: number, now: number): number {
  if (Number(config.max_age) > 0) return Number(config.max_age) - step;
  const { first_ts, messages } = state;
  const oldest = messages > 0 && first_ts ? Math.max(0, now - Date.parse(first_ts) * 1e6) : 0;
  // Whole days without a limit, so that a plan kept in a file still holds a little later.
  return Math.ceil((oldest - step) / DAY) * DAY;
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
