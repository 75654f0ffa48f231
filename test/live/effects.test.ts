import { describe } from "vitest";
import { effectSuite } from "../support/jetstream-effect-suite.ts";
import { without } from "../support/tools.ts";

describe.skipIf(without("nats-server"))("what an update deletes is what the plan says", () => {
  effectSuite("nats-server");
});
