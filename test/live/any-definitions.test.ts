import { describe } from "vitest";
import { definitionSuite } from "../support/definition-suite.ts";
import { without } from "../support/tools.ts";

describe.skipIf(without("nats-server"))("definitions that nobody thought of", { timeout: 600_000 }, () => {
  definitionSuite("nats-server");
});
