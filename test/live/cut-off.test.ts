import { describe } from "vitest";
import { cutOffSuite } from "../support/cut-off-suite.ts";
import { without } from "../support/tools.ts";

const each = (writes: number) => Array.from({ length: writes }, (_, i) => i + 1);

describe.skipIf(without("nats-server"))("an apply of thirty changes", { timeout: 600_000 }, () => {
  describe("on one server", () => cutOffSuite("nats-server", 1, each));
  describe("on three servers", () => cutOffSuite("nats-server", 3, (writes) => [1, 9, 18, 27, writes]));
});
