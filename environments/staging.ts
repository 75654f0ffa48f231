import type { EnvironmentInput } from "../src/model/environment.ts";

export const staging = {
  name: "staging",
  kubernetes: { context: "gke-staging", zoneSpread: "preferred" },
  nats: { cpu: "500m", memory: "2GiB", volume: { size: "10GiB" } },
  tile38: {
    leader: { cpu: "250m", memory: "1GiB", volume: { size: "40GiB" } },
    followers: { count: 1, cpu: "250m", memory: "1GiB", scratch: "20GiB" },
    objects: 100_000,
  },
  secrets: {
    store: "gcp-secret-manager",
    project: "circl-staging",
    cluster: { name: "circl-staging", location: "europe-west1" },
    refresh: "5m",
  },
} satisfies EnvironmentInput;
