import { expect, test } from "vitest";
import { isHopeless, isReady } from "../../../src/deploy/pods.ts";
import { whyNotDone } from "../../../src/deploy/readiness.ts";

const object = (status: object, generation = 2) => ({
  apiVersion: "x/v1",
  kind: "Certificate",
  metadata: { name: "x", generation },
  status,
});
const ready = { type: "Ready", status: "True", message: "" };

test.each([
  [object({}), "its operator has said nothing: does it run, and does it watch this namespace?"],
  [object({ conditions: [{ ...ready, status: "False", message: "no such secret" }] }), "no such secret"],
  [object({ conditions: [{ ...ready, observedGeneration: 1 }] }), "its last change is not taken up yet"],
  [object({ conditions: [ready], syncedResourceVersion: "1-abc" }), "its last change is not taken up yet"],
  [undefined, "it is gone"],
])("an operator is not done with %j", (found, why) => {
  expect(whyNotDone(found)).toBe(why);
});

test.each([
  object({ conditions: [{ ...ready, observedGeneration: 2 }] }),
  object({ conditions: [ready], syncedResourceVersion: "2-abc" }),
  object({ conditions: [ready] }),
])("an operator is done with %j", (found) => {
  expect(whyNotDone(found)).toBeUndefined();
});

const pod = (status: object, metadata: object = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "nats-0", ...metadata },
  status,
});
const since = { conditions: [{ type: "Ready", status: "True", lastTransitionTime: "2026-11-22T09:00:00Z" }] };

test("a pod counts as ready once it has been so for long enough, and not while it ends", () => {
  const now = Date.parse("2026-11-22T09:00:20Z");
  expect([isReady(pod(since), 20, now), isReady(pod(since), 30, now)]).toEqual([true, false]);
  expect(isReady(pod(since, { deletionTimestamp: "2026-11-22T09:00:10Z" }), 0, now)).toBe(false);
  expect(isReady(pod({}), 0, now)).toBe(false);
});

test("a pod that crashes again and again is given up before the time is over", () => {
  const crashing = (restartCount: number) =>
    pod({ containerStatuses: [{ name: "nats", restartCount, state: { waiting: { reason: "CrashLoopBackOff" } } }] });
  expect([isHopeless(crashing(4)), isHopeless(crashing(5))]).toEqual([false, true]);
});
