/** Bounds of one account: whoever leaks or steals within it takes nothing from the others. */
import type { NatsConnection } from "nats";
import { describe, expect, test } from "vitest";
import { realModel } from "../support/definitions.ts";
import { startBackbone } from "../support/identities.ts";
import { without } from "../support/tools.ts";

const real = realModel("staging");
const { nats } = real.environment;
/** Three servers that take 20 connections each. */
const model = { ...real, environment: { ...real.environment, nats: { ...nats, maxConnections: 20 } } };

describe.skipIf(without("nats-server", "test-ca", "secret-template"))("connections of one account", () => {
  test("end at half of what one server takes, over all servers, and others still get in", async () => {
    await using backbone = await startBackbone(model);
    const held: NatsConnection[] = [];
    const login = async (name: string) => {
      const connection = await backbone.as(name, { reconnect: false });
      held.push(connection);
      return connection;
    };
    for (let i = 0; i < 10; i++) await login("iot");
    // What is counted at other servers arrives a moment later.
    const refused = async () => {
      try {
        await login("iot");
        return "";
      } catch (error) {
        return String(error);
      }
    };
    await expect.poll(refused, { timeout: 20_000 }).toMatch(/maximum account active connections exceeded/i);
    for (let i = 0; i < 10; i++) await login("bff");
    await login("stream-plan");
    await Promise.all(held.map((connection) => connection.close()));
  });
});
