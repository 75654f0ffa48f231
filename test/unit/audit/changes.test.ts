import { expect, test } from "vitest";
import { readApiAudit, readRefusal } from "../../../src/audit/advisory.ts";
import { changeOf, type Known } from "../../../src/audit/changes.ts";
import { failedLogins } from "../../../src/audit/refusals.ts";

/** A report as a server words it. */
const report = (subject: string, response: unknown, extra: object = {}) => {
  const read = readApiAudit(
    JSON.stringify({
      type: "io.nats.jetstream.advisory.v1.api_audit",
      timestamp: "2026-11-22T04:46:01.5Z",
      server: "circl-production-nats-1",
      client: { host: "10.0.0.7", acc: "CIRCL", user: "alice", name: "laptop" },
      subject: `$JS.API.${subject}`,
      response: JSON.stringify(response),
      ...extra,
    }),
  );
  if (!read) throw new Error("not read");
  return read;
};
const created = (config: object) => ({ config: { name: "orders", ...config } });

test("an update says what differs from the last configuration, without the server's own notes", () => {
  const known: Known = new Map();
  const first = { max_age: 1, metadata: { "_nats.ver": "2.14.9", team: "oms" } };
  expect(changeOf(report("STREAM.CREATE.orders", created(first)), known)).not.toHaveProperty("fields");
  const second = { max_age: 2, metadata: { "_nats.ver": "2.15.2", team: "oms" } };
  expect(changeOf(report("STREAM.UPDATE.orders", created(second)), known)).toMatchObject({
    action: "update",
    who: { user: "alice", account: "CIRCL", host: "10.0.0.7", client: "laptop" },
    fields: [{ field: "max_age", from: 1, to: 2 }],
  });
});

test("what is created as it was already is no change, and what was deleted is new again", () => {
  const known: Known = new Map();
  expect(changeOf(report("STREAM.CREATE.orders", created({})), known)).toMatchObject({ action: "create" });
  expect(changeOf(report("STREAM.CREATE.orders", created({})), known)).toBeUndefined();
  expect(changeOf(report("STREAM.DELETE.orders", { success: true }), known)).toMatchObject({ action: "delete" });
  expect(changeOf(report("STREAM.CREATE.orders", created({})), known)).toMatchObject({ action: "create" });
});

test("a stream takes its consumers along: one that is created again as it was is new", () => {
  const known: Known = new Map();
  const consumer = (stream: string) =>
    report(`CONSUMER.CREATE.${stream}.bff`, { stream_name: stream, name: "bff", config: { durable_name: "bff" } });
  for (const stream of ["orders", "orders_2"]) {
    expect(changeOf(consumer(stream), known)).toMatchObject({ action: "create" });
  }
  changeOf(report("STREAM.DELETE.orders", { success: true }), known);
  changeOf(report("STREAM.CREATE.orders", created({})), known);
  expect(changeOf(consumer("orders"), known)).toMatchObject({ action: "create", name: "orders/bff" });
  expect(changeOf(consumer("orders_2"), known)).toBeUndefined();
});

test("a consumer that is created over itself was updated", () => {
  const known: Known = new Map();
  const reply = (ack_wait: number) => ({
    stream_name: "orders",
    name: "bff",
    config: { durable_name: "bff", ack_wait },
  });
  expect(changeOf(report("CONSUMER.CREATE.orders.bff", reply(1)), known)).toMatchObject({ action: "create" });
  expect(changeOf(report("CONSUMER.CREATE.orders", reply(2)), known)).toMatchObject({
    action: "update",
    name: "orders/bff",
    fields: [{ field: "ack_wait", from: 1, to: 2 }],
  });
});

test("consumers that live as long as their client are left out", () => {
  const reply = { stream_name: "orders", name: "x1", config: { name: "x1" } };
  expect(changeOf(report("CONSUMER.CREATE.orders.x1", reply), new Map())).toBeUndefined();
});

test("a refused change says why and is remembered as nothing", () => {
  const known: Known = new Map();
  const refused = { error: { code: 400, err_code: 10065, description: "subjects overlap with an existing stream" } };
  expect(changeOf(report("STREAM.CREATE.orders", refused), known)).toMatchObject({
    refused: "subjects overlap with an existing stream (10065)",
  });
  expect(known.size).toBe(0);
});

test("a purge says how many went; an answer that cannot be read takes nothing away", () => {
  expect(changeOf(report("STREAM.PURGE.orders", { success: true, purged: 7 }), new Map())).toMatchObject({ purged: 7 });
  expect(changeOf(report("STREAM.PURGE.orders", {}, { response: "{" }), new Map())).toMatchObject({ action: "purge" });
});

test("a request of the system account names nobody", () => {
  const { who } = changeOf(report("META.LEADER.STEPDOWN", { success: true }, { client: {} }), new Map()) ?? {};
  expect(who).toEqual({ user: "", account: "", host: "", client: "" });
});

test("other reports are neither", () => {
  expect(readApiAudit('{"type":"io.nats.jetstream.advisory.v1.stream_action"}')).toBeUndefined();
  expect(readApiAudit("no JSON")).toBeUndefined();
  expect(readRefusal('{"type":"io.nats.server.advisory.v1.client_connect"}')).toBeUndefined();
});

test("attempts to log in are counted by user and host, the latest last", () => {
  const refusal = (user: string, second: number, server: string) => {
    const read = readRefusal(
      JSON.stringify({
        type: "io.nats.server.advisory.v1.client_disconnect",
        timestamp: `2026-11-22T04:46:0${second}Z`,
        server: { name: server },
        client: { host: "10.0.0.7", acc: "$G", user },
        reason: "Authentication Failure",
      }),
    );
    if (!read) throw new Error("not read");
    return read;
  };
  const refusals = [refusal("alice", 1, "b"), refusal("bob", 2, "b"), refusal("alice", 3, "a")];
  expect(failedLogins(refusals)).toMatchObject([
    { who: { user: "bob", account: "" }, attempts: 1 },
    {
      who: { user: "alice" },
      attempts: 2,
      first: "2026-11-22T04:46:01Z",
      last: "2026-11-22T04:46:03Z",
      servers: ["a", "b"],
    },
  ]);
});
