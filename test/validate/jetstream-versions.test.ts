/** What stream-sync knows about the server, on the oldest and the newest line that it supports. */
import { describe } from "vitest";
import { clusterRefusalSuite } from "../support/jetstream-cluster-refusal-suite.ts";
import { effectSuite } from "../support/jetstream-effect-suite.ts";
import { refusalSuite } from "../support/jetstream-refusal-suite.ts";
import { roundTripSuite } from "../support/jetstream-round-trip-suite.ts";
import { without } from "../support/tools.ts";

describe.each(["nats-server-2.12", "nats-server-2.15"])("%s", (server) => {
  describe.skipIf(without(server))("what was created is no difference to what was asked for", () => {
    roundTripSuite(server);
  });
  describe.skipIf(without(server))("we refuse what the server refuses, and nothing else", () => {
    refusalSuite(server);
  });
  describe.skipIf(without(server, "test-ca"))("the same in a cluster", () => {
    clusterRefusalSuite(server);
  });
  describe.skipIf(without(server))("what an update deletes is what the plan says", () => {
    effectSuite(server);
  });
});
