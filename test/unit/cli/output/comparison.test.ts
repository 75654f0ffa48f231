import { expect, test } from "vitest";
import { summaryOf } from "../../../../src/cli/output/comparison.ts";
import type { ObjectChange } from "../../../../src/deploy/comparison.ts";

const change = (action: ObjectChange["action"], impacts: ObjectChange["impacts"] = []): ObjectChange => ({
  ...{ action, title: "Service nats", kind: "Service", name: "nats", namespace: "ns" },
  ...{ fields: [], impacts, conflicts: [] },
});
const restart = { consequence: "restart", says: "pods are replaced", hint: "" } as const;

test.each([
  [[], "No changes."],
  [[change("none"), change("superfluous")], "No changes. 1 unchanged, 1 only there."],
  [[change("create"), change("none")], "1 to create, 0 to change, 1 unchanged. No pod is replaced."],
  [[change("update", [restart])], "0 to create, 1 to change. Pods are replaced."],
])("what differs is counted in one line: %#", (changes, line) => {
  expect(summaryOf(changes)).toBe(line);
});
