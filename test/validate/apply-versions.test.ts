/** What an apply survives, and what definitions come to, on the oldest and the newest line of servers that it supports. */
import { describe } from "vitest";
import { cutOffSuite } from "../support/cut-off-suite.ts";
import { definitionSuite } from "../support/definition-suite.ts";
import { without } from "../support/tools.ts";

describe.each(["nats-server-2.12", "nats-server-2.15"])("%s", { timeout: 600_000 }, (server) => {
  describe.skipIf(without(server))("definitions that nobody thought of", () => definitionSuite(server));
  describe.skipIf(without(server))("an apply of thirty changes, on one server", () =>
    cutOffSuite(server, 1, (writes) => [1, 7, 13, 19, 25, 31, writes]),
  );
  describe.skipIf(without(server))("an apply of thirty changes, on three servers", () =>
    cutOffSuite(server, 3, (writes) => [9, 22, writes]),
  );
});
