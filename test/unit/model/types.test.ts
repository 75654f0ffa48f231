/** What must not compile: each line below is an error of the type checker, and `npm run types` fails if one is none. */
import { expect, test } from "vitest";
import type { EnvironmentInput } from "../../../src/model/environment.ts";
import { defineConsumer, defineStream } from "../../../src/model/stream.ts";

const misspelt = [
  // @ts-expect-error a key that does not exist
  { nats: { memry: "1GiB" } } satisfies EnvironmentInput,
  // @ts-expect-error a unit that is none
  { nats: { memory: "1GB" } } satisfies EnvironmentInput,
  // @ts-expect-error a store that does not exist
  { secrets: { store: "vault" } } satisfies EnvironmentInput,
  // @ts-expect-error a number for a duration
  defineStream({ name: "orders", maxAge: 7 }),
  // @ts-expect-error a field of the server in the wrong spelling
  defineStream({ name: "orders", max_age: "7d" }),
  // @ts-expect-error a figure that does not exist, for one environment
  defineStream({ name: "orders", in: { staging: { replica: 1 } } }),
  // @ts-expect-error a publisher that does not say what its data is
  defineStream({ name: "orders", publishers: [{ service: "oms", subject: "orders.>" }] }),
  // @ts-expect-error a server to prefer, which every version since 2.11 refuses
  defineStream({ name: "orders", placement: { preferred: "nats-0" } }),
  // @ts-expect-error a field that 2.14 no longer knows
  defineStream({ name: "orders", templateOwner: "oms" }),
  // @ts-expect-error a retention that does not exist
  defineStream({ name: "orders", retention: "queue" }),
  // @ts-expect-error an acknowledgement that does not exist
  defineConsumer({ name: "oms-orders", service: "oms", ackPolicy: "some" }),
  // @ts-expect-error a consumer without a service
  defineConsumer({ name: "oms-orders" }),
];

test("what does not compile is nevertheless passed on, for the schemas to report", () =>
  expect(misspelt).toHaveLength(12));

test("defineConsumer fills in three deliveries and 30 s, and no server backoff", () => {
  expect(defineConsumer({ name: "oms-orders", service: "oms" })).toEqual({
    name: "oms-orders",
    service: "oms",
    ackPolicy: "explicit",
    ackWait: "30s",
    maxDeliver: 3,
  });
});
