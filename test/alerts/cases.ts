/** The cases of all alerts. */
import { auditCases } from "./audit-cases.ts";
import { natsFileCases } from "./nats-file-cases.ts";
import { natsServerCases } from "./nats-server-cases.ts";
import { natsStreamCases } from "./nats-stream-cases.ts";
import type { AlertCases } from "./scenario.ts";
import { secretCases } from "./secret-cases.ts";
import { tile38Cases } from "./tile38-cases.ts";

export const cases: AlertCases = {
  ...natsServerCases,
  ...natsFileCases,
  ...natsStreamCases,
  ...auditCases,
  ...secretCases,
  ...tile38Cases,
};
