/** What the rules say of definitions, on the oldest and the newest line that is supported. */
import { describe } from "vitest";
import { createPairSuite } from "../support/create-pair-suite.ts";
import { createRefusalSuite } from "../support/create-refusal-suite.ts";
import { without } from "../support/tools.ts";
import { transformSuite } from "../support/transform-suite.ts";

describe.each(["nats-server-2.12", "nats-server-2.15"])("%s", (server) => {
  describe.skipIf(without(server))("what a rule says that the server refuses, it refuses", () => {
    createRefusalSuite(server, 1);
  });
  describe.skipIf(without(server, "test-ca"))("the same of what only a cluster refuses", () => {
    createRefusalSuite(server, 3);
  });
  describe.skipIf(without(server))("we call faulty what the server refuses, and nothing else", () => {
    transformSuite(server);
  });
  describe.skipIf(without(server))("every pair of settings", () => {
    createPairSuite(server);
  });
});
