/** What an update deletes is what the plan says, where three servers keep every stream. */
import { describe } from "vitest";
import { effectSuite } from "../support/jetstream-effect-suite.ts";
import { without } from "../support/tools.ts";

describe.skipIf(without("nats-server", "test-ca"))("three replicas of every stream", () => {
  effectSuite("nats-server", "staging");
});
