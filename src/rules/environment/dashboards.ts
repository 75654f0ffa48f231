/** What Grafana does not take. */
import { uidOf } from "../../grafana/dashboard.ts";
import type { Model } from "../../model/resolve.ts";
import { inEnvironment } from "../place.ts";
import type { Rule } from "../rule.ts";

/** Grafana refuses longer ones (its table has 40 characters for them). */
const LONGEST_UID = 40;
/** The dashboard with the longest name. */
const LONGEST_NAME = "jetstream";

const longName: Rule<Model> = {
  code: "E060",
  severity: "error",
  title: "A name that dashboards cannot carry",
  reason:
    "Links to dashboards keep working because their uid is made of the environment's name, and Grafana refuses a uid of more than 40 " +
    "characters: its sidecar logs that once and the dashboard is not there when somebody needs it.",
  hint: "Give the environment a name of at most 24 characters.",
  *check(model) {
    const { name } = model.environment;
    const { length } = uidOf({ name: LONGEST_NAME }, name);
    if (length > LONGEST_UID) {
      yield { place: inEnvironment(model, "name"), says: `is ${name.length} characters long, a uid with it ${length}` };
    }
  },
};

export const dashboardRules = [longName];
