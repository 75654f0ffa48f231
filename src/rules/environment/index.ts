/** E: what an edit of environments/ can break. */
import { budgetRules } from "./budgets.ts";
import { credentialRules } from "./credentials.ts";
import { dashboardRules } from "./dashboards.ts";
import { deliveryRules } from "./delivery.ts";
import { identityRules } from "./identities.ts";
import { monitoringRules } from "./monitoring.ts";
import { safetyRules } from "./safety.ts";
import { versionRules } from "./versions.ts";

export const environmentRules = [
  ...safetyRules,
  ...versionRules,
  ...budgetRules,
  ...identityRules,
  ...credentialRules,
  ...dashboardRules,
  ...monitoringRules,
  ...deliveryRules,
];
