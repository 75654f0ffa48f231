/** What stream-sync knows about the server, on the oldest and the newest line that it supports. */
import { describe } from "vitest";
import { roundTripSuite } from "../support/jetstream-round-trip-suite.ts";
import { without } from "../support/tools.ts";

describe.each(["nats-server-2.12", "nats-server-2.15"])("%s", (server) => {
  describe.skipIf(without(server))("what was created is no difference to what was asked for", () => {
    roundTripSuite(server);
  });
});
