/** What an effect of a change is, and how one is said. */
import type { Amount } from "../units.ts";
import type { StreamState } from "./api.ts";
import { type Client, naming } from "./clients.ts";

export interface Effect extends Partial<Amount> {
  readonly kind: "loses" | "deletes" | "irreversible" | "breaks" | "says";
  /** One sentence; clients and amounts that it speaks of are in it, but for what `loses` and `deletes` count. */
  readonly says: string;
  /** Whose work it breaks. */
  readonly clients?: readonly Client[];
}

/** `messages` of those that a stream has: all of them take what it takes, some as much as they do on average. */
export function amountOf(messages: number, state: StreamState, about = false): Amount {
  const count = Math.round(messages);
  if (count >= state.messages && !about) return { messages: count, bytes: state.bytes };
  const bytes = state.messages > 0 ? Math.round((state.bytes / state.messages) * count) : 0;
  return { messages: count, bytes, ...(about ? { about } : {}), ...(count > 0 ? { bytesAbout: true } : {}) };
}

/**
 * Between `least` and `most` of a stream's messages, none of which was looked at; `even` is what an even spread gives. The
 * figures that count are the upper ones: leave that was given for an estimate would not cover what a burst really loses
 * (approved-loss.ts goes by the same).
 */
export function amountBetween(least: number, most: number, state: StreamState, even?: number): Amount {
  if (least >= most) return amountOf(most, state);
  const within = even === undefined ? undefined : Math.min(most, Math.max(least, Math.round(even)));
  return { messages: most, bytes: state.bytes, least, ...(within === undefined ? {} : { even: within }) };
}

/** Bounds of limits: 0 and below are none. */
export const unlimited = (value: unknown): number => (Number(value) > 0 ? Number(value) : Number.POSITIVE_INFINITY);
export const loses = (amount: Amount, says: string): Effect[] =>
  amount.messages > 0 ? [{ kind: "loses", says, ...amount }] : [];
export const says = (text: string, amount?: Amount): Effect[] => [{ kind: "says", says: text, ...amount }];
export const breaks = (text: string, clients: readonly Client[] = [], amount?: Amount): Effect[] => [
  { kind: "breaks", says: naming(text, clients), ...amount, ...(clients.length > 0 ? { clients } : {}) },
];
