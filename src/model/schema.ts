/** The value kinds that definitions are made of, each with the sentence a user reads when the value is wrong. */
import * as v from "valibot";
import {
  type ByteSize,
  bytes,
  type Duration,
  isByteSize,
  isDuration,
  isRate,
  nanoseconds,
  perSecond,
  type Rate,
} from "../units.ts";

/** Definitions are never changed, so constants with `as const` fit. */
export type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

const say = (expected: string) => (issue: v.BaseIssue<unknown>) => `is ${issue.received}, expected ${expected}`;

export const text = v.pipe(v.string(say("text")), v.nonEmpty("is empty, expected text"));
export const flag = v.boolean(say("true or false"));
/** A whole number of at least `least`. */
export const count = (least: number) =>
  v.pipe(
    v.number(say(`a whole number of at least ${least}`)),
    v.check(
      (value) => Number.isSafeInteger(value) && value >= least,
      ({ received }) => `is ${received}, expected a whole number of at least ${least}`,
    ),
  );
/** "30s" in definitions, nanoseconds in the model. */
export const duration = v.pipe(
  v.custom<Duration>(isDuration, say('a duration such as "30s", "5m" or "7d"')),
  v.transform(nanoseconds),
);
/** "1GiB" in definitions, bytes in the model. */
export const size = v.pipe(
  v.custom<ByteSize>(isByteSize, say('a size such as "512KiB" or "20GiB"')),
  v.transform(bytes),
);
/** "5000/s" in definitions, messages a second in the model. */
export const rate = v.pipe(v.custom<Rate>(isRate, say('a rate such as "200/s" or "3/d"')), v.transform(perSecond));
/** A Kubernetes name: lower case letters, digits and "-". */
export const dnsLabel = v.pipe(
  v.string(say("a name")),
  v.regex(
    /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/,
    ({ received }) => `is ${received}, expected a-z, 0-9 and "-" (63 at most)`,
  ),
);
export const oneOf = <const T extends readonly string[]>(options: T) =>
  v.picklist(options, say(options.map((option) => `"${option}"`).join(" or ")));
/** Text by name, such as labels. */
export const texts = v.record(text, v.string(say("text")));
export const list = <T extends v.GenericSchema>(item: T) => v.array(item, say("a list"));
/** An object that allows no other keys than those of `entries`. */
export const only = <const T extends v.ObjectEntries>(entries: T) => v.strictObject(entries);
