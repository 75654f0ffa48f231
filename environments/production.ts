import type { EnvironmentInput } from "../src/model/environment.ts";

export const production = {
  name: "production",
  kubernetes: { context: "gke-production" },
  nats: { volume: { size: "50GiB", storageClass: "premium-rwo" } },
  tile38: { leader: { volume: { storageClass: "premium-rwo" } } },
  secrets: {
    store: "gcp-secret-manager",
    project: "circl-production",
    cluster: { name: "circl-production", location: "europe-west1" },
    refresh: "5m",
  },
} satisfies EnvironmentInput;
