import { describe } from "vitest";
import { realModel } from "../support/definitions.ts";
import { permissionSuite } from "../support/permission-suite.ts";
import { tool, without } from "../support/tools.ts";

describe.skipIf(without("nats-server", "secret-template"))("permissions on a real server", () => {
  permissionSuite({ binary: () => tool("nats-server"), model: realModel("local") });
});
