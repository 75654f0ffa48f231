import { expect, test } from "vitest";
import { compare, pairsOf } from "../../../src/deploy/comparison.ts";
import { reasonsAgainst, type WayBackInput } from "../../../src/deploy/way-back.ts";
import { objectNamed, replacing } from "./objects.ts";

const nats = objectNamed("StatefulSet", "nats");
const input = (part: Partial<WayBackInput>): WayBackInput => ({
  changes: [],
  running: "2.14.9-alpine",
  declared: [nats],
  streamsChanged: [],
  unasked: true,
  ...part,
});

test("nothing stands against what can be undone", () => {
  const changed = replacing(nats, '"cpu":"2"', '"cpu":"3"');
  expect(reasonsAgainst(input({ changes: compare(pairsOf([changed], [nats]), []) }))).toEqual([]);
  expect(reasonsAgainst(input({ running: "2.14.8-alpine" }))).toEqual([]);
});

test("volumes that have grown do not shrink", () => {
  const grown = replacing(nats, '"storage":"50Gi"', '"storage":"60Gi"');
  expect(reasonsAgainst(input({ changes: compare(pairsOf([grown], [nats]), []) }))).toEqual([
    "StatefulSet nats: claim data 60Gi -> 50Gi: a volume cannot shrink. Take the change back. A smaller volume is a new one: servers with empty volumes fetch everything from the others.",
  ]);
});

test("no deploy goes back over a minor line by itself; a person may", () => {
  expect(reasonsAgainst(input({ running: "2.15.1-alpine" }))).toEqual([
    expect.stringMatching(
      /^NATS would go from 2\.15\.1-alpine back to 2\.14\.9-alpine: .* run circl rollback by hand\.$/,
    ),
  ]);
  expect(reasonsAgainst(input({ running: "2.15.1-alpine", unasked: false }))).toEqual([]);
});

test("streams that lost messages stay without them", () => {
  expect(reasonsAgainst(input({ streamsChanged: ["circl_dlq"] }))).toEqual([
    "stream circl_dlq was changed for good by this run: the manifests of before do not bring back its messages.",
  ]);
});

test("fields that somebody has taken meanwhile are theirs", () => {
  const conflicts = [{ field: "spec.replicas", owner: "hpa" }];
  const changes = compare([{ declared: nats, before: nats, after: nats, conflicts }], []);
  expect(reasonsAgainst(input({ changes }))).toEqual([
    "StatefulSet nats: spec.replicas belongs to hpa now. Settle that first.",
  ]);
});
