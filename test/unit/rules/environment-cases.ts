/** For every rule about environments a change that breaks it and the nearest one that does not. */
import type { Change } from "../../support/definitions.ts";
import { orders } from "../../support/definitions.ts";

export interface Case {
  readonly fires: Change;
  readonly says: string;
  readonly quiet: Change;
}

const location = {
  ...orders,
  publishers: [
    { service: "iot", subject: "orders.location", rate: "5000/s", size: "300B", data: { sensitivity: "internal" } },
  ],
  consumers: [{ name: "geo", service: "geo", maxDeliver: 3 }],
} as const;

export const environmentCases: Readonly<Record<string, Case>> = {
  E010: {
    fires: { environment: { nats: { tls: false }, certificates: "none" } },
    says: "environments/production.ts: nats.tls is false",
    quiet: { environment: { nats: { tls: false }, certificates: "none", development: true } },
  },
  E011: {
    fires: { environment: { certificates: "none" } },
    says: 'environments/production.ts: certificates is "none" while nats.tls is true',
    quiet: { environment: { certificates: "none", nats: { tls: false }, development: true } },
  },
  E012: {
    fires: { environment: { secrets: { store: "kubectl" } } },
    says: 'environments/production.ts: secrets.store is "kubectl"',
    quiet: {},
  },
  E013: {
    fires: { environment: { nats: { servers: 4 } } },
    says: "environments/production.ts: nats.servers is 4",
    quiet: { environment: { nats: { servers: 5 } } },
  },
  E014: {
    fires: { environment: { kubernetes: { zones: 2 } } },
    says: "environments/production.ts: kubernetes.zones is 2 for 3 servers",
    quiet: { environment: { kubernetes: { zones: 2, zoneSpread: "preferred" } } },
  },
  E015: {
    fires: { environment: { streamFigures: "stagin" } },
    says: 'environments/production.ts: streamFigures is "stagin", which is no environment (staging, production, local)',
    quiet: { environment: { streamFigures: "staging" } },
  },
  E016: {
    fires: { environment: { nats: { encryption: "none" } } },
    says: 'environments/production.ts: nats.encryption is "none"',
    quiet: { environment: { nats: { encryption: "chacha" } } },
  },
  E017: {
    fires: {
      environment: { nats: { tls: false, clients: { certificates: true } }, certificates: "none", development: true },
    },
    says: "environments/production.ts: nats.clients.certificates is true while nats.tls is false",
    quiet: { environment: { nats: { clients: { certificates: true } } } },
  },
  E018: {
    fires: { environment: { nats: { clients: { passwords: ["oms"] }, people: { "oms-2": "operator-read" } } } },
    says: 'environments/production.ts: nats.clients.passwords has "oms", which rotates to "oms-2": that is an identity',
    quiet: { environment: { nats: { people: { "oms-2": "operator-read" } } } },
  },
  E020: {
    fires: { environment: { images: { tile38: { tag: "latest" } } } },
    says: 'environments/production.ts: images.tile38.tag is "latest"',
    quiet: { environment: { images: { tile38: { tag: "1.37.0" } } } },
  },
  E021: {
    fires: { environment: { images: { nats: { tag: "2.14.9-scratch" } } } },
    says: 'environments/production.ts: images.nats.tag is "2.14.9-scratch"',
    quiet: { environment: { images: { nats: { tag: "2.14.9-alpine3.22" } } } },
  },
  E022: {
    fires: { environment: { images: { nats: { tag: "2.11.17-alpine" } } } },
    says: 'environments/production.ts: images.nats.tag is "2.11.17-alpine"',
    quiet: { environment: { images: { nats: { tag: "2.12.15-alpine" } } } },
  },
  E023: {
    fires: {
      environment: { images: { nats: { tag: "2.12.15-alpine" } }, nats: { featureFlags: { js_ack_fc_v2: true } } },
    },
    says: 'environments/production.ts: images.nats.tag is "2.12.15-alpine", but nats.conf has feature_flags, which exists since 2.14',
    quiet: { environment: { images: { nats: { tag: "2.12.15-alpine" } }, nats: { serverMetadata: { rack: "1" } } } },
  },
  E024: {
    fires: { environment: { images: { tile38: { tag: "1.36.5" } } } },
    says: 'environments/production.ts: images.tile38.tag is "1.36.5"',
    quiet: { environment: { images: { tile38: { tag: "1.37.0" } } } },
  },
  E025: {
    fires: { environment: { kubernetes: { version: "1.27" } } },
    says: "environments/production.ts: kubernetes.version is 1.27",
    quiet: { environment: { kubernetes: { version: "1.28" } } },
  },
  E030: {
    fires: { environment: { nats: { lameDuck: { grace: "30s" } } } },
    says: "environments/production.ts: nats.lameDuck has grace 30s in a duration of 30s",
    quiet: { environment: { nats: { lameDuck: { grace: "29s" } } } },
  },
  E031: {
    fires: { environment: { nats: { lameDuck: { duration: "1h" } } } },
    says: "environments/production.ts: nats.lameDuck adds up to 1h",
    quiet: { environment: { nats: { lameDuck: { duration: "55m" } } } },
  },
  E032: {
    fires: { environment: { nats: { memory: "512MiB", maxConnections: 10_000 } } },
    says:
      "environments/production.ts: nats.memory leaves 409 MiB, but 504.5 MiB are spoken for: memory streams 64 MiB, " +
      "10000 connections 312.5 MiB, the server itself 128 MiB",
    quiet: { environment: { nats: { memory: "1GiB", maxConnections: 10_000 } } },
  },
  E033: {
    fires: { environment: { nats: { maxPayload: "16MiB" } } },
    says: "environments/production.ts: nats.maxPayload is 16 MiB",
    quiet: { environment: { nats: { maxPayload: "8MiB" } } },
  },
  E034: {
    fires: { environment: { nats: { accountStorage: "2GiB" } } },
    says: "environments/production.ts: nats.accountStorage is 2 GiB, but streams reserve 3 GiB, replicas counted",
    quiet: { environment: { nats: { accountStorage: "3GiB" } } },
  },
  E040: {
    fires: { environment: { tile38: { objects: 10_000_000 } } },
    says: "environments/base.ts: tile38.leader.memory is 2 GiB, but 10000000 objects take 4.4 GiB",
    quiet: { environment: { tile38: { objects: 4_000_000 } } },
  },
  E042: {
    fires: { environment: { tile38: { followers: { memory: "1GiB" } } } },
    says: "environments/production.ts: tile38.followers.memory is 1 GiB, the leader's is 2 GiB",
    quiet: { environment: { tile38: { followers: { memory: "1GiB" }, leader: { memory: "1GiB" } } } },
  },
  E043: {
    fires: { environment: { tile38: { shrink: { above: "128MiB" } } } },
    says: "environments/production.ts: tile38.shrink.above is 128 MiB, but 1000000 objects alone take 95.4 MiB",
    quiet: { environment: { tile38: { shrink: { above: "192MiB" } } } },
  },
  E041: {
    fires: { environment: { tile38: { leader: { volume: { size: "20GiB" } } } }, streams: [location] },
    says:
      "environments/production.ts: tile38.leader.volume.size is 20 GiB, but a day at 5000/s takes 25.7 GiB and a shrink from 2 GiB " +
      "as much again: 29.7 GiB",
    quiet: { environment: { tile38: { leader: { volume: { size: "30GiB" } } } }, streams: [location] },
  },
  E061: {
    fires: { environment: { monitoring: { runbooks: "https://git.example.com/your-team/backbone/docs/runbooks" } } },
    says: 'environments/production.ts: monitoring.runbooks is "https://git.example.com/your-team/backbone/docs/runbooks"',
    quiet: { environment: { monitoring: { runbooks: "https://wiki.circl.internal/examples/backbone/runbooks" } } },
  },
  E060: {
    fires: { key: "load-test-of-the-big-fleet", environment: { name: "load-test-of-the-big-fleet" } },
    says: "environments/load-test-of-the-big-fleet.ts: name is 26 characters long, a uid with it 42",
    quiet: { key: "load-test-of-the-old-one", environment: { name: "load-test-of-the-old-one" } },
  },
  E070: {
    fires: { environment: { delivery: "flux", development: true, secrets: { store: "kubectl" } } },
    says: 'environments/production.ts: delivery is "flux" while secrets.store is "kubectl"',
    quiet: { environment: { delivery: "flux" } },
  },
  E071: {
    fires: {
      environment: {
        delivery: "argocd",
        monitoring: { selectorLabels: { "app.kubernetes.io/instance": "kube-prometheus-stack" } },
      },
    },
    says: 'environments/production.ts: monitoring.selectorLabels has app.kubernetes.io/instance "kube-prometheus-stack" while delivery is "argocd"',
    quiet: { environment: { delivery: "argocd" } },
  },
};
