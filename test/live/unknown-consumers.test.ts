import { describe } from "vitest";
import { without } from "../support/tools.ts";
import { unknownConsumerSuite } from "../support/unknown-consumer-suite.ts";

describe.skipIf(without("nats-server", "test-ca"))("while a server is away that holds consumers of one replica", () => {
  unknownConsumerSuite("nats-server");
});
