import { describe } from "vitest";
import { without } from "../support/tools.ts";
import { unknownStreamSuite } from "../support/unknown-stream-suite.ts";

describe.skipIf(without("nats-server", "test-ca"))("while a stream of one replica is away with its server", () => {
  unknownStreamSuite("nats-server");
});
