/** Durations, byte sizes and rates: readable text in definitions, plain numbers (ns, bytes, messages per second) in the model. */

export type Duration = `${number}${"ms" | "s" | "m" | "h" | "d"}`;
/** Powers of 1024, spelled so that nobody has to guess. */
export type ByteSize = `${number}${"B" | "KiB" | "MiB" | "GiB" | "TiB"}`;
export type Rate = `${number}/${"s" | "m" | "h" | "d"}`;

export const SECOND = 1e9;
const durationUnits = {
  d: 86_400 * SECOND,
  h: 3_600 * SECOND,
  m: 60 * SECOND,
  s: SECOND,
  ms: 1e6,
} as const;
const byteUnits = { TiB: 1024 ** 4, GiB: 1024 ** 3, MiB: 1024 ** 2, KiB: 1024, B: 1 } as const;
const secondsPer = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

export const MiB: number = byteUnits.MiB;
export const KiB: number = byteUnits.KiB;
export const GiB: number = byteUnits.GiB;

const durationPattern = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;
const bytesPattern = /^(\d+(?:\.\d+)?)(B|KiB|MiB|GiB|TiB)$/;
const ratePattern = /^(\d+(?:\.\d+)?)\/(s|m|h|d)$/;

export const isDuration = (value: unknown): value is Duration =>
  typeof value === "string" && durationPattern.test(value);
export const isByteSize = (value: unknown): value is ByteSize => typeof value === "string" && bytesPattern.test(value);
export const isRate = (value: unknown): value is Rate => typeof value === "string" && ratePattern.test(value);

/** "90s" -> 90e9 nanoseconds. @throws RangeError for text that is not a duration */
export function nanoseconds(text: Duration): number {
  const [, amount, unit] = durationPattern.exec(text) ?? fail(text, 'a duration such as "30s", "5m" or "7d"');
  return Math.round(Number(amount) * durationUnits[unit as keyof typeof durationUnits]);
}

/** "1GiB" -> 1073741824 bytes. @throws RangeError for text that is not a size */
export function bytes(text: ByteSize): number {
  const [, amount, unit] = bytesPattern.exec(text) ?? fail(text, 'a size such as "512KiB" or "20GiB"');
  return Math.round(Number(amount) * byteUnits[unit as keyof typeof byteUnits]);
}

/** "5000/s" -> 5000 messages a second. @throws RangeError for text that is not a rate */
export function perSecond(text: Rate): number {
  const [, amount, unit] = ratePattern.exec(text) ?? fail(text, 'a rate such as "200/s" or "3/d"');
  return Number(amount) / secondsPer[unit as keyof typeof secondsPer];
}

/** 604800e9 -> "7d", 136.6e9 -> "2m17s": the two largest units that matter. Infinity is "for ever". */
export function formatDuration(ns: number): string {
  if (ns === Number.POSITIVE_INFINITY) return "for ever";
  if (ns < SECOND) return `${Math.round(ns / 1e6)}ms`;
  let rest = Math.round(ns / SECOND);
  const parts: string[] = [];
  for (const unit of ["d", "h", "m", "s"] as const) {
    const amount = Math.floor(rest / secondsPer[unit]);
    rest -= amount * secondsPer[unit];
    if (amount > 0) parts.push(`${amount}${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join("") || "0s";
}

/** 1073741824 -> "1 GiB", 1500 -> "1.5 KiB". */
export function formatBytes(count: number): string {
  for (const [unit, size] of Object.entries(byteUnits)) {
    if (count >= size) return `${Number((count / size).toFixed(1))} ${unit}`;
  }
  return `${count} B`;
}

/** 1759218604442 -> "1.7TiB": no smaller than `count`, as a definition takes it. */
export function byteSizeAbove(count: number): ByteSize {
  for (const [unit, size] of Object.entries(byteUnits) as [keyof typeof byteUnits, number][]) {
    if (count >= size) return `${Math.ceil((count / size) * 10) / 10}${unit}`;
  }
  return "1B";
}

/** Messages of a stream, with what they take in its store. */
export interface Amount {
  readonly messages: number;
  readonly bytes: number;
  /** The messages are an estimate, and so are the bytes. */
  readonly about?: boolean;
  /** The bytes are an estimate: a state has no sizes of single messages. */
  readonly bytesAbout?: boolean;
  /** Only bounds are known: so many at least, and `messages` at most; so are the bytes, unless they are an estimate. */
  readonly least?: number;
  /** Within the bounds, how many if messages are evenly spread. */
  readonly even?: number;
}

/**
 * "about 20 messages, 2.1 KiB"; "20 messages, about 2.1 KiB" where only the bytes are an estimate;
 * "1 to 9 messages (about 4 if evenly spread), at most 2.1 KiB" where only bounds are known.
 */
export function formatAmount({ messages, bytes: size, about, bytesAbout, least, even }: Amount): string {
  if (least !== undefined && least < messages) {
    const spread = even === undefined ? "" : ` (about ${even} if evenly spread)`;
    return `${least} to ${messages} messages${spread}, ${bytesAbout ? "about" : "at most"} ${formatBytes(size)}`;
  }
  return `${about ? "about " : ""}${messages} message${messages === 1 ? "" : "s"}, ${bytesAbout && !about ? "about " : ""}${formatBytes(size)}`;
}

/** 5000 -> "5000/s", 0.05 -> "3/m". */
export function formatRate(messagesPerSecond: number): string {
  for (const unit of ["s", "m", "h"] as const) {
    const amount = messagesPerSecond * secondsPer[unit];
    if (amount >= 1) return `${Number(amount.toFixed(1))}/${unit}`;
  }
  return `${Number((messagesPerSecond * secondsPer.d).toFixed(1))}/d`;
}

function fail(text: string, expected: string): never {
  throw new RangeError(`"${text}" is not ${expected}`);
}
