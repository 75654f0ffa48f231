import { describe } from "vitest";
import { crossingSuite } from "../support/crossing-suite.ts";
import { realModel } from "../support/definitions.ts";
import { permissionSuite } from "../support/permission-suite.ts";
import { tool, without } from "../support/tools.ts";

describe.skipIf(without("nats-server", "secret-template"))("permissions on a real server", () => {
  const kind = { binary: () => tool("nats-server"), model: realModel("local") };
  permissionSuite(kind);
  crossingSuite(kind);
});
