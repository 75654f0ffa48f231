import { expect, test } from "vitest";
import { collectedAbove, maxMemory, processors } from "../../../src/tile38/memory.ts";
import { GiB, MiB } from "../../../src/units.ts";

test("garbage is collected before writes are refused, and writes are refused before the kernel kills", () => {
  for (const memory of [256 * MiB, GiB, 2 * GiB, 30 * GiB]) {
    const member = { cpu: "1", memory };
    expect(collectedAbove(member)).toBeLessThan(maxMemory(member));
    expect(maxMemory(member)).toBeLessThanOrEqual(0.7 * memory);
  }
  expect(collectedAbove({ cpu: "1", memory: 2 * GiB })).toBe(1331 * MiB);
});

test.each([
  ["100m", 2],
  ["500m", 2],
  ["1", 2],
  ["2", 2],
  ["2500m", 3],
  ["3.5", 4],
  ["16", 16],
])("a request of %s gives %i processors", (cpu, expected) => {
  expect(processors({ cpu, memory: GiB })).toBe(expected);
});
