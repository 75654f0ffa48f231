/** What lower limits delete. How much is exact where the state says it; else it is told in bounds, not by a guess. */
import { type Amount, formatDuration } from "../units.ts";
import type { StreamState } from "./api.ts";
import { publishersInto } from "./clients.ts";
import { amountBetween, amountOf, breaks, type Effect, loses, unlimited } from "./effect.ts";
import type { Row } from "./effects.ts";

/** What a stream has beyond its limits; below zero where it has room. */
export interface Over {
  readonly messages: number;
  readonly bytes: number;
}

export const over = ({ messages, bytes }: StreamState, limits: { messages?: unknown; bytes?: unknown }): Over => ({
  messages: messages - unlimited(limits.messages),
  bytes: bytes - unlimited(limits.bytes),
});

/** With discard "new" the server keeps what is over a new limit and refuses publishes instead (since 2.10.6). */
export function overLimit({ change, info, model }: Row, beyond: Over): Effect[] {
  const pushed = pushedOut(beyond, info.state);
  if (pushed.messages === 0) return [];
  return change.config.discard === "new"
    ? breaks("is over the new limit: publishes are refused until it is below", publishersInto(model, change.name))
    : loses(pushed, "the oldest messages go at once");
}

/**
 * The oldest go until the limits are kept. How many make up the bytes is not in the state: the oldest may be the smallest, or
 * one large message all of it.
 */
export function pushedOut({ messages, bytes }: Over, state: StreamState): Amount {
  const counted = Math.min(state.messages, Math.max(0, messages));
  if (bytes <= 0) return amountOf(counted, state);
  const even = Math.ceil((bytes / state.bytes) * state.messages);
  const most = amountBetween(Math.max(1, counted), state.messages, state, even);
  return most.least === undefined
    ? most
    : { ...most, bytes: Math.max(bytes, amountOf(counted, state).bytes), bytesAbout: true };
}

/** Messages older than the new age. Nothing is lost silently: where the first is older, one goes at least. */
export function overAge(row: Row): Effect[] {
  const age = unlimited(row.field.to);
  return loses(olderThan(row, age), `messages older than ${formatDuration(age)} go at once`);
}

/** The times of the first and the last message are all that a state says: between them anything can be a burst. */
function olderThan({ info: { state, ts }, now }: Row, age: number): Amount {
  const { messages, first_ts, last_ts = first_ts } = state;
  if (messages === 0 || !first_ts || !last_ts) return amountOf(0, state);
  // The server goes by its own clock, and so do its times.
  const asked = ts ? nanosecondsOf(ts) : now;
  const [first, last] = [asked - nanosecondsOf(first_ts), asked - nanosecondsOf(last_ts)];
  if (first <= age) return amountOf(0, state);
  if (last > age) return amountOf(messages, state);
  // Where messages were deleted, the last may be one of them: its time stays in the state.
  const hasLast = state.last_seq - state.first_seq + 1 === messages;
  const even = messages * ((first - age) / (first - last));
  return amountBetween(1, hasLast ? messages - 1 : messages, state, even);
}

const nanosecondsOf = (time: string): number => Date.parse(time) * 1e6;

/** Counted where subjects were asked for. Otherwise no less than an even spread loses, and no more than one large subject does. */
export function overPerSubject({ info: { state }, measured }: Row, limit: number, text: string): Effect[] {
  if (measured.perSubject) {
    const lost = Object.values(measured.perSubject).reduce((sum, count) => sum + Math.max(0, count - limit), 0);
    return loses(amountOf(lost, state), text);
  }
  const { messages, num_subjects = 1 } = state;
  const least = Math.max(0, messages - num_subjects * limit);
  const most = Math.max(0, messages - (num_subjects - 1) - limit);
  return loses(amountBetween(least, most, state), text);
}
