import { expect, test } from "vitest";
import { defineBucket } from "../../../src/model/bucket.ts";
import { accessOf, diffAccess, whoCan } from "../../../src/nats/access.ts";
import { modelWith, orders, realModel } from "../../support/definitions.ts";

const production = realModel("production");
const names = (...args: Parameters<typeof whoCan>) => whoCan(...args).map(({ name, why }) => `${name}: ${why}`);

test("who can publish order events in production", () => {
  expect(whoCan("publish", "circl.oms.order.created", production)).toEqual([
    {
      name: "oms",
      kind: "service",
      subject: "circl.oms.order.>",
      why: "publishes to circl_oms (streams/oms.ts)",
      extent: "all",
    },
    {
      name: "stream-sync",
      kind: "tool",
      subject: "$JS.API.STREAM.UPDATE.*",
      why: "may have any stream republish there",
      extent: "all",
    },
  ]);
});

test("whoever may make consumers has them deliver where it says, but to no inbox of another and as no server", () => {
  const bucket = defineBucket({ bucket: "flags", maxBytes: "1MiB", readers: ["oms"] });
  const model = modelWith({ streams: [orders, bucket] });
  expect(names("publish", "orders.created", model)).toContain("oms: may make consumers, which deliver where it says");
  expect(names("publish", "orders.created", model)).toContain("stream-sync: may have any stream republish there");
  for (const subject of ["_INBOX_dms.answer", "$JS.API.STREAM.DELETE.other", "$SYS.REQ.SERVER.PING.RELOAD"]) {
    expect(names("publish", subject, model).filter((way) => /republish|deliver where/.test(way))).toEqual([]);
  }
});

test("who reads single messages is found by either way to ask for one", () => {
  expect(names("subscribe", "circl.audit.refused.x", production)).toEqual(
    expect.arrayContaining(
      ["monitor", "operator-read", "operator-streams"].map(
        (name) => `${name}: reads single messages of circl_audit_refused`,
      ),
    ),
  );
});

test("who gets a message: by a consumer, by making one, and by hearing it", () => {
  expect(names("subscribe", "circl.oms.order.created", production)).toEqual([
    "bff: durable bff-orders on circl_oms (streams/oms.ts)",
    "dms: durable dms-orders on circl_oms (streams/oms.ts)",
    "stream-sync: may make consumers of circl_oms",
  ]);
  // Copies count: the location stream has no subjects of its own.
  expect(names("subscribe", "circl.iot.location.updated", production)).toContain(
    "geo: durable geo-location on circl_iot_location (streams/iot.ts)",
  );
  expect(names("subscribe", "circl.dlq.oms.order.created", production)).toEqual([
    "operator-read: reads single messages of circl_dlq",
    "operator-streams: reads single messages of circl_dlq",
    "stream-sync: may make consumers of circl_dlq",
  ]);
  expect(names("subscribe", "_INBOX_oms.answer", production)).toEqual(["oms: answers to its own requests"]);
});

test("readers of a bucket are found, and what the server says itself", () => {
  const bucket = defineBucket({ bucket: "flags", maxBytes: "1MiB", readers: ["oms"] });
  expect(names("subscribe", "$KV.flags.dark", modelWith({ streams: [bucket] }))).toContain(
    "oms: may make consumers of KV_flags",
  );
  expect(names("publish", "circl.audit.connect.CIRCL", production)).toEqual([
    "stream-sync: may have any stream republish there",
    "nats-server: says so itself (streams/audit.ts)",
  ]);
  expect(names("publish", "$SYS.nothing", production)).toEqual([]);
});

test("a wildcard finds whoever may a part of it", () => {
  const ways = whoCan("publish", "circl.oms.>", production);
  expect(ways.map(({ name, subject, extent }) => [name, subject, extent])).toEqual([
    ["bff", "circl.oms.command.>", "some"],
    ["dms", "circl.oms.delivery.>", "some"],
    ["oms", "circl.oms.order.>", "some"],
    ["stream-sync", "$JS.API.STREAM.UPDATE.*", "all"],
  ]);
});

test("a change is told as what is granted, taken, joined, left and altered, and nothing else", () => {
  const before = modelWith({
    environment: { nats: { people: { anna: "operator-read" }, clients: { passwords: ["oms"] } } },
  });
  const after = modelWith({
    environment: { nats: { people: { bert: "operator-system" } } },
    streams: [
      { ...orders, publishers: [{ service: "dms", subject: "orders.created", data: { sensitivity: "internal" } }] },
    ],
  });
  const changes = diffAccess(accessOf(before), accessOf(after));
  const of = (name: string) =>
    changes.filter(({ identity }) => identity === name).map(({ change, what }) => `${change} ${what}`);
  expect(of("anna")).toContain("left person in anna, nkey");
  expect(of("anna")).toContain("taken subscribe _INBOX_anna.>");
  expect(of("bert")[0]).toBe("joined person in SYS, nkey");
  expect(of("oms")).toEqual(["altered credential password -> nkey", "taken publish orders.created"]);
  expect(of("dms")).toEqual(["granted publish orders.created"]);
  expect(of("geo")).toEqual([]);
  expect(diffAccess(accessOf(after), accessOf(after))).toEqual([]);
});

test("a stream that moves to another file changes a reason and no right", () => {
  const elsewhere = accessOf(production).identities.map((entry) => ({
    ...entry,
    publish: entry.publish.map(({ subject }) => ({ subject, why: ["elsewhere"] })),
  }));
  expect(diffAccess({ ...accessOf(production), identities: elsewhere }, accessOf(production))).toEqual([]);
});
