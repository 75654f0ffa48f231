import { expect, test } from "vitest";
import { bytes, formatBytes, formatDuration, formatRate, nanoseconds, perSecond } from "../../src/units.ts";

test.each([
  ["250ms", 250_000_000, "250ms"],
  ["30s", 30_000_000_000, "30s"],
  ["90s", 90_000_000_000, "1m30s"],
  ["7d", 604_800_000_000_000, "7d"],
  ["36h", 129_600_000_000_000, "1d12h"],
] as const)("%s is %d ns, said as %s", (text, ns, said) => {
  expect(nanoseconds(text)).toBe(ns);
  expect(formatDuration(ns)).toBe(said);
});

test.each([
  ["1GiB", 1_073_741_824, "1 GiB"],
  ["1.5KiB", 1_536, "1.5 KiB"],
  ["300B", 300, "300 B"],
  ["2TiB", 2_199_023_255_552, "2 TiB"],
] as const)("%s is %d bytes, said as %s", (text, count, said) => {
  expect(bytes(text)).toBe(count);
  expect(formatBytes(count)).toBe(said);
});

test.each([
  ["5000/s", 5_000, "5000/s"],
  ["3/m", 0.05, "3/m"],
  ["12/d", 12 / 86_400, "12/d"],
] as const)("%s is %d a second, said as %s", (text, rate, said) => {
  expect(perSecond(text)).toBeCloseTo(rate, 12);
  expect(formatRate(rate)).toBe(said);
});

test("text in other units is refused by name", () => {
  expect(() => bytes("10GB" as "10GiB")).toThrow('"10GB" is not a size such as "512KiB" or "20GiB"');
  expect(() => nanoseconds("1w" as "1d")).toThrow('"1w" is not a duration');
});

test("what never ends is said so", () => expect(formatDuration(Number.POSITIVE_INFINITY)).toBe("for ever"));
