import { expect, test } from "vitest";
import { hasOwnAccount, identities } from "../../../src/model/identity.ts";
import type { Model } from "../../../src/model/resolve.ts";
import { accountSettings } from "../../../src/nats/auth-accounts.ts";
import { crossingsOf, exportsOf, importsOf } from "../../../src/nats/auth-crossings.ts";
import { modelWith, orders, realModel, stores } from "../../support/definitions.ts";

const production = realModel("production");
const who = (name: string, model: Model = production) => {
  const identity = identities(model).find((candidate) => candidate.name === name);
  if (!identity) throw new Error(`no identity ${name}`);
  return identity;
};
const internal = { sensitivity: "internal" } as const;

test("a service imports what it may, request by request, and nothing of another", () => {
  expect(crossingsOf(who("geo"), production)).toEqual({
    services: [
      "$JS.ACK.*.*.circl_iot_location.geo-location.>",
      "$JS.ACK.circl_iot_location.geo-location.>",
      "$JS.API.CONSUMER.INFO.circl_iot_location.geo-location",
      "$JS.API.CONSUMER.MSG.NEXT.circl_iot_location.geo-location",
      "$JS.API.INFO",
      "circl.dlq.iot.>",
    ],
    streams: [],
  });
  expect(importsOf(who("geo"), production)).toContainEqual({
    service: { account: "CIRCL", subject: "$JS.API.CONSUMER.INFO.circl_iot_location.geo-location" },
    share: true,
  });
  expect(importsOf(who("geo"), production)).toContainEqual({
    service: { account: "CIRCL", subject: "circl.dlq.iot.>" },
  });
});

test("nobody but stream-sync is where the streams are, and no service is handed what removes anything", () => {
  const { CIRCL, SYS, ...others } = accountSettings(production);
  expect(Object.keys(others).sort()).toEqual(
    identities(production)
      .map(({ name }) => name)
      .filter((name) => name !== "stream-sync" && name !== "operator-system"),
  );
  const handed = exportsOf(
    [...identities(production)].filter(({ kind }) => kind === "service"),
    production,
  );
  expect(
    handed.map(({ service }) => service).filter((subject) => /DELETE|PURGE|CREATE|UPDATE/.test(String(subject))),
  ).toEqual([]);
  expect(CIRCL).toHaveProperty("jetstream");
  for (const account of [SYS, ...Object.values(others)]) expect(account).not.toHaveProperty("jetstream");
  for (const account of Object.values(others))
    expect(account).toMatchObject({ limits: { max_subscriptions: 1_000, max_leafnodes: 0 } });
  const most = [CIRCL, others.oms, others.monitor, others["operator-read"]].map((account) => account?.limits);
  expect(most).toMatchObject([100, 2_500, 100, 100].map((max_connections) => ({ max_connections })));
});

test("a subject is exported once, to those alone who import it", () => {
  const exported = exportsOf(identities(production).filter(hasOwnAccount), production);
  expect(exported).toContainEqual({ service: "circl.dlq.iot.>", accounts: ["bff", "dms", "geo", "iot"] });
  const subjects = exported.map(({ service, stream }) => service ?? stream);
  expect(new Set(subjects).size).toBe(subjects.length);
});

test("what one subject covers is not imported again: the message would come twice", () => {
  const model = modelWith({
    streams: [
      {
        ...orders,
        publishers: [
          { service: "oms", subject: "orders.>", data: internal },
          { service: "oms", subject: "orders.created", data: internal },
        ],
      },
    ],
  });
  expect(crossingsOf(who("oms", model), model).services).toEqual(["$JS.API.INFO", "orders.>"]);
});

test("fetches and batches are answered more than once, for as long as the consumer lets a fetch wait", () => {
  const exported = (maxExpires: "30s" | "10m") => {
    const consumers = [{ name: "all", service: "geo", ackPolicy: "none", maxExpires }] as const;
    const model = modelWith({ streams: [{ ...orders, consumers }] });
    return exportsOf([who("geo", model)], model).find(({ service }) => String(service).includes("MSG.NEXT"));
  };
  expect(exported("30s")).toMatchObject({ response_type: "stream" });
  expect(exported("30s")).not.toHaveProperty("response_threshold");
  expect(exported("10m")).toMatchObject({ response_type: "stream", response_threshold: "600s" });
  const monitors = exportsOf([who("monitor")], production).filter(({ response_type }) => response_type === "stream");
  expect(monitors.map(({ service }) => service)).toEqual([
    "$JS.API.DIRECT.GET.circl_audit",
    "$JS.API.DIRECT.GET.circl_audit_logins",
    "$JS.API.DIRECT.GET.circl_audit_refused",
  ]);
});

test("what is pushed comes from the account with the streams, and to inboxes only for who watches buckets", () => {
  const consumers = [{ name: "push", service: "geo", ackPolicy: "none", deliverSubject: "push.geo" }] as const;
  const model = modelWith({ streams: [{ ...orders, consumers }, ...stores] });
  expect(crossingsOf(who("oms", model), model).streams).toEqual(["_INBOX_oms.>"]);
  expect(crossingsOf(who("dms", model), model).streams).toEqual([]);
  expect(crossingsOf(who("geo", model), model).streams).toEqual(["_INBOX_geo.>", "push.geo"]);
});
