import { expect, test } from "vitest";
import { realModel } from "../support/definitions.ts";
import { groupsOf } from "../support/promtool.ts";
import { inTimeLapse, shortened, shortenedIn } from "../support/time-lapse.ts";

test("a day becomes 48 minutes and half a minute a second", () => {
  expect(["30s", "10m", "26h", "1d"].map(shortened)).toEqual(["1000ms", "20000ms", "3120000ms", "2880000ms"]);
  expect(() => shortened("1h30m")).toThrow('"1h30m" is no duration such as "10m"');
});

test("of an expression only ranges and offsets shrink", () => {
  expect(shortenedIn('rate(a_30s{b="10m"}[10m] offset 1h) / 1e9 > 60 and c - c offset 2m == 0')).toBe(
    'rate(a_30s{b="10m"}[20000ms] offset 120000ms) / 1e9 > 60 and c - c offset 4000ms == 0',
  );
});

const SECONDS = { m: 60, h: 3_600, d: 86_400 };

test("of the real rules nothing else changes", () => {
  const groups = groupsOf(realModel("production"));
  const undone = JSON.stringify(inTimeLapse(groups)).replace(
    /\b(\d+)ms\b/g,
    (_, ms) => `${(Number(ms) * 30) / 1_000}s`,
  );
  const inSeconds = JSON.stringify(groups).replace(
    /("for":"|"interval":"|\[|offset )(\d+)([mhd])\b/g,
    (_, before, amount, unit) => `${before}${Number(amount) * SECONDS[unit as keyof typeof SECONDS]}s`,
  );
  expect(undone).toBe(inSeconds);
});
