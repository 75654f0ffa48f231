/**
 * What a plan was approved to take, against what it would take now. A number that was reviewed is not exact a while later:
 * estimates waver, and each message that is published since pushes out an older one. So a tenth more is still what was
 * approved, and so is as much more as was published since; but never beyond twice of it, whatever was published: ten
 * messages that somebody gave up are no leave for ten thousand. Of what is known in bounds alone ("1 to 999 messages") the upper
 * one counts, then and now: the plan has said it, the server goes by neither bound nor estimate, and a burst of messages of
 * one age goes as a whole.
 */
import { type Amount, formatAmount } from "../units.ts";
import type { PlannedChange } from "./plan.ts";

export interface Taken {
  readonly messages: number;
  readonly bytes: number;
  /** Last sequence of the stream: what it has grown by is the difference. */
  readonly lastSequence: number;
}

/** What a change deletes, in messages and bytes; zeros where it deletes nothing. */
export function takenBy({ change, effects }: Pick<PlannedChange, "change" | "effects">): Taken {
  const live = "live" in change && change.live?.kind === "stream" ? change.live.info : undefined;
  const gone = effects.filter(({ kind }) => kind === "loses" || kind === "deletes");
  return {
    messages: gone.reduce((sum, { messages = 0 }) => sum + messages, 0),
    bytes: gone.reduce((sum, { bytes = 0 }) => sum + bytes, 0),
    lastSequence: live?.state.last_seq ?? 0,
  };
}

/** Why what `now` takes is not what was approved; undefined where it is. */
export function beyondApproval(approved: Taken, now: Taken): string | undefined {
  const published = Math.max(0, now.lastSequence - approved.lastSequence);
  const messages = Math.min(2 * approved.messages, 1.1 * approved.messages + published);
  if (now.messages <= messages && now.bytes <= 2 * approved.bytes) return undefined;
  const was = approved.messages > 0 ? formatAmount(amount(approved)) : "none";
  return `it would take ${formatAmount(amount(now))}, and ${was} ${approved.messages === 1 ? "was" : "were"} approved`;
}

const amount = ({ messages, bytes }: Taken): Amount => ({ messages, bytes });
