/** Permissions on the oldest line that we promise and the newest, with acknowledgements in their second form, and on clusters with TLS. */
import { describe } from "vitest";
import type { Model } from "../../src/model/resolve.ts";
import { crossingSuite } from "../support/crossing-suite.ts";
import { realModel } from "../support/definitions.ts";
import { permissionSuite } from "../support/permission-suite.ts";
import { tool, without } from "../support/tools.ts";

const local = realModel("local");
const { environment } = local;
const secondForm: Model = {
  ...local,
  environment: { ...environment, nats: { ...environment.nats, featureFlags: { js_ack_fc_v2: true } } },
};

describe.each([
  ["nats-server-2.12", "as it comes", local],
  ["nats-server-2.15", "as it comes", local],
  ["nats-server", "js_ack_fc_v2", secondForm],
  ["nats-server-2.15", "js_ack_fc_v2", secondForm],
  ["nats-server", "three servers of staging", realModel("staging")],
  ["nats-server", "three servers of production", realModel("production")],
] as const)("permissions on %s, %s", (server, _, model) => {
  describe.skipIf(without(server, "secret-template", "test-ca"))("a real server", () => {
    const kind = { binary: () => tool(server), model };
    permissionSuite(kind);
    crossingSuite(kind);
  });
});

describe.each(["nats-server-2.12", "nats-server-2.15"] as const)(
  "accounts on three servers of staging, %s",
  (server) => {
    describe.skipIf(without(server, "secret-template", "test-ca"))("real servers", () => {
      crossingSuite({ binary: () => tool(server), model: realModel("staging") });
    });
  },
);
