import { expect, test } from "vitest";
import { adopts } from "../../../src/jetstream/adoption.ts";
import type { Change, FieldChange } from "../../../src/jetstream/diff.ts";

const update = (...fields: readonly FieldChange[]) =>
  ({ kind: "stream", name: "orders", stream: "orders", action: "update", config: {}, fields }) as unknown as Change;
const metadata = (from: unknown, to: unknown): FieldChange => ({ field: "metadata", from, to });
const mark = { "circl.dev/environment": "local", "circl.dev/sensitivity": "internal" };

test.each<[string, Change]>([
  ["that has no metadata", update(metadata({}, mark))],
  ["that has metadata of its own, and keeps it", update(metadata({ team: "iot" }, { team: "iot", ...mark }))],
])("an asset %s is adopted", (_, change) => {
  expect(adopts(change)).toBe(true);
});

test.each<[string, Change]>([
  ["that is marked by another environment", update(metadata({ "circl.dev/environment": "staging" }, mark))],
  ["whose own metadata changes", update(metadata({ team: "iot" }, mark))],
  ["of which more changes", update(metadata({}, mark), { field: "max_age", from: 1, to: 2 })],
  ["of which something else changes", update({ field: "max_age", from: 1, to: 2 })],
  ["that is not there yet", { ...update(), action: "create" } as Change],
])("an asset %s is not", (_, change) => {
  expect(adopts(change)).toBe(false);
});
