import type { EnvironmentInput } from "../src/model/environment.ts";

/** One node on kind or k3d: no operators, no TLS, secrets made by hand (docs/first-deploy.md). */
export const local = {
  name: "local",
  development: true,
  streamFigures: "staging",
  kubernetes: { context: "kind-circl", zones: 1, zoneSpread: "preferred" },
  nats: {
    servers: 1,
    cpu: "100m",
    memory: "512MiB",
    volume: { size: "4GiB" },
    encryption: "none",
    tls: false,
    maxConnections: 1_000,
  },
  tile38: {
    leader: { cpu: "100m", memory: "256MiB", volume: { size: "2GiB" } },
    followers: { count: 1, cpu: "100m", memory: "256MiB", scratch: "2GiB" },
    objects: 10_000,
    shrink: { above: "256MiB" },
  },
  secrets: { store: "kubectl" },
  certificates: "none",
  monitoring: { operator: "none" },
} satisfies EnvironmentInput;
