/** Numbers of the server in the units that people write, exactly: what is no whole unit falls to the next smaller one. */
import { type ByteSize, type Duration, SECOND } from "../units.ts";

const SIZES = [
  ["TiB", 1024 ** 4],
  ["GiB", 1024 ** 3],
  ["MiB", 1024 ** 2],
  ["KiB", 1024],
  ["B", 1],
] as const;

const DURATIONS = [
  ["d", 86_400 * SECOND],
  ["h", 3_600 * SECOND],
  ["m", 60 * SECOND],
  ["s", SECOND],
  ["ms", 1e6],
] as const;

/** 1073741824 -> "1GiB", 1114112 -> "1088KiB", 1500 -> "1500B". */
export function exactSize(bytes: number): ByteSize {
  const [unit, size] = SIZES.find(([, candidate]) => bytes % candidate === 0) ?? ["B", 1];
  return `${bytes / size}${unit}`;
}

/** 604800e9 -> "7d", 90e9 -> "90s". Only what is no whole millisecond gets decimals: 1500000 -> "1.5ms". */
export function exactDuration(nanoseconds: number): Duration {
  const [unit, size] = DURATIONS.find(([, candidate]) => nanoseconds % candidate === 0) ?? ["ms", 1e6];
  return `${nanoseconds / size}${unit}`;
}
