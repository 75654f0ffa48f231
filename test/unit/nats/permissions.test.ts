import { expect, test } from "vitest";
import { identities } from "../../../src/model/identity.ts";
import { collide } from "../../../src/model/subject.ts";
import { permissionsOf } from "../../../src/nats/permissions.ts";
import { checkModel } from "../../../src/rules/index.ts";
import { modelWith, orders, realModel, stores } from "../../support/definitions.ts";

const production = realModel("production");
const of = (name: string, model = production) => {
  const identity = identities(model).find((candidate) => candidate.name === name);
  if (!identity) throw new Error(`no identity ${name}`);
  return permissionsOf(identity, model);
};
const subjects = (grants: readonly { subject: string }[]) => grants.map(({ subject }) => subject);

test("a service may what its streams say of it, each with its reason, and nothing else", () => {
  const durable = (name: string) => [`durable ${name} on circl_oms (streams/oms.ts)`];
  expect(of("oms")).toEqual({
    publish: [
      { subject: "$JS.ACK.*.*.circl_oms.oms-commands.>", why: durable("oms-commands") },
      { subject: "$JS.ACK.*.*.circl_oms.oms-delivery.>", why: durable("oms-delivery") },
      { subject: "$JS.ACK.circl_oms.oms-commands.>", why: durable("oms-commands") },
      { subject: "$JS.ACK.circl_oms.oms-delivery.>", why: durable("oms-delivery") },
      { subject: "$JS.API.CONSUMER.INFO.circl_oms.oms-commands", why: durable("oms-commands") },
      { subject: "$JS.API.CONSUMER.INFO.circl_oms.oms-delivery", why: durable("oms-delivery") },
      { subject: "$JS.API.CONSUMER.MSG.NEXT.circl_oms.oms-commands", why: durable("oms-commands") },
      { subject: "$JS.API.CONSUMER.MSG.NEXT.circl_oms.oms-delivery", why: durable("oms-delivery") },
      { subject: "circl.dlq.oms.>", why: ["dead letters of circl_oms (streams/dead-letters.ts)"] },
      { subject: "circl.oms.order.>", why: ["publishes to circl_oms (streams/oms.ts)"] },
    ],
    subscribe: [{ subject: "_INBOX_oms.>", why: ["answers to its own requests"] }],
  });
});

test("one subject for two reasons is granted once", () => {
  expect(of("bff").publish.find(({ subject }) => subject === "circl.dlq.iot.>")?.why).toEqual([
    "dead letters of circl_iot (streams/dead-letters.ts)",
    "dead letters of circl_iot_location (streams/dead-letters.ts)",
  ]);
});

test("nobody has everything, not even in SYS", () => {
  for (const identity of identities(production)) {
    const { publish, subscribe } = permissionsOf(identity, production);
    for (const subject of subjects([...publish, ...subscribe])) {
      expect(subject).toMatch(/^(circl|_INBOX_[a-z-]+|\$JS|\$SYS)\./);
      expect(subject).not.toMatch(/^\$(JS|SYS)\.(>|\*|API\.(>|\*)|REQ\.(>|\*))/);
    }
  }
});

test("only what is said to publish order events may", () => {
  const may = identities(production).filter((identity) =>
    permissionsOf(identity, production).publish.some(({ subject }) => collide(subject, "circl.oms.order.created")),
  );
  expect(may.map(({ name }) => name)).toEqual(["oms"]);
});

// What is granted, not what can be reached: test/live/clients.test.ts shows how an empty answer of the server purges.
test("no service is granted a purge or a delete by subject, and none but the planner's kin lists streams", () => {
  const may = (subject: string) =>
    identities(production)
      .filter((identity) =>
        permissionsOf(identity, production).publish.some((grant) => collide(grant.subject, subject)),
      )
      .map(({ name }) => name);
  expect(may("$JS.API.STREAM.PURGE.circl_oms")).toEqual([]);
  expect(may("$JS.API.STREAM.MSG.DELETE.circl_oms")).toEqual([]);
  expect(may("$JS.API.STREAM.DELETE.circl_oms")).toEqual(["stream-sync"]);
  expect(may("$JS.API.STREAM.MSG.GET.circl_oms")).toEqual([]);
  expect(may("$JS.API.STREAM.PURGE.circl_dlq")).toEqual(["operator-streams"]);
  expect(may("$JS.API.STREAM.NAMES")).toEqual([
    "monitor",
    "operator-read",
    "operator-streams",
    "stream-plan",
    "stream-sync",
  ]);
  expect(may("$SYS.REQ.SERVER.PING.RELOAD")).toEqual([]);
});

test("a consumer that acknowledges nothing needs no right to", () => {
  const consumers = [{ name: "watch", service: "geo", ackPolicy: "none" }] as const;
  const model = modelWith({ streams: [{ ...orders, consumers }] });
  expect(subjects(of("geo", model).publish)).toEqual([
    "$JS.API.CONSUMER.INFO.orders.watch",
    "$JS.API.CONSUMER.MSG.NEXT.orders.watch",
  ]);
});

test("a pushed consumer is heard instead of asked, and answers flow control where there is any", () => {
  const consumers = [
    {
      name: "push",
      service: "geo",
      ackPolicy: "none",
      deliverSubject: "push.geo",
      flowControl: true,
      idleHeartbeat: "5s",
    },
  ] as const;
  const { publish, subscribe } = of("geo", modelWith({ streams: [{ ...orders, consumers }] }));
  expect(subjects(publish)).toEqual([
    "$JS.API.CONSUMER.INFO.orders.push",
    "$JS.FC.*.*.orders.push.>",
    "$JS.FC.orders.push.>",
  ]);
  expect(subjects(subscribe)).toEqual(["_INBOX_geo.>", "push.geo"]);
});

test("a bucket is read by its publishers and its readers, and written by its publishers alone", () => {
  const model = modelWith({ streams: stores });
  expect(checkModel(model).filter(({ severity }) => severity === "error")).toEqual([]);
  const reads = subjects(of("oms", model).publish);
  expect(reads).toContain("$JS.API.DIRECT.GET.KV_flags.>");
  expect(reads.filter((subject) => subject.startsWith("$KV"))).toEqual([]);
  expect(subjects(of("bff", model).publish)).toEqual([...reads, "$KV.flags.>"].sort());
  expect(subjects(of("geo", model).publish)).toContain("$JS.API.STREAM.PURGE.OBJ_maps");
  expect(subjects(of("iot", model).publish)).toEqual([]);
});

test("with shared inboxes everybody hears the same prefix", () => {
  const model = modelWith({ environment: { nats: { clients: { inboxes: "shared" } } } });
  expect(subjects(of("oms", model).subscribe)).toEqual(["_INBOX.>"]);
});
