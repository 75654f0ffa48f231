/** For every rule about identities and who may publish: a change that breaks it and the nearest one that does not. */
import { defineBucket } from "../../../src/model/bucket.ts";
import { orders } from "../../support/definitions.ts";
import type { Case } from "./environment-cases.ts";

const oms = { description: "orders" };
const internal = { sensitivity: "internal" } as const;
const shared = { nats: { clients: { inboxes: "shared" } } } as const;
const publishing = (subject: string, service = "oms") => ({
  ...orders,
  subjects: [subject],
  publishers: [{ service, subject, data: internal }],
});

export const identityCases: Readonly<Record<string, Case>> = {
  E050: {
    fires: { services: { oms, monitor: { description: "a service called like a tool" } } },
    says: "streams/services.ts: monitor is the name of a tool as well",
    quiet: { services: { oms, "oms-monitor": { description: "a service of its own" } } },
  },
  E051: {
    fires: { services: { oms, Order_System: { description: "orders" } } },
    says: 'streams/services.ts: Order_System "Order_System" has other characters or is too long',
    quiet: { services: { oms, "order-system": { description: "orders" } } },
  },
  E052: {
    fires: { environment: { nats: { clients: { passwords: ["omss"] } } } },
    says: 'environments/production.ts: nats.clients.passwords[0] "omss" is no identity',
    quiet: { environment: { nats: { clients: { passwords: ["oms"] } } } },
  },
  E053: {
    fires: {
      environment: shared,
      streams: [
        orders,
        defineBucket({ bucket: "flags", maxBytes: "1MiB", readers: ["oms", "bff"] }),
        defineBucket({ bucket: "zones", maxBytes: "1MiB", readers: ["geo"] }),
      ],
    },
    says: 'environments/production.ts: nats.clients.inboxes is "shared", and KV_flags is watched by oms, bff; KV_zones is watched by geo',
    quiet: { environment: shared, streams: [orders, defineBucket({ bucket: "flags", maxBytes: "1MiB" })] },
  },
  S070: {
    fires: { streams: [{ ...orders, subjects: ["orders.>", "returns.>"] }] },
    says: 'streams/test.ts: orders.subjects[1] "returns.>" has no publisher',
    quiet: { streams: [{ ...orders, subjects: ["orders.>"] }] },
  },
  S071: {
    fires: {
      streams: [{ ...orders, consumers: [{ name: "gone", service: "bff", filterSubject: "orders.cancelled" }] }],
    },
    says: 'streams/test.ts: orders.consumers[0] gone filters for "orders.cancelled", which nobody may publish',
    quiet: { streams: [{ ...orders, consumers: [{ name: "new", service: "bff", filterSubject: "orders.created" }] }] },
  },
  S072: {
    fires: { streams: [publishing("circl.audit.connect.>")] },
    says: 'streams/test.ts: orders.publishers[0].subject lets oms publish to "circl.audit.connect.>", which reaches into circl.audit.>',
    quiet: { streams: [publishing("circl.audit.connect.>", "nats-server")] },
  },
  S073: {
    fires: { streams: [{ ...orders, readers: ["bff"] }] },
    says: "streams/test.ts: orders.readers names bff",
    quiet: { streams: [defineBucket({ bucket: "flags", maxBytes: "1MiB", readers: ["bff"] })] },
  },
  S074: {
    fires: {
      streams: [
        {
          ...orders,
          publishers: [
            { service: "oms", subject: "orders.*.created", data: internal },
            { service: "oms", subject: "orders.berlin.>", data: internal },
          ],
        },
      ],
    },
    says: 'streams/test.ts: orders.publishers[1].subject "orders.berlin.>" of oms overlaps in part with its "orders.*.created" (orders)',
    quiet: {
      streams: [
        {
          ...orders,
          publishers: [
            { service: "oms", subject: "orders.>", data: internal },
            { service: "oms", subject: "orders.berlin.>", data: internal },
            { service: "dms", subject: "orders.*.created", data: internal },
          ],
        },
      ],
    },
  },
};
